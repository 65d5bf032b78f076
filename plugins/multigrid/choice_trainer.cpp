#include "choice_trainer.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/monitor.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/text.hpp>
#include <limits>

#include "steps_to_solve.hpp"
#include "training_operators.hpp"

namespace multigrid {

using libsolve::Value;

namespace {

const std::vector<std::string> known_families = {"jumps", "masks", "anisotropy", "mixtures", "own"};
constexpr int most_steps = 60;

}  // namespace

void ChoiceTrainerOptions::describe(libsolve::Fields<ChoiceTrainerOptions>& f) {
  using O = ChoiceTrainerOptions;
  using libsolve::Range;
  f.add("families", &O::families,
        "what to draw operators from, in turn: jumps, masks, anisotropy, mixtures, own");
  f.add_component("problem", &O::problem, "problem-source",
                  "the family \"own\": this problem, made again with other random numbers; its size "
                  "is its own");
  f.add("sizes", &O::sizes, Range::closed(8, 512), "cells along each axis of the others, in turn");
  f.add("operators", &O::operators, Range::closed(5, 100000), "operators drawn, one a step");
  f.add("steps", &O::steps, Range::at_least(1), "steps in all; more than `operators`");
  f.add("epochs", &O::epochs, Range::at_least(1),
        "passes of Adam over all operators in each step after the last operator");
  f.add("rate", &O::rate, Range::above(0.0), "learning rate");
  f.add("decay", &O::decay, Range::at_least(0.0), "weight decay");
  f.add("noise", &O::noise, Range::at_least(0.0),
        "normal noise on the features in training, relative to their deviations: keeps the network "
        "from learning single operators by heart");
}

void ChoiceTrainerOptions::check(const ChoiceTrainerOptions& o, const std::string& prefix,
                                 const libsolve::SourceLocation& where,
                                 libsolve::Diagnostics& problems) {
  for (const std::string& family : o.families)
    if (std::find(known_families.begin(), known_families.end(), family) == known_families.end())
      problems.add(where, prefix + "families",
                   "no family is called \"" + family + "\"; there are " +
                       libsolve::join(known_families));
  if (o.families.empty()) problems.add(where, prefix + "families", "is empty");
  if (o.sizes.empty()) problems.add(where, prefix + "sizes", "is empty");
  if (o.steps <= o.operators)
    problems.add(where, prefix + "steps",
                 "must be more than `operators`, " + std::to_string(o.operators) + ", is " +
                     std::to_string(o.steps));
}

ChoiceTrainer::ChoiceTrainer(const Options& options, const libsolve::Context& context)
    : options_(options),
      context_(context),
      network_(context.seed),
      first_moment_(ChoiceNetwork::num_parameters, 0.0),
      second_moment_(ChoiceNetwork::num_parameters, 0.0) {}

std::string ChoiceTrainer::description() const {
  return "network of " + std::to_string(ChoiceNetwork::num_parameters) + " weights that chooses between " +
         std::to_string(num_settings) + " settings of multigrid, " +
         std::to_string(options_.operators) + " operators of the families " +
         libsolve::join(options_.families);
}

void ChoiceTrainer::add_operator(int index) {
  const std::string& family = options_.families[index % options_.families.size()];
  const std::uint64_t seed = context_.seed * 1000003 + 7919 * std::uint64_t(index) + 17;
  libsolve::ComponentSpec spec = options_.problem;
  if (family != "own") {
    spec = libsolve::ComponentSpec("poisson");
    spec.options = family_operator(family, context_.seed, index);
    const int n = options_.sizes[(index / options_.families.size()) % options_.sizes.size()];
    spec.options.set("size", libsolve::detail::to_value(std::vector<int>{n, n, n}));
  }
  const auto problem = make_system(context_, spec, seed);
  const auto* system = dynamic_cast<const libsolve::LinearSystem*>(problem.get());
  const auto* A =
      system ? dynamic_cast<const libsolve::StencilOperator*>(&system->A()) : nullptr;
  if (A == nullptr)
    throw libsolve::Unsupported("the trainer of learned-multigrid needs operators on structured "
                                "grids (StencilOperator), got: " + problem->description());
  for (int a = 0; a < 3; ++a) cells_[a] = std::max(cells_[a], A->grid().cells[a]);
  Row row;
  Survey survey(*A, MultigridOptions{}.semi_coarsening);
  row.features = features_of(survey);
  // what costs more than that counts as it: no need to know how much more
  const double most = std::exp(ChoiceNetwork::largest_excess);
  double best = std::numeric_limits<double>::infinity();
  for (int s = 0; s < num_settings; ++s) {
    Multigrid M(setting(s).options, context_);
    M.setup(survey);
    const Work work = M.work();
    const double steps = std::min(double(most_steps), (most * best - work.setup) / work.visit + 1);
    const double cost = work.setup + work.visit * steps_to_solve(*system, M, std::max(1, int(steps)));
    row.excess[s] = std::log(cost);
    best = std::min(best, cost);
  }
  best = std::log(best);
  for (double& e : row.excess) e -= best;
  rows_.push_back(row);
}

void ChoiceTrainer::scale_features() {
  std::vector<Features> seen;
  for (std::size_t r = 0; r < rows_.size(); ++r)
    if (!is_validation(r)) seen.push_back(rows_[r].features);
  if (!seen.empty()) network_.scale_by(seen);
}

double ChoiceTrainer::differentiate(double noise, std::vector<double>& gradient) const {
  std::fill(gradient.begin(), gradient.end(), 0.0);
  const libsolve::RandomStream stream(context_.seed, "multigrid::feature_noise");
  std::uint64_t next = std::uint64_t(epoch_) * rows_.size() * num_features;
  double loss = 0.0;
  int count = 0;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    if (is_validation(r)) continue;
    ChoiceNetwork::Costs target, weight;
    for (int s = 0; s < num_settings; ++s) {
      target[s] = std::min(rows_[r].excess[s], ChoiceNetwork::largest_excess);
      weight[s] = 1.0 / (1.0 + 8.0 * target[s]);
    }
    Features f = rows_[r].features;
    if (noise > 0)
      for (int i = 0; i < num_features; ++i)
        f[i] += noise * network_.deviation()[i] * stream.normal(next++);
    loss += network_.add_gradient(f, target, weight, gradient);
    ++count;
  }
  for (double& g : gradient) g /= std::max(1, count);
  return loss / (std::max(1.0, double(count)) * num_settings);
}

