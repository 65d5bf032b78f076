#pragma once

#include "lower_tracker.hpp"

namespace bilevel_baselines {

struct ImplicitDifferentiationOptions {
  double tolerance = 1e-6;
  std::int64_t max_iterations = 1000;
  int memory = 20;
  std::string solver = "auto";
  double solver_tolerance = 1e-11;
  int max_terms = 1000;
  ComponentSpec lower_solver = default_lower_solver();
  static void describe(Fields<ImplicitDifferentiationOptions>& f);
};

/// "implicit-differentiation": min Phi(x) = F(x, y(x)) over X by projected limited-memory BFGS, the
/// lower level solved at every x, the hypergradient by LowerSystem::hypergradient.
class ImplicitDifferentiation final : public BilevelSolver {
 public:
  using Options = ImplicitDifferentiationOptions;
  ImplicitDifferentiation(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  Report solve(BilevelProgram& problem, Monitor& monitor) override;
  using BilevelSolver::solve;

 private:
  Options options_;
  Context context_;
};

}  // namespace bilevel_baselines
