#pragma once

#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/optimize/inner_product.hpp>

namespace libsolve {

/// factor (x, y) with the Euclidean product: L2 of functions by values at the nodes of a uniform grid.
class ScaledProduct final : public InnerProduct {
 public:
  ScaledProduct(const Partition& partition, double factor)
      : partition_(partition), factor_(factor) {}
  const Partition& partition() const override { return partition_; }
  void apply(const Vector& x, const Vector& y) const override { axpby(factor_, x, 0.0, y); }
  void riesz(const Vector& g, const Vector& z) const override { axpby(1.0 / factor_, g, 0.0, z); }

 private:
  Partition partition_;
  double factor_;
};

}  // namespace libsolve
