#include "../pc_level.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "../band_solver.hpp"
#include "../cycle.hpp"
#include "../hierarchy_setup.hpp"

namespace {

using namespace multigrid;

double noise(std::int64_t i) {
  const double s = std::sin(12.9898 * double(i + 1)) * 43758.5453;
  return 2.0 * (s - std::floor(s)) - 1.0;
}

template <class Real>
std::vector<double> to_host(const View<Real>& v) {
  const auto h = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
  return {h.data(), h.data() + h.size()};
}

template <class Real>
LevelOperator<Real> laplacian(const Shape& shape, bool constant) {
  LevelOperator<Real> op;
  op.shape = shape;
  for (int a = 0; a < 3; ++a) {
    if (shape.n[a] == 1) continue;
    op.coupling[a] = 1.0 + 0.25 * a;
    op.side[a] = {2.0, 0.5};
  }
  op.shift = 0.125;
  return constant ? op : expanded(op);
}

struct Outcome {
  std::vector<double> z;
  double dot_rhs, dot_other;
};

/// One cycle on a random right-hand side.
template <class Real>
Outcome cycle(const Shape& shape, bool constant, CycleKind kind, const PcOptions& options) {
  LevelOperator<Real> op = laplacian<Real>(shape, constant);
  Hierarchy<Real> h;
  while (op.shape.size() > 50) {
    const auto axes = coarsen_all(op.shape);
    h.add(make_pc_level<Real>(op, axes, options));
    op = coarsen(op, axes);
  }
  h.set_coarse_solver(make_band_solver<Real>(band_matrix(op)));
  const auto n = std::size_t(shape.size());
  View<double> r("r", n), z("z", n), q("q", n);
  auto hr = Kokkos::create_mirror_view(r);
  auto hq = Kokkos::create_mirror_view(q);
  for (std::size_t i = 0; i < n; ++i) {
    hr(i) = noise(std::int64_t(i));
    hq(i) = noise(std::int64_t(3 * i + 1));
  }
  Kokkos::deep_copy(r, hr);
  Kokkos::deep_copy(q, hq);
  const Rhs<Real> rhs{{}, r, 0.5};
  Result<Real> result;
  result.outer = z;
  result.other = q;
  result.scale = 2.0;
  h.cycle(kind, rhs, result);
  return {to_host(z), result.dot_rhs, result.dot_other};
}

double largest_difference(const Outcome& a, const Outcome& b) {
  double d = 0, largest = 0;
  for (std::size_t i = 0; i < a.z.size(); ++i) {
    d = std::max(d, std::abs(a.z[i] - b.z[i]));
    largest = std::max(largest, std::abs(a.z[i]));
  }
  return d / largest;
}

const std::vector<Shape> shapes = {{{60, 1, 1}},   {{33, 1, 40}},  {{1, 64, 30}}, {{16, 16, 16}},
                                   {{17, 21, 90}}, {{40, 37, 64}}, {{2, 50, 80}}};

/// One trip through memory or one kernel for each half sweep: the same numbers, to rounding.
TEST(PcLevel, FusedAndUnfusedAgree) {
  for (const Shape& shape : shapes) {
    for (const bool constant : {true, false}) {
      for (const SweepOrder order : {SweepOrder::same, SweepOrder::symmetric}) {
        for (const CycleKind kind : {CycleKind::v, CycleKind::w, CycleKind::f}) {
          PcOptions options;
          options.order = order;
          options.omega = order == SweepOrder::same ? 1.1 : 1.0;
          const Outcome fused = cycle<double>(shape, constant, kind, options);
          options.fused = false;
          const Outcome plain = cycle<double>(shape, constant, kind, options);
          EXPECT_LT(largest_difference(fused, plain), 1e-13);
          EXPECT_NEAR(fused.dot_rhs, plain.dot_rhs, 1e-12 * std::abs(plain.dot_rhs));
          EXPECT_NEAR(fused.dot_other, plain.dot_other, 1e-11 * std::abs(plain.dot_rhs));
        }
      }
    }
  }
}

/// Tiles and slabs, hence threads, change no digit.
TEST(PcLevel, TilesAndSlabsChangeNothing) {
  for (const Shape& shape : shapes) {
    for (const bool constant : {true, false}) {
      PcOptions options;
      options.omega = 1.1;
      options.order = SweepOrder::same;
      options.slabs = 1;
      options.tile = 1 << 20;
      const Outcome whole = cycle<float>(shape, constant, CycleKind::w, options);
      for (const int slabs : {1, 2, 3, 5}) {
        for (const int tile : {2, 6, 16, 1 << 20}) {
          options.slabs = slabs;
          options.tile = tile;
          const Outcome parts = cycle<float>(shape, constant, CycleKind::w, options);
          EXPECT_EQ(largest_difference(whole, parts), 0.0) << slabs << " " << tile;
          EXPECT_EQ(whole.dot_rhs, parts.dot_rhs);
          EXPECT_EQ(whole.dot_other, parts.dot_other);
        }
      }
    }
  }
}

/// Numbers of sweeps other than two, and different ones before and after.
TEST(PcLevel, TakesAnyNumberOfSweeps) {
  for (const auto& [pre, post] : {std::pair{1, 1}, std::pair{3, 1}, std::pair{1, 4}}) {
    PcOptions options;
    options.pre_sweeps = pre;
    options.post_sweeps = post;
    const Outcome fused = cycle<double>({{20, 31, 70}}, true, CycleKind::v, options);
    options.fused = false;
    const Outcome plain = cycle<double>({{20, 31, 70}}, true, CycleKind::v, options);
    EXPECT_LT(largest_difference(fused, plain), 1e-13);
  }
}

/// Constant and expanded operators have the same coarse operators where both ways exist:
/// T -> T (1/2 along the axis times 2 2 beside), walls alike, mass times 8.
TEST(Coarsen, ConstantAndStoredCoefficientsAgree) {
  const Shape shape{{8, 12, 4}};
  const auto constant = expanded(coarsen(laplacian<double>(shape, true), coarsen_all(shape)));
  const auto stored = coarsen(laplacian<double>(shape, false), coarsen_all(shape));
  EXPECT_EQ(constant.shape, stored.shape);
  for (int a = 0; a < 3; ++a) EXPECT_EQ(to_host(constant.face[a]), to_host(stored.face[a]));
  EXPECT_EQ(to_host(constant.mass), to_host(stored.mass));
  EXPECT_EQ(to_host(constant.mass)[0], 1.0);
  EXPECT_EQ(to_host(constant.face[0])[0], 2.0);
}

/// Odd lengths too, but for walls where two meet: stored coefficients do not know which is which.
TEST(Coarsen, ConstantAndStoredFacesAgreeForOddLengths) {
  const Shape shape{{7, 12, 5}};
  const auto constant = coarsen(laplacian<double>(shape, true), coarsen_all(shape));
  const auto stored = coarsen(laplacian<double>(shape, false), coarsen_all(shape));
  for (int a = 0; a < 3; ++a) EXPECT_EQ(to_host(constant.face[a]), to_host(stored.face[a]));
  EXPECT_EQ(to_host(constant.mass), to_host(stored.mass));
  EXPECT_EQ(constant.last_width, stored.last_width);
}

/// Three cells make two, of widths 2 and 1: T = 1 over the distance 3/2; the wall of the single
/// cell is as far from its centre as before.
TEST(Coarsen, TheLastCellOfAnOddLengthKeepsItsWidth) {
  LevelOperator<double> op;
  op.shape = {{3, 1, 1}};
  op.coupling = {1, 0, 0};
  op.side[0] = {2, 2};
  const auto coarse = coarsen(op, coarsen_all(op.shape));
  EXPECT_EQ(coarse.shape.n[0], 2);
  EXPECT_DOUBLE_EQ(to_host(coarse.face[0])[0], 2.0 / 3.0);
  EXPECT_EQ(to_host(coarse.wall), (std::vector<double>{1, 2}));
  EXPECT_EQ(coarse.last_width[0], 0.5);
}

/// L D L^T of a grid against its definition, and of the singular Neumann problem.
TEST(BandSolver, SolvesGridsSingularOnesToo) {
  for (const bool singular : {false, true}) {
    LevelOperator<double> op;
    op.shape = {{5, 4, 3}};
    op.coupling = {1, 2, 3};
    if (!singular) op.side[1] = {4, 0};
    const BandMatrix matrix = band_matrix(op);
    View<double> b("b", 60), z("z", 60);
    auto hb = Kokkos::create_mirror_view(b);
    for (int i = 0; i < 60; ++i) hb(i) = i % 2 == 0 ? 1.0 : -1.0;
    Kokkos::deep_copy(b, hb);
    make_band_solver<double>(matrix)->solve(b, z);
    const auto x = to_host(z);
    std::vector<double> residual(hb.data(), hb.data() + 60);
    for (const auto& e : matrix.entries) {
      residual[e.row] -= e.value * x[e.column];
      if (e.row != e.column) residual[e.column] -= e.value * x[e.row];
    }
    for (const double r : residual) EXPECT_LT(std::abs(r), 1e-12);
  }
}

/// Couplings are scaled as they are. The excess is all mass in cells whose neighbours are all
/// coupled; elsewhere the least excess of the cell and its coupled neighbours is mass, the rest is
/// wall, and cells that nothing is coupled to have wall only.
TEST(FinestOperator, SplitsTheExcessIntoWallAndMass) {
  for (const std::array<int, 3> n : {std::array<int, 3>{9, 6, 5}, std::array<int, 3>{1, 7, 8},
                                     std::array<int, 3>{6, 1, 1}, std::array<int, 3>{2, 2, 1}}) {
    SCOPED_TRACE(std::to_string(n[0]) + " " + std::to_string(n[1]) + " " + std::to_string(n[2]));
    const int cells = n[0] * n[1] * n[2];
    const int stride[3] = {1, n[0], n[0] * n[1]};
    libsolve::Grid grid;
    libsolve::StencilOperator::Variable v;
    std::vector<double> face[3], excess(cells);
    const auto at = [&](int c, int a) { return c / stride[a] % n[a]; };
    const auto view = [&](const std::vector<double>& values) {
      View<double> to("values", values.size());
      using HostView = Kokkos::View<const double*, Kokkos::HostSpace>;
      Kokkos::deep_copy(to, HostView(values.data(), values.size()));
      return to;
    };
    for (int c = 0; c < cells; ++c) excess[c] = c % 4 == 0 ? 0.0 : 1 + noise(c);
    for (int a = 0; a < 3; ++a) {
      grid.cells[a] = n[a];
      face[a].assign(cells, 0.0);
      for (int c = 0; c < cells; ++c)
        if (at(c, a) + 1 < n[a] && noise(7 * c + a) > -0.6) face[a][c] = 2 + noise(c + 100 * a);
      v.face[a] = view(face[a]);
    }
    v.excess = view(excess);
    const auto op = finest_operator<double>(libsolve::StencilOperator(grid, v), 4.5).op;
    const auto wall = to_host(op.wall);
    const auto mass = op.mass.data() ? to_host(op.mass) : std::vector<double>(cells, 0.0);
    for (int a = 0; a < 3; ++a) {
      const auto scaled = to_host(op.face[a]);
      for (int c = 0; c < cells; ++c) EXPECT_EQ(scaled[c], face[a][c] / 4);
    }
    for (int c = 0; c < cells; ++c) {
      double least = excess[c];
      int coupled = 0, faces = 0;
      for (int a = 0; a < 3; ++a) {
        if (n[a] == 1) continue;
        faces += 2;
        for (const int s : {-1, 1}) {
          if (at(c, a) + s < 0 || at(c, a) + s >= n[a]) continue;
          if (face[a][s < 0 ? c - stride[a] : c] == 0) continue;
          ++coupled;
          least = std::min(least, excess[c + s * stride[a]]);
        }
      }
      const double m = coupled == faces ? excess[c] : coupled > 0 ? least : 0.0;
      EXPECT_EQ(mass[c], m / 4) << c;
      EXPECT_EQ(wall[c], (excess[c] - m) / 4) << c;
    }
  }
}

}  // namespace
