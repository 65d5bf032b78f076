/// \file
/// Kernels of projections, for any execution space.
#pragma once

#include <libsolve/core/row_kernels.hpp>

namespace libsolve::detail {

/// Rows that go with a box; their multipliers travel to the kernels by value.
inline constexpr Index most_rows = 8;

/// v <- v within [low, high].
struct ClampRows {
  const double* low;
  const double* high;
  double* v;
  KOKKOS_FUNCTION void operator()(Index j) const {
    const double above = v[j] < low[j] ? low[j] : v[j];
    v[j] = above > high[j] ? high[j] : above;
  }
};

/// w <- v - sum_i multiplier_i a_i without row `skipped`; rows are stored one after the other.
struct MoveAlongRows {
  const double* v;
  const double* rows;
  double* w;
  double multipliers[most_rows];
  Index n, num_rows, skipped;
  KOKKOS_FUNCTION void operator()(Index j) const {
    double sum = v[j];
    for (Index i = 0; i < num_rows; ++i)
      if (i != skipped) sum -= multipliers[i] * rows[static_cast<GlobalIndex>(i) * n + j];
    w[j] = sum;
  }
};

/// p <- (w - mu a) within [low, high], 1 in `is_free` where strictly inside; sums: a . p, a . a
/// over the free ones, |p - v|^2, |p|^2.
struct ClampedRow {
  const double* w;
  const double* a;
  const double* v;
  const double* low;
  const double* high;
  double* p;
  double* is_free;
  double mu;
  KOKKOS_FUNCTION void operator()(Index j, double& row, double& slope, double& distance,
                                  double& size) const {
    const double t = w[j] - mu * a[j];
    const double above = t < low[j] ? low[j] : t;
    const double c = above > high[j] ? high[j] : above;
    const double inside = t > low[j] && t < high[j] ? 1.0 : 0.0;
    p[j] = c;
    is_free[j] = inside;
    row += a[j] * c;
    slope += inside * a[j] * a[j];
    distance += (c - v[j]) * (c - v[j]);
    size += c * c;
  }
};

/// sum a b weight.
struct WeightedProduct {
  const double* a;
  const double* b;
  const double* weight;
  KOKKOS_FUNCTION void operator()(Index j, double& sum) const { sum += a[j] * b[j] * weight[j]; }
};

struct Copy {
  const double* from;
  double* to;
  KOKKOS_FUNCTION void operator()(Index j) const { to[j] = from[j]; }
};

struct Product {
  const double* a;
  const double* b;
  KOKKOS_FUNCTION void operator()(Index j, double& sum) const { sum += a[j] * b[j]; }
};

/// t <- x - p
struct Without {
  const double* x;
  const double* p;
  double* t;
  KOKKOS_FUNCTION void operator()(Index j) const { t[j] = x[j] - p[j]; }
};

/// y = projection of x - p: p <- y - (x - p), x <- y; the squares of the step and of y.
struct Correct {
  const double* y;
  double* x;
  double* p;
  KOKKOS_FUNCTION void operator()(Index j, double& step, double& size) const {
    const double moved = y[j] - x[j];
    p[j] += moved;
    x[j] = y[j];
    step += moved * moved;
    size += y[j] * y[j];
  }
};

}  // namespace libsolve::detail
