#include "trainer.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/text.hpp>
#include <optional>

namespace learned_proximal {

namespace {

/// Pictures that judge the weights.
constexpr int judged = 64;
/// Of the loss in the report: an average over about so many steps.
constexpr double memory = 100.0;

double mean_square_of_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum / static_cast<double>(a.size());
}

/// Peak signal to noise ratio in dB of pictures in [0, 1].
double psnr(double mean_square) {
  return -10.0 * std::log10(mean_square);
}

}  // namespace

learn::AdamOptions default_adam() {
  learn::AdamOptions adam;
  adam.steps = 4000;
  adam.learning_rate = 2e-2;
  adam.warm_up = 100;
  adam.decay_begin = 0.3;
  return adam;
}

void TrainerOptions::describe(Fields<TrainerOptions>& f) {
  using O = TrainerOptions;
  f.add_group(&O::network);
  f.add_group(&O::adam);
  f.add("sigma", &O::sigma, Range::above(0.0),
        "standard deviation of the noise; pictures have values in [0, 1]");
  f.add("sharpened", &O::sharpened, Range::closed(0.0, 1.0),
        "part of the pictures that are sharpened before they get noise; 0: as published");
  f.add("size", &O::size, Range::closed(8, 512), "cells along each side of a training picture");
  f.add("batch", &O::batch, Range::closed(1, 1024), "pictures in one step");
  f.add("l1_part", &O::l1_part, Range::closed(0.0, 1.0),
        "part of the steps, the first, with the l1 norm as the loss");
  f.add("gamma_begin", &O::gamma_begin, Range::above(0.0),
        "width of the proximal matching loss, in root mean square error of a picture, where it "
        "begins");
  f.add("gamma_end", &O::gamma_end, Range::above(0.0), "the same at the last step");
}

void TrainerOptions::check(const TrainerOptions& o, const std::string& prefix,
                           const SourceLocation& where, Diagnostics& problems) {
  if (o.gamma_end > o.gamma_begin)
    problems.add(where, prefix + "gamma_end",
                 "must not be above 'gamma_begin', from which the width falls");
}

ProximalTrainer::ProximalTrainer(const Options& options, const Context& context)
    : options_(options),
      network_(options.network),
      packed_(network_),
      pictures_(options.size, context.seed, "learned_proximal::training"),
      parameters_(network_.initial_parameters(context.seed)),
      units_(network_.units()),
      adam_(options.adam, network_.num_parameters()) {
  for (int i = 0; i < options.batch; ++i) {
    Item item;
    item.pass = std::make_unique<ConvexPass<float>>(packed_, options.size, options.size);
    item.gradient.resize(network_.num_parameters());
    batch_.push_back(std::move(item));
  }
  scale_readout();
}

/// grad psi is linear in w: as large as what it is to be, in the least squares of one picture.
void ProximalTrainer::scale_readout() {
  Item& item = batch_[0];
  packed_.set(parameters_);
  pictures_.draw(0, item.x);
  item.f.resize(item.x.size());
  (void)item.pass->value(item.x.data());
  item.pass->gradient(item.f.data());
  double fx = 0.0, ff = 0.0;
  for (std::size_t i = 0; i < item.x.size(); ++i) {
    const double f = item.f[i] - options_.network.alpha * item.x[i];
    fx += f * item.x[i];
    ff += f * f;
  }
  const double factor = fx > 0.0 ? fx / ff : 1.0;
  for (std::size_t i = network_.readout_weights(); i < parameters_.size(); ++i)
    parameters_[i] = static_cast<float>(factor * parameters_[i]);
}

std::string ProximalTrainer::description() const {
  return "convex network of " + std::to_string(parameters_.size()) + " parameters, pictures of " +
         std::to_string(options_.size) + " x " + std::to_string(options_.size) + " with noise " +
         short_number(options_.sigma) + ", " + std::to_string(options_.adam.steps) + " steps of " +
         std::to_string(options_.batch);
}

double ProximalTrainer::gamma_of(std::int64_t step) const {
  const double at = static_cast<double>(step) / options_.adam.steps;
  if (at < options_.l1_part) return 0.0;
  const double t = (at - options_.l1_part) / (1.0 - options_.l1_part);
  return options_.gamma_begin * std::pow(options_.gamma_end / options_.gamma_begin, t);
}

void ProximalTrainer::differentiate(std::uint64_t number, double gamma, Item& item) const {
  std::fill(item.gradient.begin(), item.gradient.end(), 0.0F);
  pictures_.draw(number, item.x);
  item.y = item.x;
  pictures_.add_noise(number, options_.sigma, options_.sharpened, item.y);
  item.f.resize(item.x.size());
  (void)item.pass->value(item.y.data());
  item.pass->gradient(item.f.data());
  // f becomes the gradient of the loss by f.
  const double n = static_cast<double>(item.x.size());
  if (gamma == 0.0) {
    double sum = 0.0;
    for (std::size_t i = 0; i < item.x.size(); ++i) {
      const double d = item.f[i] - item.x[i];
      sum += std::abs(d);
      item.f[i] = (d > 0.0 ? 1.0 : d < 0.0 ? -1.0 : 0.0) / n;
    }
    item.loss = sum / n;
  } else {
    const double weight = std::exp(-mean_square_of_difference(item.f, item.x) / (gamma * gamma));
    item.loss = 1.0 - weight;
    for (std::size_t i = 0; i < item.x.size(); ++i)
      item.f[i] = 2.0 * weight / (n * gamma * gamma) * (item.f[i] - item.x[i]);
  }
  item.pass->apply_hessian(item.f.data(), nullptr);
  item.pass->add_parameter_gradient(item.gradient);
}

