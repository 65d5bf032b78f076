#pragma once

#include <libsolve/core/linear_operator.hpp>
#include <libsolve/linear/operator_forms.hpp>
#include <libsolve/pde/q1_stencil.hpp>

namespace libsolve {

/// A symmetric Q1 matrix with constant coefficients on the inner nodes of a grid (zero boundary
/// values), matrix-free: a combination of mass, stiffness and lumped mass matrix, such as
///   Q1Operator(grid, q1_mass(grid) + sqrt_alpha * q1_stiffness(grid)).
/// On several ranks and on devices it keeps a padded array of scratch: one
/// application at a time.
class LIBSOLVE_EXPORT Q1Operator final : public LinearOperator, public OperatorForms {
 public:
  Q1Operator(const NodeGrid& grid, const Q1Weights& weights);
  ~Q1Operator() override;

  const NodeGrid& grid() const noexcept { return grid_; }
  const Q1Weights& weights() const noexcept { return weights_; }

  /// y (vector) = A x for a padded x whose neighbours' layers and boundary values are in place:
  /// with boundary values not zero this is A x + A_IB x_B. Masks of the grid are not looked at.
  void apply_padded(const ConstVectorView& x, const VectorView& y) const;

  /// In compressed rows. Collective.
  std::shared_ptr<CsrMatrix> assemble() const;
  std::shared_ptr<const CsrMatrix> entries() const override { return assemble(); }
  /// The (2 D + 1)-point stencil S that agrees on 1 and x_a^2 or, where its couplings would be
  /// negative, has none. For combinations of M and K: A <= S <= 3^D A. Null where a rank has no
  /// inner nodes.
  std::shared_ptr<const StencilOperator> equivalent_stencil() const override;

  const Partition& row_partition() const override { return grid_.partition(); }
  const Partition& column_partition() const override { return grid_.partition(); }
  void apply(const Vector& x, const Vector& y) const override;
  /// The same on views of the inner nodes.
  void apply(const ConstVectorView& x, const VectorView& y) const;
  bool diagonal(const Vector& d) const override;
  bool is_symmetric() const override { return true; }
  std::string description() const override;
  double bytes_per_apply() const override;
  double memory_bytes() const override;

 private:
  void apply_to_all(const ConstVectorView& x, const VectorView& y) const;

  NodeGrid grid_;
  Q1Weights weights_;
  VectorView scratch_;
  VectorView inside_;  ///< where the grid has a mask
};

}  // namespace libsolve