double ChoiceTrainer::run_epoch() {
  std::vector<double> gradient(ChoiceNetwork::num_parameters);
  const double loss = differentiate(options_.noise, gradient);
  ++epoch_;
  // Kingma and Ba, Adam, ICLR 2015, with decoupled decay; the rate falls as a cosine
  const double total = double(options_.steps - options_.operators) * options_.epochs;
  const double part = std::min(1.0, double(epoch_) / total);
  const double rate = options_.rate * (0.02 + 0.98 * 0.5 * (1 + std::cos(3.14159265358979 * part)));
  const double correct1 = 1 - std::pow(0.9, double(epoch_));
  const double correct2 = 1 - std::pow(0.999, double(epoch_));
  std::vector<double>& p = network_.parameters();
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double g = gradient[i];
    first_moment_[i] = 0.9 * first_moment_[i] + 0.1 * g;
    second_moment_[i] = 0.999 * second_moment_[i] + 0.001 * g * g;
    p[i] -= rate * (first_moment_[i] / correct1 / (std::sqrt(second_moment_[i] / correct2) + 1e-8) +
                    options_.decay * p[i]);
  }
  return loss;
}

namespace {

template <class Rows, class Use>
double mean_over(const Rows& rows, bool validation, const Use& use) {
  double sum = 0;
  int count = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    if ((r % 5 == 4) != validation) continue;
    sum += use(rows[r]);
    ++count;
  }
  return count > 0 ? sum / count : 0.0;
}

}  // namespace

double ChoiceTrainer::mean_gain(bool validation) const {
  return mean_over(rows_, validation, [this](const Row& row) {
    const auto costs = network_(row.features);
    const auto best = std::min_element(costs.begin(), costs.end()) - costs.begin();
    return row.excess[plain_setting] - row.excess[best];
  });
}

double ChoiceTrainer::mean_gain_of_best(bool validation) const {
  return mean_over(rows_, validation, [](const Row& row) { return row.excess[plain_setting]; });
}

