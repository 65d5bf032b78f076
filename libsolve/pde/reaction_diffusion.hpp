#pragma once

#include <libsolve/pde/theta_scheme.hpp>
#include <libsolve/pde/time_system.hpp>

namespace libsolve {

/// u' = -A u - r(u), A symmetric positive semidefinite: what ThetaScheme takes its steps for, left to
/// an integrator. Stiff: -A u; mild: -r(u).
class LIBSOLVE_EXPORT ReactionDiffusion final : public TimeSystem {
 public:
  /// ShapeError where A is not symmetric.
  ReactionDiffusion(std::shared_ptr<const LinearOperator> A, const CubicReaction& reaction);
  const Partition& partition() const override { return A_->row_partition(); }
  bool is_linear() const override { return reaction_.is_linear(); }
  void rate(double t, const Vector& u, const Vector& out) override;
  void apply_jacobian(double t, const Vector& u, const Vector& v, const Vector& out) override;
  void apply_jacobian_adjoint(double t, const Vector& u, const Vector& p,
                              const Vector& out) override {
    apply_jacobian(t, u, p, out);
  }
  void add_second_derivative(double t, const Vector& u, const Vector& v, const Vector& p,
                             const Vector& out) override;
  bool is_split() const override;
  void stiff_rate(double t, const Vector& u, const Vector& out) override;
  void mild_rate(double t, const Vector& u, const Vector& out) override;
  bool stiff_part_is_linear() const override { return true; }
  /// -A, and the linear part of the reaction where it damps.
  NewtonMatrix newton_matrix(double t, const Vector& u) override;

 private:
  std::shared_ptr<const LinearOperator> A_;
  CubicReaction reaction_;
};

}  // namespace libsolve
