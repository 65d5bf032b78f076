#pragma once

#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/registry.hpp>

namespace sketch_newton {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct AdaSketchOptions {
  double tolerance = 1e-4;
  int max_iterations = 10000;
  int max_inner_iterations = 100000;
  std::string sketch = "kaczmarz";
  std::string accuracy = "paper";
  double inner_tolerance = 0.1;
  double eta1 = 1.0, eta2 = 0.1, delta = 0.1, xi_b = 0.1, beta = 0.1, nu = 1.5, theta = 1.0;
  double start_multiplier = 0.0;
  int max_size = 700;
  static void describe(Fields<AdaSketchOptions>& f);
};

/// "adasketch-newton": Hong, Na, Mahoney, Kolar, Constrained Optimization via Exact Augmented
/// Lagrangian and Randomized Iterative Sketching, ICML 2023, Algorithm 1, for equality
/// constraints. See README.md.
class AdaSketchNewton final : public ProgramSolver {
 public:
  using Options = AdaSketchOptions;
  AdaSketchNewton(const Options& options, const Context& context)
      : options_(options), seed_(context.seed) {}
  /// Unsupported for bounds and inequalities, for programs without entries, and for more than
  /// max_size variables and constraints: the Newton matrix is dense here.
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;

 private:
  Options options_;
  std::uint64_t seed_;
};

}  // namespace sketch_newton