libsolve::Report ChoiceTrainer::train(libsolve::Monitor& monitor) {
  libsolve::Report report;
  const auto finish = [&](libsolve::Status status) {
    report.status = status;
    report.iterations = step_;
    report.reason = std::to_string(step_) + " of " + std::to_string(options_.steps) + " steps, " +
                    std::to_string(rows_.size()) + " operators";
    report.measures = {{"gain", std::exp(mean_gain(false)), ""},
                       {"gain_of_best", std::exp(mean_gain_of_best(false)), ""},
                       {"validation_gain", std::exp(mean_gain(true)), ""},
                       {"validation_gain_of_best", std::exp(mean_gain_of_best(true)), ""}};
    return report;
  };
  while (step_ < options_.steps) {
    double loss = 0.0;
    if (int(rows_.size()) < options_.operators) {
      add_operator(int(rows_.size()));
      scale_features();
      std::vector<double> unused(ChoiceNetwork::num_parameters);
      loss = differentiate(0.0, unused);
    } else {
      for (int e = 0; e < options_.epochs; ++e) loss = run_epoch();
    }
    ++step_;
    const libsolve::Sample samples[] = {{"loss", loss},
                                        {"gain", std::exp(mean_gain(false))},
                                        {"validation_gain", std::exp(mean_gain(true))}};
    const libsolve::Verdict verdict = monitor.observe(step_, samples);
    if (!std::isfinite(loss)) return finish(libsolve::Status::non_finite);
    if (verdict == libsolve::Verdict::interrupted) return finish(libsolve::Status::interrupted);
    if (verdict == libsolve::Verdict::time_limit) return finish(libsolve::Status::time_limit);
  }
  return finish(libsolve::Status::converged);
}

libsolve::Weights ChoiceTrainer::weights() const {
  libsolve::Weights w = network_.weights();
  std::vector<int> cells;
  for (const int n : cells_)
    if (n > 1) cells.push_back(n);
  w.trained_on = {"diffusion", int(cells.size()), cells,
                  std::to_string(rows_.size()) + " operators of the families " +
                      libsolve::join(options_.families)};
  return w;
}

libsolve::TrainingState ChoiceTrainer::state() const {
  libsolve::TrainingState s;
  s.step = step_;
  const auto n = libsolve::GlobalIndex(ChoiceNetwork::num_parameters);
  s.arrays = {{"parameters", {n}, network_.parameters()},
              {"first_moment", {n}, first_moment_},
              {"second_moment", {n}, second_moment_},
              {"epoch", {1}, {double(epoch_)}},
              {"cells", {3}, {cells_.begin(), cells_.end()}}};
  libsolve::NamedArray features{"features", {libsolve::GlobalIndex(rows_.size()), num_features}, {}};
  libsolve::NamedArray excess{"excess", {libsolve::GlobalIndex(rows_.size()), num_settings}, {}};
  for (const Row& row : rows_) {
    features.values.insert(features.values.end(), row.features.begin(), row.features.end());
    excess.values.insert(excess.values.end(), row.excess.begin(), row.excess.end());
  }
  s.arrays.push_back(features);
  s.arrays.push_back(excess);
  return s;
}

void ChoiceTrainer::resume(const libsolve::TrainingState& state) {
  const auto find = [&](const std::string& name) -> const std::vector<double>& {
    for (const auto& a : state.arrays)
      if (a.name == name) return a.values;
    throw libsolve::InputError({.file = state.file, .line = 0, .column = 0}, name,
                               "is missing: the state is of another trainer");
  };
  const auto refuse = [&](const std::string& name) {
    throw libsolve::InputError({.file = state.file, .line = 0, .column = 0}, name,
                               "has another length: the state is of another network");
  };
  for (auto [name, to] : {std::pair{"parameters", &network_.parameters()},
                          std::pair{"first_moment", &first_moment_},
                          std::pair{"second_moment", &second_moment_}}) {
    if (find(name).size() != std::size_t(ChoiceNetwork::num_parameters)) refuse(name);
    *to = find(name);
  }
  const auto& features = find("features");
  const auto& excess = find("excess");
  const std::size_t count = features.size() / num_features;
  if (features.size() != count * num_features) refuse("features");
  if (excess.size() != count * num_settings) refuse("excess");
  if (find("epoch").size() != 1) refuse("epoch");
  epoch_ = std::int64_t(find("epoch")[0]);
  if (find("cells").size() != 3) refuse("cells");
  for (int a = 0; a < 3; ++a) cells_[a] = int(find("cells")[a]);
  step_ = state.step;
  rows_.assign(count, {});
  for (std::size_t r = 0; r < count; ++r) {
    std::copy_n(features.begin() + std::ptrdiff_t(r * num_features), num_features, rows_[r].features.begin());
    std::copy_n(excess.begin() + std::ptrdiff_t(r * num_settings), num_settings, rows_[r].excess.begin());
  }
  scale_features();
}

}  // namespace multigrid
