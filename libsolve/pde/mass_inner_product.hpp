#pragma once

#include <libsolve/optimize/inner_product.hpp>
#include <libsolve/pde/q1_operator.hpp>

namespace libsolve {

/// L2 on a grid of nodes for vectors of `fields` functions one after the other: weight times the Q1
/// mass matrix (or the lumped one) for each. riesz() runs conjugate gradients with the (constant)
/// diagonal: D^-1 M has its spectrum in [1/2, 3/2]^d up to scale (Wathen, Realistic eigenvalue
/// bounds for the Galerkin mass matrix, IMA J. Numer. Anal. 7, 1987), so their number does not
/// depend on the grid, about 20 to 40.
class LIBSOLVE_EXPORT MassInnerProduct final : public InnerProduct {
 public:
  explicit MassInnerProduct(const NodeGrid& grid, int fields = 1, bool lumped = false,
                            double weight = 1.0);
  ~MassInnerProduct() override;

  const Partition& partition() const override { return partition_; }
  void apply(const Vector& x, const Vector& y) const override;
  void riesz(const Vector& g, const Vector& z) const override;

 private:
  Vector part(const Vector& x, int field) const;
  int solve(const Vector& b, const Vector& x) const;

  Q1Operator M_;
  int fields_;
  bool lumped_;
  Partition partition_;
};

}  // namespace libsolve
