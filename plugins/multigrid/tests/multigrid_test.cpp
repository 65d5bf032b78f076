#include "../multigrid.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <libsolve/core/errors.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/linear_system.hpp>
#include <tests/support/vectors.hpp>

namespace {

using namespace libsolve;
using multigrid::Multigrid;
using multigrid::MultigridOptions;
using Size = std::array<Index, 3>;

enum class Walls { dirichlet, neumann, mixed };

Grid grid_of(const Size& n) {
  Grid grid;
  grid.cells = n;
  return grid;
}

std::string name_of(const Size& n) {
  return std::to_string(n[0]) + "x" + std::to_string(n[1]) + "x" + std::to_string(n[2]);
}

double noise(std::int64_t i) {
  const double s = std::sin(78.233 * static_cast<double>(i + 1)) * 43758.5453;
  return 2.0 * (s - std::floor(s)) - 1.0;
}

LinearSystem system_of(std::shared_ptr<const LinearOperator> A, bool zero_mean) {
  const auto n = A->num_rows();
  std::vector<double> b(static_cast<std::size_t>(n));
  double mean = 0.0;
  for (std::size_t i = 0; i < b.size(); ++i) mean += b[i] = noise(static_cast<std::int64_t>(i));
  if (zero_mean)
    for (double& v : b) v -= mean / static_cast<double>(n);
  const Vector vb = test::to_vector(b);
  return LinearSystem(std::move(A), vb, vb.like("x"));
}

LinearSystem poisson(const Size& n, Walls walls, double shift = 0.0, double scale = 1.0) {
  StencilOperator::Constant c;
  for (int a = 0; a < 3; ++a) {
    if (n[a] == 1) continue;
    c.coupling[a] = scale;
    c.wall[a] = {walls == Walls::neumann ? 0.0 : 2.0 * scale,
                 walls == Walls::dirichlet ? 2.0 * scale : 0.0};
  }
  c.shift = shift;
  return system_of(std::make_shared<StencilOperator>(grid_of(n), c),
                   walls == Walls::neumann && shift == 0.0);
}

LinearSystem stretched(const Size& n, const std::array<double, 3>& factor) {
  StencilOperator::Constant c;
  for (int a = 0; a < 3; ++a) {
    c.coupling[a] = factor[a];
    c.wall[a] = {2 * factor[a], 2 * factor[a]};
  }
  return system_of(std::make_shared<StencilOperator>(grid_of(n), c), false);
}

/// Faces are harmonic means of the cells' coefficients k(i, j, k); cells with k = 0 are solid, with
/// Dirichlet (2 k of the neighbour) or Neumann faces; Dirichlet at the domain's sides.
LinearSystem varying(const Size& n, const std::function<double(int, int, int)>& coefficient,
                     bool dirichlet_solids = false) {
  const std::int64_t N = std::int64_t{n[0]} * n[1] * n[2];
  const std::int64_t stride[3] = {1, n[0], std::int64_t{n[0]} * n[1]};
  std::vector<double> k(N), e(N, 0.0), b(N);
  std::vector<double> face[3];
  for (auto& f : face) f.assign(N, 0.0);
  for (std::int64_t c = 0; c < N; ++c)
    k[c] = coefficient(int(c % n[0]), int(c / n[0] % n[1]), int(c / stride[2]));
  for (std::int64_t c = 0; c < N; ++c) {
    const Index at[3] = {Index(c % n[0]), Index(c / n[0] % n[1]), Index(c / stride[2])};
    for (int a = 0; a < 3; ++a) {
      if (n[a] == 1) continue;
      if (at[a] == 0) e[c] += 2 * k[c];
      if (at[a] + 1 == n[a]) {
        e[c] += 2 * k[c];
        continue;
      }
      const double u = k[c], v = k[c + stride[a]];
      if (u > 0 && v > 0) face[a][c] = 2 * u * v / (u + v);
      if (dirichlet_solids && u > 0 && v == 0) e[c] += 2 * u;
      if (dirichlet_solids && u == 0 && v > 0) e[c + stride[a]] += 2 * v;
    }
    b[c] = noise(c);
  }
  Kokkos::View<unsigned char*, Kokkos::HostSpace> solid("solid", N);
  for (std::int64_t c = 0; c < N; ++c) {
    if (k[c] > 0) continue;
    e[c] = 1.0;
    b[c] = 0.0;
    solid(c) = 1;
  }
  StencilOperator::Variable v;
  for (int a = 0; a < 3; ++a) v.face[a] = test::to_vector(face[a]).view();
  v.excess = test::to_vector(e).view();
  v.solid = Kokkos::create_mirror_view_and_copy(MemSpace(), solid);
  const Vector vb = test::to_vector(b);
  return LinearSystem(std::make_shared<StencilOperator>(grid_of(n), v), vb, vb.like("x"));
}

Multigrid make(const LinearSystem& system, const MultigridOptions& options = {}) {
  Multigrid M(options, Context{});
  M.setup(system);
  return M;
}

double true_residual(const LinearSystem& s) {
  const Vector r = s.b().like("r");
  return std::sqrt(s.A().residual(s.b(), s.x(), r)) / norm2(s.b());
}

/// Flexible conjugate gradients until the true relative residual is 1e-8; steps taken, at most 60.
int steps_to_solve(const LinearSystem& s, Multigrid& M) {
  const Vector r = s.b().like("r"), z = s.b().like("z"), p = s.b().like("p"), q = s.b().like("q");
  copy(s.b(), r);
  fill(s.x(), 0.0);
  double rho = 0.0, alpha = 0.0;
  for (int step = 1; step <= 60; ++step) {
    const DotPair d = M.apply_with_dots(r, z, step > 1 ? &q : nullptr);
    const double beta = step > 1 ? -alpha * d.xz / rho : 0.0;
    rho = d.xy;
    const double pq = s.A().update_direction_and_apply(z, beta, p, q);
    alpha = rho / pq;
    cg_update(alpha, p, q, s.x(), r);
    if (true_residual(s) <= 1e-8) return step;
  }
  return 61;
}

int steps_to_solve(const LinearSystem& s, const MultigridOptions& options = {}) {
  Multigrid M = make(s, options);
  return steps_to_solve(s, M);
}

const std::vector<Size> shapes = {{2, 1, 1},    {7, 1, 1},   {1000, 1, 1}, {1, 1, 777},
                                  {41, 1, 37},  {1, 64, 50}, {128, 96, 1}, {16, 16, 16},
                                  {17, 19, 23}, {33, 9, 48}, {3, 50, 70},  {100, 2, 31}};

/// Without a Krylov method around it, x <- x + M (b - A x) with the symmetric order contracts on
/// any shape: by 3 at least in every step from the second on (by 10 to 20 where nothing is odd).
TEST(Multigrid, ContractsOnEveryShape) {
  MultigridOptions options;
  options.order = "symmetric";
  for (const Size& n : shapes) {
    const LinearSystem s = poisson(n, Walls::mixed);
    Multigrid M = make(s, options);
    const Vector r = s.b().like("r"), z = s.b().like("z");
    double before = 0.0;
    for (int step = 0; step < 4; ++step) {
      const double norm = std::sqrt(s.A().residual(s.b(), s.x(), r));
      if (step > 1 && norm > 1e-6 * norm2(s.b())) {
        EXPECT_LT(norm, before / 3) << name_of(n);
      }
      before = norm;
      M.apply(r, z);
      axpy(1.0, z, s.x());
    }
    EXPECT_LT(true_residual(s), 0.02) << name_of(n);
  }
}

/// The bar of the project is 8 steps at any size; defaults need 5 or 6.
TEST(Multigrid, SolvesPoissonInAtMostEightStepsAtAnySize) {
  for (const Size& n : shapes)
    EXPECT_LE(steps_to_solve(poisson(n, Walls::dirichlet)), 8) << name_of(n);
  for (const Size& n : {Size{32, 32, 32}, Size{33, 33, 33}, Size{61, 43, 40}, Size{63, 64, 65},
                        Size{255, 1, 257}, Size{50, 100, 1}})
    for (const Walls w : {Walls::dirichlet, Walls::mixed})
      EXPECT_LE(steps_to_solve(poisson(n, w)), 8) << name_of(n);
}

/// Singular, defined up to a constant; b has mean zero.
TEST(Multigrid, SolvesThePureNeumannProblem) {
  for (const Size& n : {Size{32, 32, 32}, Size{31, 32, 63}, Size{63, 1, 64}, Size{17, 33, 20},
                        Size{500, 1, 1}, Size{5, 4, 3}})
    EXPECT_LE(steps_to_solve(poisson(n, Walls::neumann)), 8) << name_of(n);
}

/// A shift adds mass, which coarse grids sum whole. Small and large against the couplings.
TEST(Multigrid, SolvesShiftedProblems) {
  for (const double shift : {1e-6, 1e-3, 0.1, 10.0, 1e4})
    for (const Walls w : {Walls::neumann, Walls::dirichlet})
      EXPECT_LE(steps_to_solve(poisson({40, 33, 36}, w, shift)), 8) << shift;
}

/// Coefficients stored for each cell, all equal: the same problem, hence as many steps.
TEST(Multigrid, VariableStorageOfAConstantCoefficientTakesAsManySteps) {
  for (const Size& n : {Size{32, 32, 32}, Size{29, 35, 22}, Size{60, 1, 51}, Size{900, 1, 1}}) {
    MultigridOptions options;
    options.cycle = "V";
    EXPECT_LE(std::abs(steps_to_solve(varying(n, [](int, int, int) { return 1.0; }), options) -
                       steps_to_solve(poisson(n, Walls::dirichlet), options)),
              1)
        << name_of(n);
  }
}

TEST(Multigrid, SolvesSmoothCoefficients) {
  const auto k = [](int i, int j, int l) {
    return std::exp(2 * std::sin(0.2 * i) * std::cos(0.13 * j + 0.1 * l));
  };
  for (const Size& n : {Size{40, 48, 37}, Size{100, 1, 81}})
    EXPECT_LE(steps_to_solve(varying(n, k)), 9) << name_of(n);
}

/// 10^(6 u) on 8x8x8 blocks, u uniform in [0, 1): jumps that the coarse cells do not cut.
TEST(Multigrid, SolvesBlockJumpsAlignedWithTheCoarseGrids) {
  const auto k = [](int i, int j, int l) {
    return std::pow(10.0, 3.0 + 3.0 * noise(i / 8 + 8 * (j / 8) + 64 * (l / 8)));
  };
  EXPECT_LE(steps_to_solve(varying({64, 64, 64}, k)), 14);
}

/// Spheres with Dirichlet faces; their cells are identity rows, and M must leave them at zero.
TEST(Multigrid, SolvesDirichletMasksAndLeavesSolidsAlone) {
  const auto k = [](int i, int j, int l) {
    const double x = i % 16 - 7.5, y = j % 16 - 7.5, z = l % 16 - 7.5;
    return x * x + y * y + z * z < 36 ? 0.0 : 1.0;
  };
  const LinearSystem s = varying({48, 48, 48}, k, true);
  Multigrid M = make(s);
  EXPECT_LE(steps_to_solve(s, M), 9);
  const auto x = test::to_host(s.x());
  for (std::size_t c = 0; c < x.size(); ++c)
    if (k(int(c % 48), int(c / 48 % 48), int(c / 2304)) == 0.0) {
      ASSERT_EQ(x[c], 0.0) << c;
    }
}

/// Isolated cells that are not solid (no face, a right-hand side) are solved by relaxation alone.
TEST(Multigrid, SolvesIsolatedCells) {
  const Size n = {20, 20, 20};
  LinearSystem s = varying(n, [](int i, int j, int l) { return (i + j + l) % 7 == 0 ? 0.0 : 1.0; });
  EXPECT_LE(steps_to_solve(s), 20);
  std::vector<double> ones(8000, 1.0);
  test::assign(s.b(), ones);
  EXPECT_LE(steps_to_solve(s), 20);
}

/// <M x, y> = <x, M y>, to rounding, with the symmetric order.
TEST(Multigrid, SymmetricOrderGivesASymmetricPreconditioner) {
  for (const char* cycle : {"V", "W", "F"}) {
    for (const Size& n : {Size{30, 31, 32}, Size{90, 1, 70}}) {
      for (const bool constant : {true, false}) {
        const LinearSystem s =
            constant ? poisson(n, Walls::mixed)
                     : varying(n, [](int i, int j, int l) { return 1.0 + (i * j + l) % 5; });
        MultigridOptions options;
        options.order = "symmetric";
        options.cycle = cycle;
        options.precision = "double";
        Multigrid M = make(s, options);
        EXPECT_TRUE(M.is_symmetric());
        const Vector x = s.b(), y = s.b().like("y"), mx = s.b().like("mx"), my = s.b().like("my");
        std::vector<double> v(static_cast<std::size_t>(y.local_size()));
        for (std::size_t i = 0; i < v.size(); ++i) v[i] = noise(1000003 + 7 * std::int64_t(i));
        test::assign(y, v);
        M.apply(x, mx);
        M.apply(y, my);
        EXPECT_NEAR(dot(mx, y), dot(x, my), 1e-12 * norm2(mx) * norm2(y)) << cycle << name_of(n);
      }
    }
  }
}

TEST(Multigrid, SaysWhetherItIsSymmetric) {
  const LinearSystem s = poisson({16, 16, 16}, Walls::dirichlet);
  MultigridOptions options;
  EXPECT_FALSE(make(s, options).is_symmetric());
  options.order = "symmetric";
  EXPECT_TRUE(make(s, options).is_symmetric());
  options.post_sweeps = 1;
  EXPECT_FALSE(make(s, options).is_symmetric());
}

double relative_error(double value, double expected, const Vector& a, const Vector& b) {
  return std::abs(value - expected) / (norm2(a) * norm2(b));
}

/// The dot products that come with the last sweep are those of the vectors, q^T z to the rounding
/// of double. In r^T z the level uses its own copy of r: rounded to float, and nothing else is
/// lost.
TEST(Multigrid, DeliversTheDotProducts) {
  const Size n{37, 30, 41};
  const auto jumps = [](int i, int j, int k) { return (i / 9 + j / 9 + k / 9) % 2 ? 1.0 : 1e4; };
  const auto walls = [](int i, int, int k) { return i % 12 == 5 && k % 7 ? 0.0 : 1.0; };
  for (const LinearSystem& s :
       {poisson(n, Walls::dirichlet), varying(n, jumps), varying(n, walls)}) {
    auto rounded = test::to_host(s.b());
    for (double& v : rounded) v = double(float(v));
    const Vector r_float = test::to_vector(rounded);
    for (const char* precision : {"float", "double"}) {
      for (const bool fused : {true, false}) {
        MultigridOptions options;
        options.fused = fused;
        options.precision = precision;
        Multigrid M = make(s, options);
        SCOPED_TRACE(M.notes().front());
        const Vector z = s.b().like("z"), q = s.b().like("q");
        s.A().apply(s.b(), q);
        const DotPair d = M.apply_with_dots(s.b(), z, &q);
        const double exact = relative_error(d.xy, dot(s.b(), z), s.b(), z);
        const double with_rounded_r = relative_error(d.xy, dot(r_float, z), s.b(), z);
        EXPECT_LT(exact, 0x1p-24);
        EXPECT_LT(precision == std::string("float") ? std::min(exact, with_rounded_r) : exact,
                  1e-13);
        EXPECT_LT(relative_error(d.xz, dot(q, z), q, z), 1e-13);
        EXPECT_EQ(M.apply_with_dots(s.b(), z, nullptr).xz, 0.0);
      }
    }
  }
}

/// In 1D with the symmetric order and piecewise-constant levels forced on Neumann solids, float
/// makes M indefinite: with 10^(5 u), b^T M b = -8e15 here.
TEST(Multigrid, StaysPositiveDefiniteIn1D) {
  MultigridOptions options;
  options.coarsening = "piecewise-constant";
  options.order = "symmetric";
  options.cycle = "W";
  for (const double decades : {2.0, 5.0}) {
    const LinearSystem s = varying({9001, 1, 1}, [=](int i, int, int) {
      return i == 4500 ? 0.0 : std::pow(10.0, decades * 0.5 * (1 + noise(i / 1125)));
    });
    Multigrid M = make(s, options);
    EXPECT_NE(M.notes().front().find(" cycle in double"), std::string::npos) << M.notes().front();
    EXPECT_TRUE(M.is_symmetric());
    EXPECT_GT(M.apply_with_dots(s.b(), s.b().like("z"), nullptr).xy, 0.0);
    // with 5 decades a residual of 1e-8 is out of reach of A x in double
    if (decades == 2.0) {
      EXPECT_LE(steps_to_solve(s, M), 15);
    }
  }
}

/// Asked for in words, float in 1D is refused; a direct solve is in double anyway.
TEST(Multigrid, RefusesFloatIn1D) {
  MultigridOptions options;
  options.precision = "float";
  Multigrid M(options, {});
  for (const Size& n : {Size{9001, 1, 1}, Size{1, 1, 601}})
    EXPECT_THROW(M.setup(poisson(n, Walls::dirichlet)), Unsupported);
  try {
    M.setup(poisson({9001, 1, 1}, Walls::dirichlet));
  } catch (const Unsupported& e) {
    EXPECT_NE(std::string(e.what()).find("9001 cells"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("\"double\""), std::string::npos) << e.what();
  }
  const LinearSystem small = poisson({600, 1, 1}, Walls::dirichlet);
  Multigrid direct = make(small, options);
  EXPECT_LE(steps_to_solve(small, direct), 2);
}

bool cycles_in(const char* precision, const Multigrid& M) {
  return M.notes().front().find(std::string(" cycle in ") + precision) != std::string::npos;
}

/// Blocks of 10^(decades u), u from 0 to 1: float where it does as well as double, else double,
/// which is said.
TEST(Multigrid, TakesDoubleWhereCouplingsAreTooFarApartForFloat) {
  const auto blocks = [](double decades) {
    return [=](int i, int j, int k) {
      const int block = i / 10 + 12 * (j / 10) + 144 * (k / 10);
      return std::pow(10.0, decades * (block < 2 ? block : 0.5 * (1 + noise(block))));
    };
  };
  for (const Size& n : {Size{100, 100, 1}, Size{30, 30, 30}}) {
    const double widest = n[2] == 1 ? 8 : 12;
    const LinearSystem narrow = varying(n, blocks(widest - 1)),
                       wide = varying(n, blocks(widest + 1));
    EXPECT_TRUE(cycles_in("float", make(narrow))) << make(narrow).notes().front();
    EXPECT_TRUE(cycles_in("double", make(wide))) << make(wide).notes().front();
    MultigridOptions options;
    options.precision = "double";
    EXPECT_LE(steps_to_solve(narrow), steps_to_solve(narrow, options) + 1);
    EXPECT_LE(steps_to_solve(wide), 12);
    options.precision = "float";
    EXPECT_TRUE(cycles_in("float", make(wide, options)));
  }
  EXPECT_TRUE(cycles_in("float", make(poisson({16, 16, 16}, Walls::dirichlet, 0.0, 1e30))));
  EXPECT_TRUE(cycles_in("float", make(poisson({1, 1, 1}, Walls::dirichlet))));
}

/// M (2^k r) = 2^k M r digit by digit, far outside the range of float too; M 0 = 0.
TEST(Multigrid, ScalesWithItsArgument) {
  for (const double operator_scale : {1.0, 1e30, 1e-30}) {
    const LinearSystem s = poisson({20, 21, 22}, Walls::dirichlet, 0.0, operator_scale);
    Multigrid M = make(s);
    const Vector r = s.b().like("r"), z = s.b().like("z"), w = s.b().like("w");
    M.apply(s.b(), z);
    for (const int k : {-200, -3, 7, 200}) {
      copy(s.b(), r);
      scale(std::ldexp(1.0, k), r);
      M.apply(r, w);
      axpy(-std::ldexp(1.0, k), z, w);
      EXPECT_EQ(norm_max(w), 0.0) << k;
    }
    fill(r, 0.0);
    M.apply(r, w);
    EXPECT_EQ(norm_max(w), 0.0);
  }
}

/// One entry that no sample of r is likely to meet.
TEST(Multigrid, TakesAPointSource) {
  const LinearSystem s = poisson({40, 40, 40}, Walls::dirichlet);
  std::vector<double> b(64000, 0.0);
  b[31233] = 1e-300;
  test::assign(s.b(), b);
  Multigrid M = make(s);
  const Vector z = s.b().like("z"), r = s.b().like("r");
  M.apply(s.b(), z);
  EXPECT_GT(norm_max(z), 1e-302);
  EXPECT_TRUE(std::isfinite(norm2(z)));
}

TEST(Multigrid, PassesOnWhatIsNotFinite) {
  const LinearSystem s = poisson({20, 20, 20}, Walls::dirichlet);
  auto b = test::to_host(s.b());
  b[1234] = std::nan("");
  test::assign(s.b(), b);
  Multigrid M = make(s);
  const Vector z = s.b().like("z");
  EXPECT_FALSE(std::isfinite(M.apply_with_dots(s.b(), z, nullptr).xy));
}

TEST(Multigrid, KeepsToItsMemory) {
  const LinearSystem s = poisson({64, 64, 64}, Walls::dirichlet);
  EXPECT_LE(make(s).memory_bytes(), 16.0 * 64 * 64 * 64);
}

TEST(Multigrid, RefusesWhatIsNoGrid) {
  const LinearSystem s = poisson({4, 4, 4}, Walls::dirichlet);
  const auto& A = dynamic_cast<const StencilOperator&>(s.A());
  const LinearSystem matrix(A.assemble(), s.b(), s.x());
  Multigrid M(MultigridOptions{}, Context{});
  EXPECT_THROW(M.setup(matrix), Unsupported);
}

/// Weak axes are not halved, so that point smoothing suffices; full coarsening takes more than 60.
TEST(Multigrid, PiecewiseConstantLevelsHalveStrongAxesOnly) {
  const Size n = {40, 33, 36};
  for (int weak = 0; weak < 3; ++weak)
    for (const double ratio : {0.2, 1e-3}) {
      SCOPED_TRACE(std::to_string(weak) + ", " + std::to_string(ratio));
      std::array<double, 3> factor = {1, 1, 1};
      factor[weak] = ratio;
      const LinearSystem system = stretched(n, factor);
      MultigridOptions options;
      Multigrid M = make(system, options);
      EXPECT_NE(M.notes().at(0).find("piecewise-constant"), std::string::npos) << M.notes().at(0);
      EXPECT_LE(steps_to_solve(system, M), 7);
      options.semi_coarsening = 0.0;
      Multigrid all = make(system, options);
      EXPECT_GT(steps_to_solve(system, all), 10);
    }
}

}  // namespace
