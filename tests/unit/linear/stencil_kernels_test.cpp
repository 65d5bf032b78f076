#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/types.hpp>
#include <libsolve/linear/detail/stencil_kernels.hpp>
#include <vector>

namespace libsolve::test {
namespace {

using detail::ConstantStencil;
using detail::VariableStencil;
using View = VectorView;

double noise(std::size_t i) {
  return std::sin(12.9898 * double(i + 1)) * 0.9;
}

View filled(std::size_t n, double shift) {
  View v("v", n);
  auto h = Kokkos::create_mirror_view(v);
  for (std::size_t i = 0; i < n; ++i) h(i) = noise(i) + shift;
  Kokkos::deep_copy(v, h);
  return v;
}

std::vector<double> to_host(const View& v) {
  const auto h = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
  return {h.data(), h.data() + h.size()};
}

/// A x by the definition, from host copies.
template <class Cell>
std::vector<double> product(const int (&n)[3], const std::vector<double>& x, const Cell& cell) {
  std::vector<double> y(x.size());
  for (int k = 0; k < n[2]; ++k)
    for (int j = 0; j < n[1]; ++j)
      for (int i = 0; i < n[0]; ++i) y[i + n[0] * (j + n[1] * k)] = cell(x.data(), i, j, k);
  return y;
}

struct Worst {
  double apply = 0, apply_dot = 0, residual = 0, update = 0, sums = 0;
};

/// Largest deviation of each pass from the definition.
template <class Stencil, class Cell>
Worst compare(const Stencil& s, const Cell& cell) {
  const ExecSpace exec;
  const std::size_t size = std::size_t(s.n[0]) * s.n[1] * s.n[2];
  const View x = filled(size, 0.1), b = filled(size, -0.3), y("y", size), p = filled(size, 0.7);
  const auto hx = to_host(x), hb = to_host(b), hp = to_host(p);
  const auto ax = product(s.n, hx, cell);
  Worst w;
  double dot = 0, rr = 0, pq = 0;
  detail::stencil_apply(exec, s, x.data(), y.data());
  auto hy = to_host(y);
  for (std::size_t i = 0; i < size; ++i) {
    w.apply = std::max(w.apply, std::abs(hy[i] - ax[i]));
    dot += hx[i] * ax[i];
    rr += (hb[i] - ax[i]) * (hb[i] - ax[i]);
  }
  const double dot_found = detail::stencil_apply_dot(exec, s, x.data(), y.data());
  hy = to_host(y);
  for (std::size_t i = 0; i < size; ++i)
    w.apply_dot = std::max(w.apply_dot, std::abs(hy[i] - ax[i]));
  const double rr_found = detail::stencil_residual(exec, s, b.data(), x.data(), y.data());
  hy = to_host(y);
  for (std::size_t i = 0; i < size; ++i)
    w.residual = std::max(w.residual, std::abs(hy[i] - (hb[i] - ax[i])));
  for (const double beta : {0.0, 0.37}) {
    const auto old = to_host(p);
    std::vector<double> expected(size);
    for (std::size_t i = 0; i < size; ++i) expected[i] = hx[i] + beta * old[i];
    const auto ap = product(s.n, expected, cell);
    const double found =
        detail::stencil_update_apply_dot(exec, s, x.data(), beta, p.data(), y.data());
    const auto np = to_host(p);
    hy = to_host(y);
    pq = 0;
    for (std::size_t i = 0; i < size; ++i) {
      w.update = std::max({w.update, std::abs(np[i] - expected[i]), std::abs(hy[i] - ap[i])});
      pq += expected[i] * ap[i];
    }
    w.sums = std::max(w.sums, std::abs(found - pq) / (1 + std::abs(pq)));
  }
  w.sums = std::max({w.sums, std::abs(dot_found - dot) / (1 + std::abs(dot)),
                     std::abs(rr_found - rr) / (1 + std::abs(rr))});
  return w;
}

void expect_small(const Worst& w, const std::string& what) {
  const double tolerance = 1e-13;  // a few roundings of numbers of size 100
  EXPECT_LT(w.apply, tolerance) << what;
  EXPECT_LT(w.apply_dot, tolerance) << what;
  EXPECT_LT(w.residual, tolerance) << what;
  EXPECT_LT(w.update, tolerance) << what;
  EXPECT_LT(w.sums, 1e-12) << what;
}

// The last three are so large that results are written past the cache, from rows of whole lines and
// others.
constexpr int shapes[][3] = {{1, 1, 1},      {2, 1, 1},      {37, 1, 1},   {1, 1, 19},
                             {13, 7, 1},     {13, 1, 9},     {1, 6, 5},    {5, 4, 3},
                             {17, 33, 40},   {64, 8, 70},    {9, 101, 31}, {125, 113, 120},
                             {24, 260, 260}, {136, 107, 110}};

/// The constant-coefficient passes agree with the sum over faces, in 1D, 2D and 3D.
TEST(StencilKernels, ConstantPassesMatchTheDefinition) {
  for (const auto& n : shapes) {
    ConstantStencil s;
    s.shift = 0.25;
    for (int a = 0; a < 3; ++a) {
      s.n[a] = n[a];
      s.T[a] = 1.0 + a;
      s.wall[a][0] = 2.0 * (1 + a);
      s.wall[a][1] = a == 1 ? 0.0 : 0.5;
    }
    const auto cell = [&](const double* x, int i, int j, int k) {
      const int at[3] = {i, j, k};
      const int stride[3] = {1, n[0], n[0] * n[1]};
      const double* c = x + i + n[0] * (j + n[1] * k);
      double y = s.shift * *c;
      for (int a = 0; a < 3; ++a) {
        y += at[a] > 0 ? s.T[a] * (*c - c[-stride[a]]) : s.wall[a][0] * *c;
        y += at[a] + 1 < n[a] ? s.T[a] * (*c - c[stride[a]]) : s.wall[a][1] * *c;
      }
      return y;
    };
    expect_small(compare(s, cell),
                 std::to_string(n[0]) + "x" + std::to_string(n[1]) + "x" + std::to_string(n[2]));
  }
}

/// The same with a coefficient for each face and an excess for each cell.
TEST(StencilKernels, VariablePassesMatchTheDefinition) {
  for (const auto& n : shapes) {
    const std::size_t size = std::size_t(n[0]) * n[1] * n[2];
    const int stride[3] = {1, n[0], n[0] * n[1]};
    VariableStencil s;
    View face[3];
    std::vector<double> hf[3];
    for (int a = 0; a < 3; ++a) {
      s.n[a] = n[a];
      face[a] = filled(size, 1.0 + a);
      auto h = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), face[a]);
      for (std::size_t c = 0; c < size; ++c)
        if (int(c) / stride[a] % n[a] + 1 == n[a]) h(c) = 0;
      Kokkos::deep_copy(face[a], h);
      hf[a] = to_host(face[a]);
      s.face[a] = n[a] > 1 ? face[a].data() : nullptr;
    }
    const View excess = filled(size, 1.0);
    const auto he = to_host(excess);
    s.excess = excess.data();
    const auto cell = [&](const double* x, int i, int j, int k) {
      const int at[3] = {i, j, k};
      const std::size_t c = i + n[0] * (j + std::size_t(n[1]) * k);
      double y = he[c] * x[c];
      for (int a = 0; a < 3; ++a) {
        if (at[a] > 0) y += hf[a][c - stride[a]] * (x[c] - x[c - stride[a]]);
        if (at[a] + 1 < n[a]) y += hf[a][c] * (x[c] - x[c + stride[a]]);
      }
      return y;
    };
    expect_small(compare(s, cell),
                 std::to_string(n[0]) + "x" + std::to_string(n[1]) + "x" + std::to_string(n[2]));
  }
}

}  // namespace
}  // namespace libsolve::test
