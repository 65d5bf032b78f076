#include <cmath>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/mass_inner_product.hpp>

namespace libsolve {

namespace {

constexpr double solved_to = 1e-15;
constexpr int most_steps = 200;

}  // namespace

MassInnerProduct::MassInnerProduct(const NodeGrid& grid, int fields, bool lumped, double weight)
    : M_(grid, weight * (lumped ? q1_lumped_mass(grid) : q1_mass(grid))),
      fields_(fields),
      lumped_(lumped),
      partition_(grid.communicator().size() == 1
                     ? Partition(fields * grid.partition().global_size())
                     : Partition(grid.communicator(), fields * grid.partition().local_size())) {}
MassInnerProduct::~MassInnerProduct() = default;

Vector MassInnerProduct::part(const Vector& x, int field) const {
  const auto n = static_cast<std::size_t>(M_.grid().partition().local_size());
  const auto begin = static_cast<std::size_t>(field) * n;
  return {VectorView(Kokkos::subview(x.view(), std::make_pair(begin, begin + n))),
          M_.grid().partition()};
}

void MassInnerProduct::apply(const Vector& x, const Vector& y) const {
  for (int f = 0; f < fields_; ++f) M_.apply(part(x, f), part(y, f));
}

void MassInnerProduct::riesz(const Vector& g, const Vector& z) const {
  for (int f = 0; f < fields_; ++f) {
    const Vector b = part(g, f), x = part(z, f);
    axpby(1.0 / M_.weights().centre(), b, 0.0, x);
    if (!lumped_) solve(b, x);
  }
}

/// Conjugate gradients on a matrix with a constant diagonal, from the x given.
int MassInnerProduct::solve(const Vector& b, const Vector& x) const {
  const Vector r = b.like("mass_inner_product::r"), p = b.like("mass_inner_product::p"),
               q = b.like("mass_inner_product::q");
  M_.apply(x, r);
  axpby(1.0, b, -1.0, r);
  copy(r, p);
  double squared = libsolve::dot(r, r);
  const double enough = solved_to * solved_to * libsolve::dot(b, b);
  int steps = 0;
  for (; steps < most_steps && squared > enough; ++steps) {
    M_.apply(p, q);
    const double curvature = libsolve::dot(p, q);
    if (!(curvature > 0.0)) break;  // rounding, or NaN
    const double before = squared;
    squared = cg_update(squared / curvature, p, q, x, r);
    axpby(1.0, r, squared / before, p);
  }
  return steps;
}

}  // namespace libsolve