double ProximalTrainer::step() {
  using Host = Kokkos::DefaultHostExecutionSpace;
  const int n = static_cast<int>(batch_.size());
  packed_.set(parameters_);
  const double gamma = gamma_of(step_);
  Kokkos::parallel_for(
      "learned_proximal::pictures", Kokkos::RangePolicy<Host>(Host(), 0, n, Kokkos::ChunkSize(1)),
      [this, n, gamma](int i) {
        differentiate(static_cast<std::uint64_t>(step_) * static_cast<std::uint64_t>(n) +
                          static_cast<std::uint64_t>(i),
                      gamma, batch_[static_cast<std::size_t>(i)]);
      });
  Host().fence();
  std::vector<double> gradient(parameters_.size(), 0.0);
  double loss = 0.0;
  for (const Item& item : batch_) {
    loss += item.loss / n;
    for (std::size_t p = 0; p < gradient.size(); ++p)
      gradient[p] += static_cast<double>(item.gradient[p]) / n;
  }
  // Adam's steps have one length for all parameters, whose sizes differ: it works on them in their
  // units.
  std::vector<float> scaled = parameters_;
  for (std::size_t p = 0; p < gradient.size(); ++p) {
    gradient[p] *= static_cast<double>(units_[p]);
    scaled[p] /= units_[p];
  }
  adam_.step(step_, gradient, scaled);
  for (std::size_t p = 0; p < gradient.size(); ++p) parameters_[p] = scaled[p] * units_[p];
  network_.make_convex(parameters_);
  ++step_;
  return loss;
}

Report ProximalTrainer::train(Monitor& monitor) {
  Report report;
  std::optional<double> smooth, first;  // of one kind of loss, and of this call
  bool was_l1 = true;
  const auto stop = [&](Status status) {
    report.status = status;
    report.iterations = step_;
    report.reason = std::to_string(step_) + " of " + std::to_string(options_.adam.steps) +
                    " steps";
    if (smooth) {
      report.reason += ", loss " + short_number(*smooth);
      report.measures = {{"loss", *smooth, ""}, {"first_loss", *first, ""}};
    }
    if (status == Status::converged) {
      const Errors errors = judge();
      report.measures.push_back({"psnr", psnr(errors.found), "dB"});
      report.measures.push_back({"noisy_psnr", psnr(errors.noisy), "dB"});
      report.reason += "; on pictures not trained on " + short_number(psnr(errors.found)) +
                       " dB, with noise " + short_number(psnr(errors.noisy)) + " dB";
      if (!(errors.found < errors.noisy)) {
        report.status = Status::stagnated;
        report.reason += ": no noise is taken out; raise 'gamma_begin' or 'l1_part', where the loss "
                         "is 1 nothing is learned";
      }
    }
    report.metrics = {{"parameters", static_cast<double>(parameters_.size()), ""},
                      {"network_flops_per_unknown", 2.0 * network_.multiply_adds_per_cell(), ""}};
    return report;
  };
  while (step_ < options_.adam.steps) {
    const double gamma = gamma_of(step_);
    const double loss = step();
    if ((gamma == 0.0) != was_l1) smooth = first = std::nullopt;  // another loss
    was_l1 = gamma == 0.0;
    smooth = smooth ? *smooth + (loss - *smooth) / memory : loss;
    if (!first) first = loss;
    const Sample samples[] = {
        {"loss", loss}, {"learning_rate", adam_.rate(step_ - 1)}, {"gamma", gamma}};
    const Verdict verdict = monitor.observe(step_, samples);
    if (!std::isfinite(loss)) {
      smooth = loss;
      return stop(Status::non_finite);
    }
    if (verdict == Verdict::interrupted) return stop(Status::interrupted);
    if (verdict == Verdict::time_limit) return stop(Status::time_limit);
  }
  return stop(Status::converged);
}

ProximalTrainer::Errors ProximalTrainer::judge() {
  Item& item = batch_[0];
  packed_.set(parameters_);
  const Pictures others(options_.size, 0, "learned_proximal::judge");
  Errors errors;
  for (std::uint64_t number = 0; number < judged; ++number) {
    others.draw(number, item.x);
    item.y = item.x;
    others.add_noise(number, options_.sigma, 0.0, item.y);
    item.f.resize(item.x.size());
    (void)item.pass->value(item.y.data());
    item.pass->gradient(item.f.data());
    errors.noisy += mean_square_of_difference(item.y, item.x) / judged;
    errors.found += mean_square_of_difference(item.f, item.x) / judged;
  }
  return errors;
}

Weights ProximalTrainer::weights() const {
  Weights w;
  w.network = network_kind;
  w.options = options_to_value(options_.network);
  w.arrays = network_.to_arrays(parameters_);
  w.trained_on = {pictures_kind,
                  2,
                  {options_.size, options_.size},
                  "synthetic piecewise constant pictures, " + std::to_string(options_.size) +
                      " x " + std::to_string(options_.size) + ", noise " +
                      short_number(options_.sigma)};
  return w;
}

TrainingState ProximalTrainer::state() const {
  TrainingState s;
  s.step = step_;
  s.arrays = network_.to_arrays(parameters_);
  for (auto& part : adam_.state()) s.arrays.push_back(std::move(part));
  return s;
}

void ProximalTrainer::resume(const TrainingState& state) {
  Weights arrays;
  arrays.arrays = state.arrays;
  arrays.file = state.file;
  parameters_ = network_.from_arrays(arrays);
  adam_.resume(arrays);
  step_ = state.step;
}

}  // namespace learned_proximal
