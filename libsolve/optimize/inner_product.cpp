#include <cmath>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/optimize/inner_product.hpp>

namespace libsolve {

InnerProduct::~InnerProduct() = default;

double InnerProduct::dot(const Vector& x, const Vector& y) const {
  const Vector Mx = x.like("inner_product::product");
  apply(x, Mx);
  return libsolve::dot(Mx, y);
}

double InnerProduct::norm(const Vector& x) const {
  return std::sqrt(dot(x, x));
}

double InnerProduct::dual_norm(const Vector& g) const {
  const Vector z = g.like("inner_product::representative");
  riesz(g, z);
  return std::sqrt(libsolve::dot(g, z));
}

}  // namespace libsolve
