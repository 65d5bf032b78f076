#pragma once

#include "form.hpp"
#include "symmetric_factors.hpp"

namespace sketch_newton {

/// K = [H + diag(d) + dw I, J^T; J, -dc I], lower triangle, with the patterns of a Form. Variables
/// may be held: their rows and columns are those of the identity.
class KktSystem {
 public:
  KktSystem(const Form& form, std::size_t dense_limit);

  /// Values by the form's patterns; d: n.
  void set(In hessian, In jacobian, In d);
  /// Which variables are held; empty: none.
  void hold(const std::vector<char>& held) { held_ = held; }
  /// Factors with these shifts; false where there are no factors.
  bool factor(double dw, double dc);
  /// As many positive eigenvalues as variables, as many negative ones as equations.
  bool has_right_inertia() const;
  bool is_singular() const { return factors_->inertia().zero > 0; }
  /// Solves K x = b by the factors and, around them, flexible GMRES on K itself. Returns the
  /// relative residual in the maximum norm.
  double solve(In b, Numbers& x);

  std::int64_t num_factorisations = 0;
  std::int64_t num_solves = 0;  ///< with the factors
  double flops = 0.0;           ///< of factorisations
  bool is_dense() const { return dense_; }

 private:
  void multiply(In x, Out y) const;

  std::size_t n_, m_;
  bool dense_;
  SymmetricEntries K_;
  std::vector<std::size_t> h_at_, j_at_, diagonal_at_;
  Numbers base_;  ///< values without the shifts
  std::vector<char> held_;
  std::unique_ptr<SymmetricFactors> factors_;
};

}  // namespace sketch_newton
