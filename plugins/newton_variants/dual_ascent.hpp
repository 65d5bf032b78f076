#pragma once

#include "dense_functions.hpp"

namespace newton_variants {

struct DualAscentOptions {
  double tolerance = 1e-6;
  int max_iterations = 1000;
  double penalty = 10.0;
  double step = 1.0;
  int max_inner_iterations = 200;
  int max_size = 2000;
  static void describe(Fields<DualAscentOptions>& f);
};

/// "dual-ascent", for c(x) = 0:
///   x <- argmin f + lambda^T c + penalty/2 |c|^2,   lambda <- lambda + t c(x),
/// t = penalty (Hestenes), or, with penalty = 0 and f strongly convex, t = step (Uzawa). The
/// minimisation is by Newton's method with the absolute values of eigenvalues and Armijo's rule.
/// Linear convergence at the rate 1 / penalty; one that ends with growing violation says stagnated.
class DualAscent final : public ProgramSolver {
 public:
  using Options = DualAscentOptions;
  DualAscent(const Options& options, const Context&) : options_(options) {}
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;

 private:
  Options options_;
};

}  // namespace newton_variants
