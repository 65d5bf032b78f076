#include <algorithm>

#include "box_cubes.hpp"

namespace multigrid {
namespace {

/// Rows left out between two that are looked at: a thousand rows say enough.
std::ptrdiff_t row_step(std::ptrdiff_t num_rows) {
  return std::max<std::ptrdiff_t>(1, num_rows / 1024) | 1;  // odd: not always the same y
}

/// Sums over the cells of a row of the couplings along each axis over the diagonal.
template <class From>
struct AxisStrengths {
  NaturalOperator<From> op;
  const From* zero;
  std::ptrdiff_t step;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t r, double& x, double& y, double& z) const {
    const auto f = op.row(r * step, zero);
    const int last = op.n[0] - 1;
    const auto cell = [&](int i, double before, double after, double& ax, double& ay, double& az) {
      const double cx = before + after;
      const double cy = double(f.y_before[i]) + double(f.y[i]);
      const double cz = double(f.z_before[i]) + double(f.z[i]);
      const double d = cx + cy + cz + double(f.wall[i]) + double(f.mass[i]);
      const double inverse = d > 0 ? 1 / d : 0;
      ax += cx * inverse;
      ay += cy * inverse;
      az += cz * inverse;
    };
    double ax = 0, ay = 0, az = 0;
    cell(0, 0, last > 0 ? f.x[0] : From(0), ax, ay, az);
    if (last > 0) cell(last, f.x[last - 1], 0, ax, ay, az);
#pragma omp simd reduction(+ : ax, ay, az)
    for (int i = 1; i < last; ++i) cell(i, f.x[i - 1], f.x[i], ax, ay, az);
    x += ax;
    y += ay;
    z += az;
  }
};

}  // namespace

std::array<bool, 3> strong_axes(const std::array<int, 3>& n, const std::array<double, 3>& strength,
                                double threshold) {
  double largest = 0;
  for (int d = 0; d < 3; ++d)
    if (n[d] > 1) largest = std::max(largest, strength[d]);
  std::array<bool, 3> halved{};
  for (int d = 0; d < 3; ++d)
    halved[d] = n[d] > 1 && strength[d] > 0 && strength[d] >= threshold * largest;
  return halved;
}

template <class From>
std::array<bool, 3> choose_axes(const NaturalOperator<From>& op, double threshold) {
  return strong_axes(op.n, axis_strengths(op), threshold);
}

template <class Real>
std::array<bool, 3> choose_axes(const BoxOperator<Real>& op, double threshold) {
  return strong_axes(op.n, axis_strengths(op), threshold);
}

template <class From>
std::array<double, 3> axis_strengths(const NaturalOperator<From>& op) {
  const std::ptrdiff_t step = row_step(op.num_rows());
  const Kokkos::View<From*, MemSpace> zero("multigrid::zero", std::size_t(op.n[0]));
  double strength[3] = {0, 0, 0};
  Kokkos::parallel_reduce("multigrid::axis_strengths",
                          Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::ptrdiff_t>>(
                              0, (op.num_rows() + step - 1) / step),
                          AxisStrengths<From>{op, zero.data(), step}, strength[0], strength[1],
                          strength[2]);
  return {strength[0], strength[1], strength[2]};
}

template <class Real>
std::array<double, 3> axis_strengths(const BoxOperator<Real>& op) {
  const auto values = box::on_host(op.values);
  double strength[3] = {0, 0, 0};
  const std::ptrdiff_t num_rows = std::ptrdiff_t(op.n[1]) * op.n[2];
  for (std::ptrdiff_t r = 0; r < num_rows; r += row_step(num_rows)) {
    const Real* row =
        values.data() + BoxOperator<Real>::guard + r * BoxOperator<Real>::arrays * 2 * op.half;
    for (int i = 0; i < op.n[0]; ++i) {
      const int at = (i & 1 ? op.half : 0) + i / 2;
      const double inverse = row[2 * op.half + at];
      for (int dz = 0; dz <= 1; ++dz)
        for (int dy = -1; dy <= 1; ++dy)
          for (int dx = -1; dx <= 1; ++dx) {
            if (dz == 0 && (dy < 0 || (dy == 0 && dx <= 0))) continue;
            const double t =
                inverse * row[(2 + box::coupling_index(dx, dy, dz)) * 2 * op.half + at];
            if (dx) strength[0] += t;
            if (dy) strength[1] += t;
            if (dz) strength[2] += t;
          }
    }
  }
  return {strength[0], strength[1], strength[2]};
}

#define MULTIGRID_INSTANTIATE(Real)                                               \
  template std::array<bool, 3> choose_axes(const NaturalOperator<Real>&, double); \
  template std::array<bool, 3> choose_axes(const BoxOperator<Real>&, double);     \
  template std::array<double, 3> axis_strengths(const NaturalOperator<Real>&);    \
  template std::array<double, 3> axis_strengths(const BoxOperator<Real>&);
MULTIGRID_INSTANTIATE(float)
MULTIGRID_INSTANTIATE(double)

}  // namespace multigrid
