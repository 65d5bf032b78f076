#pragma once

#include "newton_system.hpp"
#include "symmetric_factors.hpp"

namespace sketch_newton {

/// K = [H + diag(d) + dw I, J^T; J, -dc I], lower triangle, with the patterns of a Form. Variables
/// may be held: their rows and columns are those of the identity.
class KktSystem final : public NewtonSystem {
 public:
  enum class By { factors, minres };
  /// By MINRES with the diagonal (its absolute values) instead of factors: for comparison, as
  /// inertia stays unknown.
  KktSystem(const Form& form, std::size_t dense_limit, By by = By::factors);

  void set(In hessian, In jacobian, In d) override;
  /// Which variables are held; empty: none.
  void hold(const std::vector<char>& held) { held_ = held; }
  bool factor(double dw, double dc) override;
  bool has_right_inertia() const override;
  bool is_singular() const override { return by_ == By::factors && factors_->inertia().zero > 0; }
  /// By the factors and, around them, flexible GMRES on K itself.
  double solve(In b, Numbers& x) override;

 private:
  void multiply(In x, Out y) const;

  std::size_t n_, m_;
  bool dense_;
  By by_;
  SymmetricEntries K_;
  std::vector<std::size_t> h_at_, j_at_, diagonal_at_;
  Numbers base_;  ///< values without the shifts
  std::vector<char> held_;
  std::unique_ptr<SymmetricFactors> factors_;
};

}  // namespace sketch_newton
