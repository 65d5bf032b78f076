#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/core/resumable.hpp>
#include <libsolve/optimize/composite_functions.hpp>
#include <libsolve/plugin/registry.hpp>

namespace proximal_splitting {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct FistaOptions {
  double tolerance = 1e-6;
  std::int64_t max_iterations = 2000;
  double step_growth = 2.0;
  bool restart = true;

  static void describe(Fields<FistaOptions>& f);
};

/// min f(x) + weight R(x) in bounds: proximal gradient steps with momentum and backtracking (README.md).
/// Products with Hessians are not used. Seven vectors, and those of R. Goes on to the same digits after a
/// stop, but for what R keeps of its last application.
class Fista final : public CompositeSolver, public Resumable {
 public:
  using Options = FistaOptions;
  Fista(const Options& options, const Context&) : options_(options) {}
  /// Unsupported for programs with constraints.
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;
  bool works_over_ranks() const override { return true; }
  std::vector<Field> state() const override;
  void restore(const StateSource& state, const Problem& problem) override;

  /// Where the iteration stands: y the point to step from, L the curvature found, theta of the momentum.
  struct Position {
    double iterations = 0.0;
    double L = 0.0;
    double theta = 1.0;
    double last_step = 0.0;  ///< |x+ - y|
    double curvature = 1.0;  ///< of f along f' at the start
    double recheck_below = 0.0;  ///< residual at y from which that of x+ is looked at
    Vector y = {};
  };

 private:
  Options options_;
  std::optional<Position> position_;  ///< of the solve that runs or was stopped
  std::optional<Position> resumed_;   ///< to be taken up by the next one
};

}  // namespace proximal_splitting
