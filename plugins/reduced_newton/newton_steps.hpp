#pragma once

#include <libsolve/core/monitor.hpp>

#include "curvature_pairs.hpp"
#include "reduced_problem.hpp"

namespace reduced_newton {

/// Where Newton's method on one grid is.
struct Iterate {
  Vector m, y, p, g;
  double objective = 0.0;
  double gradient_norm = 0.0;
};

/// How it ended.
struct NewtonOutcome {
  Status status = Status::max_iterations;
  std::string reason;
  double first_gradient_norm = 0.0;
};

/// Newton's method with truncated conjugate gradients and Armijo's rule on one grid.
class NewtonSteps {
 public:
  NewtonSteps(ReducedProblem& problem, const ReducedNewtonOptions& options, CurvaturePairs& pairs,
              Monitor& monitor);
  /// From `at` (m, and guesses of y and p) until the gradient is at most tolerance * reference;
  /// reference 0: that of the first one. `iteration` counts on.
  NewtonOutcome run(Iterate& at, double tolerance, double reference, std::int64_t& iteration);

 private:
  /// Steihaug's method: H d = -g to |residual| <= forcing |g|, to the boundary of positive curvature
  /// at most; w follows d. Returns g^T d.
  double direction(const Iterate& at, double forcing, bool gauss_newton, const Vector& d,
                   const Vector& w);
  void derivatives(Iterate& at);
  bool line_search(Iterate& at, const Vector& d, const Vector& w, double slope);

  ReducedProblem& problem_;
  const ReducedNewtonOptions& options_;
  CurvaturePairs& pairs_;
  Monitor& monitor_;
  Vector d_, w_, r_, z_, q_, v_, trial_m_, Hv_;
  Vector wv_, trial_y_;
  std::int64_t cg_ = 0;  ///< of the last direction
};

}  // namespace reduced_newton
