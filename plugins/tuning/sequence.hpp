#pragma once

#include <libsolve/core/tunable.hpp>
#include <libsolve/linear/sequence_solver.hpp>

#include "tuned_solve.hpp"

namespace tuning {

struct SequenceOptions : TuningOptions {
  SequenceOptions() { stop_by = "initial-residual"; }
  static void describe(Fields<SequenceOptions>& f) { describe_common(f); }
};

/// "sequence": solves the systems of a sequence one after the other by a TunedSolve.
class Sequence final : public SequenceSolver, public Resumable {
 public:
  using Options = SequenceOptions;
  Sequence(const Options& options, const Context& context) : tuned_(options, context) {}

  Report solve(Problem& problem, Monitor& monitor) override;
  Report solve_next(LinearSystem& system, double context, Monitor& monitor) override {
    return tuned_.solve(system, context, monitor);
  }
  using SequenceSolver::solve_next;

  std::vector<Field> state() const override { return tuned_.state(); }
  void restore(const StateSource& state, const Problem& problem) override;

 private:
  TunedSolve tuned_;
};

struct TunedOptions : TuningOptions {
  static void describe(Fields<TunedOptions>& f) { describe_common(f); }
};

/// "tuned": a TunedSolve as a linear solver, for programs that solve one system after the other
/// with it: a time integrator, Newton's method. Every solve() is the next system; set_context() says
/// how it differs (the SUNDIALS adapter tells gamma of I - gamma J).
class Tuned final : public LinearSolver, public TakesContext, public Resumable {
 public:
  using Options = TunedOptions;
  Tuned(const Options& options, const Context& context) : tuned_(options, context) {}
  /// Nothing: the solver to be set up is chosen in solve().
  void setup(const LinearSystem&) override {}
  Report solve(LinearSystem& system, Monitor& monitor) override;
  using LinearSolver::solve;
  void set_context(double context) override { context_ = context; }

  std::vector<Field> state() const override { return tuned_.state(); }
  void restore(const StateSource& state, const Problem& problem) override {
    tuned_.restore(state, problem);
  }

 private:
  TunedSolve tuned_;
  double context_ = 0.0;
};

}  // namespace tuning
