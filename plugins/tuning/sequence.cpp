#include "sequence.hpp"

#include <libsolve/core/errors.hpp>

namespace tuning {

namespace {

/// The history has a row for each system.
std::vector<Sample> samples_of(const TunedSolve& tuned, const Report& report, double context) {
  std::vector<Sample> out = {
      {"cost", tuned.cost()}, {"value", tuned.value()}, {"context", context}};
  if (tuned.options().cost != "iterations")
    out.push_back({"inner_iterations", static_cast<double>(report.iterations)});
  if (tuned.options().oracles)
    out.push_back({"best_cost", tuned.oracle().best(tuned.oracle().num_systems() - 1)});
  return out;
}

std::string why_unsolved(const TunedSolve& tuned, const Report& report, std::int64_t number,
                         double context) {
  const std::string& parameter = tuned.options().parameter;
  const std::string system =
      "system " + std::to_string(number) + " (context " + format_number(context) + ", " +
      (parameter.empty() ? "solver" : parameter) + " " + tuned.value_text() + ")";
  if (report.status == Status::time_limit || report.status == Status::interrupted)
    return "stopped in " + system + ", of which the initial guess is kept";
  return system + ": " + report.reason;
}

}  // namespace

Report Sequence::solve(Problem& problem, Monitor& monitor) {
  auto* sequence = dynamic_cast<LinearSystemSequence*>(&problem);
  if (sequence == nullptr)
    throw Unsupported("the method 'sequence' was given a problem of class '" +
                      std::string(problem.problem_class()) +
                      "'; it solves sequences of linear systems ('heat-sequence', ...)");
  tuned_.begin(sequence->context_range());
  InnerMonitor inner(monitor);
  Report total;
  total.status = Status::converged;
  monitor.begin_phase("solve");
  while (sequence->position() < sequence->size()) {
    const double context = sequence->context();
    const std::int64_t number = sequence->position();
    Report report = tuned_.solve(sequence->current(), context, inner);
    if (!report.converged()) {
      total.status = report.status;
      total.reason = why_unsolved(tuned_, report, number, context);
      tuned_.put_back_guess(sequence->current());
      break;
    }
    try {
      sequence->advance();
    } catch (const Error& e) {  // the next system cannot be had: what was solved is kept
      total.status = Status::breakdown;
      total.reason = "after system " + std::to_string(number) + ": " + e.what();
      break;
    }
    const std::vector<Sample> row = samples_of(tuned_, report, context);
    const Verdict verdict = monitor.observe(sequence->position(), row);
    if (verdict == Verdict::proceed || sequence->position() == sequence->size()) continue;
    total.status = status_of(verdict);
    total.reason = "stopped before system " + std::to_string(sequence->position()) + " of " +
                   std::to_string(sequence->size());
    break;
  }
  total.iterations = sequence->position();
  if (total.reason.empty())
    total.reason = std::to_string(sequence->size()) + " systems, " +
                   format_number(tuned_.mean_cost()) + " " + tuned_.options().cost +
                   " each in the mean";
  total.measures = sequence->verify();
  tuned_.summarise(total);
  return total;
}

void Sequence::restore(const StateSource& state, const Problem& problem) {
  const auto* sequence = dynamic_cast<const LinearSystemSequence*>(&problem);
  if (sequence == nullptr) throw DataError("the stored state is that of a sequence of systems");
  tuned_.restore(state, sequence->current());
}

Report Tuned::solve(LinearSystem& system, Monitor& monitor) {
  Report report = tuned_.solve(system, context_, monitor);
  if (!monitor.wants_text()) return report;
  report.metrics.push_back({"tuned_value", tuned_.value(), ""});
  report.notes.push_back("'" + tuned_.options().parameter + "' was " + tuned_.value_text() +
                         ", chosen by '" + tuned_.options().tuner.name + "'");
  return report;
}

}  // namespace tuning
