#include "trainer.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/text.hpp>

#include "residual_loss.hpp"

namespace hard_constraint_experts {

namespace {

/// Solves that judge the weights.
constexpr int judged = 8;

SorptionGrid training_grid(const Problem& problem) {
  const auto* program = dynamic_cast<const NonlinearProgram*>(&problem);
  const auto* functions =
      program == nullptr ? nullptr : dynamic_cast<const SorptionProgram*>(&program->functions());
  if (functions == nullptr)
    throw Unsupported(
        "the trainer 'hard-constraint-experts' knows the equations of the source "
        "'diffusion-sorption' alone, got " +
        problem.description());
  return functions->grid();
}

Basis nodes_of(const SorptionGrid& g, int functions) {
  return Basis("hard_constraint_experts::basis",
               g.num_nodes(),
               static_cast<std::size_t>(functions));
}

}  // namespace

ComponentSpec default_training_problem() {
  ComponentSpec spec("diffusion-sorption");
  spec.options.set("size", 64);
  spec.options.set("steps", 50);
  return spec;
}

ExpertOptions training_experts() {
  ExpertOptions o;
  o.sampled_points = 400;
  return o;
}

void TrainerOptions::describe(Fields<TrainerOptions>& f) {
  using O = TrainerOptions;
  f.add_group(&O::network);
  f.add_group(&O::adam);
  f.add_group(&O::experts);
  f.add("loss", &O::loss, Choices{{"newton-step", "residual"}},
        "of the solution found: the residual in the norm of the equations' inverse, or plain");
  f.add("initial_low", &O::initial_low, Range::closed(0.0, 1.0),
        "initial values are drawn from here");
  f.add("initial_high", &O::initial_high, Range::closed(0.0, 1.0), "to here");
  f.add_component("problem", &O::problem, ProblemSource::kind,
                  "grid and medium; its initial value is not used");
}

void TrainerOptions::check(const TrainerOptions& o, const std::string& prefix,
                           const SourceLocation& where, Diagnostics& problems) {
  ExpertOptions::check(o.experts, prefix, where, problems);
  if (o.initial_high < o.initial_low)
    problems.add(where, prefix + "initial_high",
                 "is " + format_number(o.initial_high) + ", below initial_low, " +
                     format_number(o.initial_low));
}

HardConstraintExpertsTrainer::HardConstraintExpertsTrainer(const Options& options,
                                                           const Context& context)
    : options_(options),
      seed_(context.seed),
      grid_([&] {
        const auto problem = context.make<ProblemSource>(options.problem)->create();
        problem_text_ = problem->description();
        return training_grid(*problem);
      }()),
      network_(options.network, context.seed),
      adam_(options.adam, network_.parameters().size()),
      experts_(grid_, options.experts, options.network.functions),
      basis_(nodes_of(grid_, options.network.functions)),
      by_basis_(nodes_of(grid_, options.network.functions)) {}

std::string HardConstraintExpertsTrainer::description() const {
  return std::to_string(options_.network.functions) + " functions by a network of " +
         std::to_string(network_.parameters().size()) + " parameters, " +
         std::to_string(experts_.num_experts()) + " experts, for " + problem_text_ + ", " +
         std::to_string(options_.adam.steps) + " steps";
}

double HardConstraintExpertsTrainer::differentiate(std::vector<double>& gradient) {
  const RandomStream initial(seed_, "hard_constraint_experts::initial");
  const auto number = static_cast<std::uint64_t>(step_);
  grid_.initial = initial.uniform(number, options_.initial_low, options_.initial_high);
  experts_.set_initial(grid_.initial);
  experts_.sample(seed_, number);
  network_.evaluate(grid_, basis_);
  std::vector<double> u(grid_.unknowns()), by_u(u.size());
  open_ += experts_.solve(basis_, u.data());
  const double loss = residual_loss(options_.loss, grid_, u, by_u);
  Kokkos::deep_copy(by_basis_, 0.0);
  gradient.clear();
  if (!std::isfinite(loss) || !experts_.add_adjoint(basis_, by_u.data(), by_basis_)) return loss;
  gradient.assign(network_.parameters().size(), 0.0);
  network_.add_gradient(grid_, by_basis_, gradient);
  return loss;
}

Report HardConstraintExpertsTrainer::train(Monitor& monitor) {
  Report report;
  double smooth = -1.0, first = -1.0;
  const auto stop = [&](Status status) {
    report.status = status;
    report.iterations = step_;
    report.reason = std::to_string(step_) + " of " + std::to_string(options_.adam.steps) +
                    " steps, loss " + short_number(smooth);
    report.measures = {{"loss", smooth, ""}, {"first_loss", first, ""}};
    report.counts = {{"samples_skipped", static_cast<double>(skipped_)},
                     {"experts_not_converged", static_cast<double>(open_)}};
    if (open_ > 0)
      report.notes.push_back(std::to_string(open_) + " of " +
                             std::to_string(step_ * experts_.num_experts()) +
                             " least squares were not at their minimum (expert_iterations, "
                             "expert_tolerance): their gradients are not exact");
    report.metrics = {{"parameters", static_cast<double>(network_.parameters().size()), ""}};
    if (status == Status::converged) {
      const auto [error, open] = mean_error();
      report.measures.push_back({"mean_relative_error", error, ""});
      report.reason += "; mean relative error " + short_number(error);
      if (open > 0)
        report.reason += " with " + std::to_string(open) + " of " +
                         std::to_string(judged * experts_.num_experts()) +
                         " experts not at their minimum";
    }
    return report;
  };
  std::vector<double> gradient;
  while (step_ < options_.adam.steps) {
    const double loss = differentiate(gradient);
    if (std::isfinite(loss)) {
      smooth = smooth < 0.0 ? loss : 0.98 * smooth + 0.02 * loss;
      if (first < 0.0) first = loss;
    }
    const double rate = adam_.rate(step_);
    if (gradient.empty())
      ++skipped_;
    else
      adam_.step(step_, gradient, network_.parameters());
    ++step_;
    const libsolve::Sample samples[] = {{"loss", loss}, {"learning_rate", rate}};
    const Verdict verdict = monitor.observe(step_, samples);
    if (!std::isfinite(loss)) {
      smooth = loss;
      return stop(Status::non_finite);
    }
    if (verdict == Verdict::interrupted) return stop(Status::interrupted);
    if (verdict == Verdict::time_limit) return stop(Status::time_limit);
  }
  if (skipped_ == step_ && step_ > 0) {
    Report report = stop(Status::breakdown);
    report.reason += "; no sample had experts with strict minima, so nothing was learned";
    return report;
  }
  return stop(Status::converged);
}

std::pair<double, int> HardConstraintExpertsTrainer::mean_error() {
  ExpertOptions all = options_.experts;
  all.sampled_points = 0;
  Experts experts(grid_, all, options_.network.functions);
  double sum = 0.0;
  int open = 0;
  for (int k = 0; k < judged; ++k) {
    grid_.initial =
        options_.initial_low + (options_.initial_high - options_.initial_low) * (k + 0.5) / judged;
    experts.set_initial(grid_.initial);
    network_.evaluate(grid_, basis_);
    std::vector<double> u(grid_.unknowns()), exact(u.size());
    open += experts.solve(basis_, u.data());
    if (step_through_time(grid_, 1e-10, exact.data()) < 0) return {NAN, open};
    sum += relative_difference(u, exact);
  }
  return {sum / judged, open};
}

Weights HardConstraintExpertsTrainer::weights() const {
  Weights w = network_.weights();
  w.trained_on = {"diffusion-sorption",
                  2,
                  {grid_.size, grid_.steps},
                  std::to_string(grid_.size) + " cells, " + std::to_string(grid_.steps) +
                      " steps, u(x, 0) from " + format_number(options_.initial_low) + " to " +
                      format_number(options_.initial_high)};
  w.arrays.push_back(
      TrainedRange{grid_.law, grid_.final_time, options_.initial_low, options_.initial_high}
          .array());
  return w;
}

TrainingState HardConstraintExpertsTrainer::state() const {
  TrainingState s;
  s.step = step_;
  s.arrays = network_.arrays();
  for (auto& array : adam_.state()) s.arrays.push_back(array);
  s.arrays.push_back({"skipped", {2}, {static_cast<double>(skipped_), static_cast<double>(open_)}});
  return s;
}

void HardConstraintExpertsTrainer::resume(const TrainingState& state) {
  Weights arrays;
  arrays.arrays = state.arrays;
  arrays.file = state.file;
  network_.take(arrays);
  adam_.resume(arrays);
  const std::vector<double>& counts = arrays.array("skipped", {2}).values;
  skipped_ = static_cast<std::int64_t>(counts[0]);
  open_ = static_cast<std::int64_t>(counts[1]);
  step_ = state.step;
}

}  // namespace hard_constraint_experts
