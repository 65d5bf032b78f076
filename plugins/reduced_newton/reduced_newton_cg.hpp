#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/registry.hpp>

namespace reduced_newton {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct ReducedNewtonOptions {
  double relative_tolerance = 1e-8;
  std::int64_t max_iterations = 50;
  double state_tolerance = 1e-9;
  double incremental_tolerance = 1e-4;
  int coarse_grids = 2;
  double coarse_tolerance = 1e-4;
  double full_newton = 0.01;
  std::string forcing = "quadratic";
  double largest_forcing = 0.5;
  int pairs = 500;
  double prior_shift = 0.1;
  ComponentSpec preconditioner = "multigrid";

  static void describe(Fields<ReducedNewtonOptions>& f);
};

/// Newton's method for ParameterEstimation in m alone, states and adjoints eliminated by linear
/// solves (README.md). Converged: the reduced gradient, in the dual norm of L2, is at most
/// relative_tolerance times that at the start, with states and adjoints solved to state_tolerance,
/// all recomputed at the end from the program's functions.
class ReducedNewtonCg final : public ProgramSolver {
 public:
  using Options = ReducedNewtonOptions;
  ReducedNewtonCg(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  /// Unsupported for a program without ParameterEstimation, or with bounds.
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;
  bool works_over_ranks() const override { return true; }

 private:
  Options options_;
  Context context_;
};

}  // namespace reduced_newton
