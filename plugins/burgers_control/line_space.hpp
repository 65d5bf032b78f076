#pragma once

#include <libsolve/optimize/inner_product.hpp>

#include "line.hpp"

namespace burgers_control {

/// weight times the mass matrix for each of `stack` functions, one after the other. riesz() solves a
/// tridiagonal system for each, a thread a function: exact, in two passes (conjugate gradients as of
/// MassInnerProduct would take longer than a run of the equation).
class LineSpace final : public InnerProduct {
 public:
  LineSpace(const Line& line, int stack, double weight);

  const Partition& partition() const override { return partition_; }
  void apply(const Vector& x, const Vector& y) const override;
  void riesz(const Vector& g, const Vector& z) const override;

 private:
  Line line_;
  int stack_;
  double weight_;
  Partition partition_;
  VectorView pivots_;  ///< of (1, 4, 1)
};

}  // namespace burgers_control
