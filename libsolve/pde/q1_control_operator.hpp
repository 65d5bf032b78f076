#pragma once

#include <libsolve/core/linear_operator.hpp>
#include <libsolve/pde/q1_stencil.hpp>

namespace libsolve {

/// The conditions of optimality of Q1Control with the controls eliminated, symmetric and
/// indefinite:
///   (M, s K; s K, -W) (y, q) = (f, s g),   s = sqrt(alpha),  lambda = s q,  u = lambda / alpha,
/// W = M, or diagonal: the lumped mass matrix, with zeros where controls are fixed. Vectors hold
/// the inner nodes' y of the rank, then their q. On several ranks and on devices it keeps padded arrays
/// of scratch: one application at a time.
class LIBSOLVE_EXPORT Q1ControlOperator final : public LinearOperator {
 public:
  /// `diagonal`: W at the inner nodes, not copied; empty: W = M.
  Q1ControlOperator(const NodeGrid& grid, double control_cost,
                    const ConstVectorView& diagonal = {});
  ~Q1ControlOperator() override;

  const NodeGrid& grid() const noexcept { return grid_; }
  double control_cost() const noexcept { return control_cost_; }  ///< alpha
  /// Empty where W = M.
  const ConstVectorView& diagonal_of_W() const noexcept { return diagonal_; }

  const Partition& row_partition() const override { return partition_; }
  const Partition& column_partition() const override { return partition_; }
  void apply(const Vector& x, const Vector& y) const override;
  bool is_symmetric() const override { return true; }
  std::string description() const override;
  double bytes_per_apply() const override;
  double memory_bytes() const override;

 private:
  template <int D, bool Diagonal>
  void apply_as(const ConstVectorView& x, const VectorView& y) const;

  NodeGrid grid_;
  double control_cost_;
  ConstVectorView diagonal_;
  Partition partition_;
  VectorView y_, q_;
  VectorView inside_;  ///< both parts, where the grid has a mask
};

}  // namespace libsolve
