#pragma once

#include "dense_functions.hpp"

namespace newton_variants {

struct GradientNormalizedOptions {
  double tolerance = 1e-6;
  int max_iterations = 1000;
  std::string hessian = "exact";
  double gamma = 1.0;
  int max_size = 2000;
  static void describe(Fields<GradientNormalizedOptions>& f);
};

/// "gradient-normalized-newton", Algorithm 1 of the paper with adaptive gamma:
///   x+ = x - (B + |g| / gamma I)^-1 g,   B the Hessian or an approximation;
/// gamma is halved until f(x) - f(x+) >= |g(x+)|^2 gamma / (8 |g|), and doubled after each step.
class GradientNormalizedNewton final : public ProgramSolver {
 public:
  using Options = GradientNormalizedOptions;
  GradientNormalizedNewton(const Options& options, const Context&) : options_(options) {}
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;

 private:
  Options options_;
};

struct SaddleFreeOptions {
  double tolerance = 1e-6;
  int max_iterations = 1000;
  double least_eigenvalue = 1e-8;
  int max_size = 2000;
  static void describe(Fields<SaddleFreeOptions>& f);
};

/// "saddle-free-newton": x+ = x - alpha |H|^-1 g, |H| with the absolute values of H's eigenvalues,
/// alpha by Armijo's rule. At a saddle, where g = 0, it leaves along the eigenvector of the lowest
/// eigenvalue. Differs from the paper, which has no line search and stays at saddles it meets
/// exactly.
class SaddleFreeNewton final : public ProgramSolver {
 public:
  using Options = SaddleFreeOptions;
  SaddleFreeNewton(const Options& options, const Context&) : options_(options) {}
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;

 private:
  Options options_;
};

}  // namespace newton_variants
