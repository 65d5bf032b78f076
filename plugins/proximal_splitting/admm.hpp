#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/core/resumable.hpp>
#include <libsolve/optimize/composite_functions.hpp>
#include <libsolve/plugin/registry.hpp>

namespace proximal_splitting {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct AdmmOptions {
  double tolerance = 1e-6;
  std::int64_t max_iterations = 500;
  double penalty = 1.0;
  double relaxation = 1.6;
  std::int64_t penalty_changes = 20;
  ComponentSpec solver = "newton-cg";

  static void describe(Fields<AdmmOptions>& f);
};

/// min f(x) + weight R(z), x = z, z in bounds: alternating directions (README.md). The step in x is a
/// smooth program of its own, for any method by name; that in z one proximal operator, or what stands
/// in for it (plug and play). Ten vectors, and those of both steps. Goes on to the same digits after a stop,
/// but for what R keeps of its last application.
class Admm final : public CompositeSolver, public Resumable {
 public:
  using Options = AdmmOptions;
  Admm(const Options& options, const Context& context) : options_(options), context_(context) {}
  /// Unsupported for programs with constraints.
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;
  bool works_over_ranks() const override { return true; }
  std::vector<Field> state() const override;
  void restore(const StateSource& state, const Problem& problem) override;

  /// Where the iteration stands; the program's x is z.
  struct Position {
    double iterations = 0.0;
    double rho = 0.0;
    double changes = 0.0;    ///< of rho
    double last_step = 0.0;  ///< |z+ - z|
    double curvature = 1.0;  ///< of f along f' at the start
    double recheck_below = 0.0;  ///< cheap residual from which the real one is looked at
    Vector x = {};
    Vector u = {};  ///< multipliers of x = z over rho
  };

 private:
  Options options_;
  Context context_;
  std::optional<Position> position_;  ///< of the solve that runs or was stopped
  std::optional<Position> resumed_;   ///< to be taken up by the next one
};

}  // namespace proximal_splitting
