#pragma once

#include <cstdint>
#include <functional>

#include "form.hpp"

namespace sketch_newton {

/// The Newton matrix K = [H + diag(d) + dw I, G^T; G, -dc I] of a Form, and solves with it.
class NewtonSystem {
 public:
  virtual ~NewtonSystem() = default;
  /// Values by the form's patterns; d: n.
  virtual void set(In hessian, In jacobian, In d) = 0;
  /// Prepares for these shifts; false where that is not possible.
  virtual bool factor(double dw, double dc) = 0;
  /// As many positive eigenvalues as variables, as many negative ones as equations; true where the
  /// system cannot know.
  virtual bool has_right_inertia() const = 0;
  virtual bool is_singular() const { return false; }
  /// Solves K x = b. Returns the relative residual in the maximum norm.
  virtual double solve(In b, Numbers& x) = 0;

  /// Asked now and then in long work; true ends it: factor() says false, solve() returns what it
  /// has.
  std::function<bool()> stop = {};
  std::int64_t num_factorisations = 0;
  std::int64_t num_solves = 0;  ///< with factors, or applications of a preconditioner
  double flops = 0.0;           ///< of factorisations, or of iterations
};

}  // namespace sketch_newton
