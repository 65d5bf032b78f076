#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/registry.hpp>

namespace newton_cg {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct NewtonCgOptions {
  double tolerance = 1e-8;
  double relative_tolerance = 1e-5;
  std::int64_t max_iterations = 100;
  std::int64_t max_cg = 500;
  double largest_forcing = 0.5;

  static void describe(Fields<NewtonCgOptions>& f);
};

/// min f(x) without constraints: x+ = x + alpha d, H d = -g by conjugate gradients in the inner product
/// that the program offers, alpha by Armijo's rule (README.md). Needs products with the Hessian, no
/// entries. Twelve vectors.
class NewtonCg final : public ProgramSolver {
 public:
  using Options = NewtonCgOptions;
  NewtonCg(const Options& options, const Context&) : options_(options) {}
  /// Unsupported for programs with constraints or bounds.
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;
  bool works_over_ranks() const override { return true; }

 private:
  Options options_;
};

}  // namespace newton_cg
