#pragma once

#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/registry.hpp>

#include "basis_network.hpp"

namespace hard_constraint_experts {

struct HardConstraintExpertsOptions {
  std::string basis = "network";
  std::string weights = "diffusion-sorption-experts";
  std::vector<int> degrees = {3, 3};
  ExpertOptions experts = {};
  double tolerance = 1e-8;
  int newton_steps = 0;
  bool reference = false;

  static void describe(Fields<HardConstraintExpertsOptions>& f);
  static void check(const HardConstraintExpertsOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// PI-HC-MoE (README.md): basis functions on the space-time grid from a trained network, weights
/// for each box of the grid by least squares of the equations there (Experts). What comes out
/// fulfils the equations in the mean only; "converged" is said where Newton steps for all times at
/// once make up for it (`newton_steps`). For programs of the source diffusion-sorption.
class HardConstraintExperts final : public ProgramSolver {
 public:
  using Options = HardConstraintExpertsOptions;
  HardConstraintExperts(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  /// Unsupported for other programs; InputError for weights that are not of this method, and for
  /// a basis or experts that are too large for the grid.
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;

 private:
  Options options_;
  Context context_;
};

struct ImplicitTimeSteppingOptions {
  double tolerance = 1e-10;
  int newton_steps = 50;

  static void describe(Fields<ImplicitTimeSteppingOptions>& f) {
    using O = ImplicitTimeSteppingOptions;
    f.add("tolerance", &O::tolerance, Range::above(0.0),
          "largest entry of the residual of a time step");
    f.add("newton_steps", &O::newton_steps, Range::at_least(1), "at most, in a time step");
  }
};

/// The same equations one time step after the other, each by Newton's method with a tridiagonal
/// matrix. An iteration is a time step; the times solved are kept however it ends. Where rounding
/// is above the tolerance (it grows like size^2) all is solved to rounding, and said to be
/// stagnated.
class ImplicitTimeStepping final : public ProgramSolver {
 public:
  using Options = ImplicitTimeSteppingOptions;
  ImplicitTimeStepping(const Options& options, const Context&) : options_(options) {}
  /// Unsupported for other programs than those of the source diffusion-sorption.
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;

 private:
  Options options_;
};

}  // namespace hard_constraint_experts
