#pragma once

#include <cmath>
#include <libsolve/pde/node_grid.hpp>
#include <numbers>
#include <vector>

#include <tests/support/vectors.hpp>

namespace libsolve::test {

/// f(x, y, z) at the inner nodes of a rank; unused coordinates are 0.
template <class F>
Vector at_nodes(const NodeGrid& grid, const F& f) {
  const NodeRows& r = grid.rows();
  std::vector<double> values;
  for (Index k = 0; k < r.n[2]; ++k)
    for (Index j = 0; j < r.n[1]; ++j)
      for (Index i = 0; i < r.n[0]; ++i)
        values.push_back(f(grid.coordinate(0, i + r.begin[0]),
                           grid.dimension() > 1 ? grid.coordinate(1, j + r.begin[1]) : 0.0,
                           grid.dimension() > 2 ? grid.coordinate(2, k + r.begin[2]) : 0.0));
  const Vector v("test::nodes", grid.partition());
  assign(v, values);
  return v;
}

/// sin(pi x) sin(pi y) sin(pi z) over the axes that there are.
inline Vector sine_mode(const NodeGrid& grid) {
  const auto factor = [&](int axis, double x) {
    return axis < grid.dimension() ? std::sin(std::numbers::pi * x) : 1.0;
  };
  return at_nodes(grid, [&](double x, double y, double z) {
    return factor(0, x) * factor(1, y) * factor(2, z);
  });
}

}  // namespace libsolve::test
