#pragma once

#include <libsolve/core/linear_operator.hpp>

#include "torus.hpp"

namespace advection {

/// C y = y + dt div(y u), or its transpose. The velocity is set anew for each step, so that a solver
/// prepared once keeps its work vectors: what preconditioners may ask for beside products, the
/// diagonal, is 1 for each velocity.
class TransportOperator final : public LinearOperator {
 public:
  TransportOperator(const Torus& torus, const Partition& cells, double dt, bool is_transposed)
      : torus_(torus), cells_(cells), dt_(dt), is_transposed_(is_transposed) {}
  /// Of two components one after the other, in memory that kernels see.
  void set_velocity(const double* u) { u_ = u; }

  const Partition& row_partition() const override { return cells_; }
  const Partition& column_partition() const override { return cells_; }
  void apply(const Vector& x, const Vector& y) const override;
  void apply_adjoint(const Vector& x, const Vector& y) const override;
  bool diagonal(const Vector& d) const override;
  bool is_symmetric() const override { return false; }
  std::string description() const override;

 private:
  void product(const Vector& x, const Vector& y, bool transposed) const;

  Torus torus_;
  Partition cells_;
  double dt_;
  bool is_transposed_;
  const double* u_ = nullptr;
};

}  // namespace advection
