#pragma once

#include <libsolve/core/linear_operator.hpp>
#include <libsolve/core/vector.hpp>
#include <memory>

namespace libsolve {

/// y' = f(t, y), n equations of a differential equation discretised in space, for integrators that choose
/// their steps by themselves (TimeIntegrator). J = df/dy. Vectors of a call do not alias; outputs are
/// overwritten unless a name says add_; what cannot be evaluated is NaN. On several ranks every call is
/// collective.
class LIBSOLVE_EXPORT TimeSystem {
 public:
  virtual ~TimeSystem();

  virtual const Partition& partition() const = 0;  ///< of y
  /// f is affine in y: J does not depend on y, and the functions below do not look at it.
  virtual bool is_linear() const = 0;

  /// out = f(t, y).
  virtual void rate(double t, const Vector& y, const Vector& out) = 0;
  /// out = J v, out = J^T p.
  virtual void apply_jacobian(double t, const Vector& y, const Vector& v, const Vector& out) = 0;
  virtual void apply_jacobian_adjoint(double t, const Vector& y, const Vector& p,
                                      const Vector& out) = 0;
  /// out += d/dy (p^T J v). The default does nothing: for is_linear().
  virtual void add_second_derivative(double t, const Vector& y, const Vector& v, const Vector& p,
                                     const Vector& out);

  /// f = stiff + mild, for integrators that take the mild part explicitly. The default: all is stiff.
  virtual bool is_split() const { return false; }
  virtual void stiff_rate(double t, const Vector& y, const Vector& out) { rate(t, y, out); }
  /// Asked for where is_split() only.
  virtual void mild_rate(double t, const Vector& y, const Vector& out);
  virtual bool stiff_part_is_linear() const { return is_linear(); }

  /// factor L + shift I, close enough to the stiff part's J for Newton's method, in each of num_blocks()
  /// equal parts of y.
  struct NewtonMatrix {
    std::shared_ptr<const LinearOperator> L;
    double factor = -1.0;
    double shift = 0.0;
  };
  virtual NewtonMatrix newton_matrix(double t, const Vector& y) = 0;
  virtual int num_blocks() const { return 1; }
  /// Of one block.
  virtual const Partition& block_partition() const { return partition(); }
};

/// Block k of v, a vector of equal blocks of partition `block` on each rank; shares the data.
LIBSOLVE_EXPORT Vector block_of(const Vector& v, const Partition& block, int k);

/// p' = J(T - s)^T p, s = T - t: the adjoint of a linear system, as a system that runs forward.
/// Throws Unsupported from newton_matrix() where its L is not symmetric.
class LIBSOLVE_EXPORT AdjointSystem final : public TimeSystem {
 public:
  /// ShapeError for a system that is not linear.
  AdjointSystem(std::shared_ptr<TimeSystem> system, double final_time);
  const Partition& partition() const override { return system_->partition(); }
  bool is_linear() const override { return true; }
  void rate(double s, const Vector& p, const Vector& out) override;
  void apply_jacobian(double s, const Vector&, const Vector& v, const Vector& out) override;
  void apply_jacobian_adjoint(double s, const Vector&, const Vector& v, const Vector& out) override;
  NewtonMatrix newton_matrix(double s, const Vector& p) override;
  int num_blocks() const override { return system_->num_blocks(); }
  const Partition& block_partition() const override { return system_->block_partition(); }

 private:
  std::shared_ptr<TimeSystem> system_;
  double final_time_;
};

/// v' = J v for a linear system; (y, v)' = (f(t, y), J v) for others, whose adjoint gives derivatives of
/// second order: from (g''(y_T) v_T, g'(y_T)) it comes to (w, p), p the gradient of g(y_T) with respect
/// to y_0 and w the product of its Hessian with v_0.
class LIBSOLVE_EXPORT TangentSystem final : public TimeSystem {
 public:
  explicit TangentSystem(std::shared_ptr<TimeSystem> system);
  const Partition& partition() const override { return partition_; }
  bool is_linear() const override { return system_->is_linear(); }
  void rate(double t, const Vector& pair, const Vector& out) override;
  /// Unsupported for a pair.
  void apply_jacobian(double t, const Vector& at, const Vector& v, const Vector& out) override;
  void apply_jacobian_adjoint(double t, const Vector& at, const Vector& p,
                              const Vector& out) override;
  NewtonMatrix newton_matrix(double t, const Vector& pair) override;
  int num_blocks() const override { return (is_linear() ? 1 : 2) * system_->num_blocks(); }
  const Partition& block_partition() const override { return system_->block_partition(); }

 private:
  Vector half(const Vector& pair, int which) const;

  std::shared_ptr<TimeSystem> system_;
  Partition partition_;
  Vector term_;
};

}  // namespace libsolve
