#include "line_space.hpp"

namespace burgers_control {

namespace {

struct StackedProduct {
  Line line;
  double weight;
  const double* x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index k) const {
    const Index row = k / line.n * line.n;
    y[k] = weight * line.mass(x + row, k - row);
  }
};

/// factor (1, 4, 1) z = g, function by function.
struct StackedSolve {
  Index n;
  double factor;
  const double *pivots, *g;
  double* z;
  KOKKOS_FUNCTION void operator()(Index f) const {
    const double* const b = g + f * n;
    double* const x = z + f * n;
    x[0] = b[0];
    for (Index i = 1; i < n; ++i) x[i] = b[i] - x[i - 1] / pivots[i - 1];
    x[n - 1] /= pivots[n - 1];
    for (Index i = n - 2; i >= 0; --i) x[i] = (x[i] - x[i + 1]) / pivots[i];
    for (Index i = 0; i < n; ++i) x[i] /= factor;
  }
};

}  // namespace

LineSpace::LineSpace(const Line& line, int stack, double weight)
    : line_(line),
      stack_(stack),
      weight_(weight),
      partition_(GlobalIndex{line.n} * stack),
      pivots_("burgers_control::pivots", static_cast<std::size_t>(line.n)) {
  const auto pivots = Kokkos::create_mirror_view(pivots_);
  for (std::size_t i = 0; i < pivots.extent(0); ++i)
    pivots(i) = i == 0 ? 4.0 : 4.0 - 1.0 / pivots(i - 1);
  Kokkos::deep_copy(pivots_, pivots);
}

void LineSpace::apply(const Vector& x, const Vector& y) const {
  for_rows(default_space(), "burgers_control::mass", x.local_size(),
           StackedProduct{line_, weight_, x.data(), y.data()});
  Kokkos::fence("burgers_control::mass");
}

void LineSpace::riesz(const Vector& g, const Vector& z) const {
  Kokkos::parallel_for("burgers_control::riesz", range_policy(Index{stack_}),
                       StackedSolve{line_.n, weight_ * line_.h / 6.0, pivots_.data(), g.data(), z.data()});
  Kokkos::fence("burgers_control::riesz");
}

}  // namespace burgers_control
