#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/monitor.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/matrix_entries.hpp>
#include <limits>
#include <tests/support/monitors.hpp>

#include "dcdm_test_support.hpp"
#include "preconditioner.hpp"

namespace dcdm::test {
namespace {

/// Where data/learned lies.
std::string shipped(const std::string& name) {
  return std::string(LIBSOLVE_SOURCE_DIR) + "/data/learned/" + name + ".h5";
}

DcdmOptions with(const std::string& weights, double tolerance = 1e-6) {
  DcdmOptions o;
  o.weights = weights;
  o.stopping.relative_tolerance = tolerance;
  return o;
}

/// ||b - A x|| / ||b||, by the operator's plain product.
double residual_of(const LinearSystem& s) {
  const Vector r = s.b().like("r");
  s.A().apply(s.x(), r);
  axpby(1.0, s.b(), -1.0, r);
  return norm2(r) / norm2(s.b());
}

using Shipped = Fixture;

/// The bar of the plugin: steps to 1e-6 where conjugate gradients need 96 and 185 (82 and 165
/// around a ball). Trained on an empty box of 16 cells.
TEST_F(Shipped, WeightsNeedFewSteps) {
  struct Case {
    std::shared_ptr<StencilOperator> A;
    int limit;
  };
  const Case cases[] = {{laplace({32, 32, 32}), 10},     {laplace({64, 64, 64}), 20},
                        {laplace_around_a_ball(32), 20}, {laplace_around_a_ball(64), 30},
                        {laplace({17, 31, 33}), 10},     {laplace({64, 64}), 12}};
  for (const Case& c : cases)
    for (const std::uint64_t seed : {1, 2}) {
      const auto s = system_of(c.A, seed);
      Dcdm solver(with(shipped(c.A->grid().dimension == 2 ? "dcdm-2d" : "dcdm-3d")), context);
      const Report r = solver.solve(*s, Monitor::none());
      EXPECT_EQ(r.status, Status::converged) << r.reason;
      EXPECT_LE(r.iterations, c.limit) << c.A->description();
      EXPECT_LE(residual_of(*s), 1e-6);
      EXPECT_NEAR(residual_of(*s), r.value("relative_residual"), 1e-12);
      EXPECT_EQ(r.value("network_applications"), static_cast<double>(r.iterations));
    }
}

/// A float network inside a double iteration has no floor above rounding.
TEST_F(Shipped, ReachRoundingInDouble) {
  const auto s = system_of(laplace({24, 24, 24}));
  Dcdm solver(with(shipped("dcdm-3d"), 1e-12), context);
  const Report r = solver.solve(*s, Monitor::none());
  EXPECT_EQ(r.status, Status::converged) << r.reason;
  EXPECT_LE(residual_of(*s), 1e-12);
}

/// Solid cells stay as they are.
TEST_F(Shipped, LeaveSolidCellsAlone) {
  const auto A = laplace_around_a_ball(16);
  const auto s = system_of(A);
  Dcdm solver(with(shipped("dcdm-3d")), context);
  EXPECT_TRUE(solver.solve(*s, Monitor::none()).converged());
  const auto x = to_host(s->x());
  const auto solid = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), A->variable().solid);
  int num_solid = 0;
  for (size_t c = 0; c < x.size(); ++c)
    if (solid(c) != 0) {
      EXPECT_EQ(x[c], 0.0);
      ++num_solid;
    }
  EXPECT_GT(num_solid, 50);
}

/// Step k is A-orthogonal to the two before it, and exactly that: replayed in plain arithmetic.
TEST_F(Shipped, StepsAreThoseOfThePaper) {
  const auto A = laplace({9, 8, 7});
  const auto s = system_of(A);
  LinearSystem one(A, s->b(), s->b().like("x"));
  Engine f(shipped("dcdm-3d"), context);
  f.prepare(one, "test");
  const Vector x = s->b().like("x"), r = s->b().like("r"), q = s->b().like("q");
  copy(s->b(), r);
  std::vector<Vector> d, Ad;
  std::vector<double> norms = {norm2(r)};
  for (int k = 0; k < 5; ++k) {
    f.apply(r, norm2(r), q);
    const Vector dk = q.like("d"), Adk = q.like("Ad");
    copy(q, dk);
    for (size_t j = d.size() > 2 ? d.size() - 2 : 0; j < d.size(); ++j)
      axpy(-dot(q, Ad[j]) / dot(d[j], Ad[j]), d[j], dk);
    A->apply(dk, Adk);
    axpy(dot(dk, r) / dot(dk, Adk), dk, x);
    A->apply(x, r);
    axpby(1.0, s->b(), -1.0, r);
    norms.push_back(norm2(r));
    d.push_back(dk);
    Ad.push_back(Adk);
  }
  RecordingMonitor monitor;
  Dcdm solver(with(shipped("dcdm-3d")), context);
  (void)solver.solve(*s, monitor);
  for (size_t k = 0; k < norms.size() && k < monitor.first_values.size(); ++k)
    EXPECT_NEAR(monitor.first_values[k], norms[k], 1e-6 * norms[k]) << k;
}

TEST_F(Shipped, GiveTheSameDigitsAgain) {
  const auto s = system_of(laplace({20, 20, 20})), t = system_of(laplace({20, 20, 20}));
  Dcdm a(with(shipped("dcdm-3d")), context), b(with(shipped("dcdm-3d")), context);
  (void)a.solve(*s, Monitor::none());
  (void)b.solve(*t, Monitor::none());
  EXPECT_EQ(to_host(s->x()), to_host(t->x()));
}

using Refusals = Fixture;

TEST_F(Refusals, WeightsThatDoNotFit) {
  const auto says = [&](const std::string& weights, std::initializer_list<const char*> words) {
    const auto s = system_of(laplace({8, 8, 8}));
    try {
      Dcdm(with(weights), context).setup(*s);
      ADD_FAILURE() << weights;
    } catch (const InputError& e) {
      for (const char* word : words)
        EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << e.what();
    }
  };
  says("nothing.h5", {"no such weights file", "libsolve train"});
  says("dcdm-4d", {"no weights called 'dcdm-4d'"});
  says(shipped("dcdm-2d"), {"operator.dimension", "2D", "3D"});
  Weights w = read_weights(shipped("dcdm-3d"));
  Weights other = w;
  other.network = "learned-multigrid";
  says(write("other.h5", other), {"weights.network", "learned-multigrid", "'dcdm'"});
  other = w;
  other.trained_on.kind = "elasticity";
  says(write("kind.h5", other), {"operator.kind", "elasticity", "grid-diffusion"});
  other = w;
  other.options.set("channels", 4);
  says(write("shape.h5", other), {"in/weight", "2 x 1 x 3 x 3 x 3", "4 x 1 x 3 x 3 x 3"});
  other = w;
  other.arrays[0].values[3] = std::nan("");
  says(write("nan.h5", other), {"not finite"});
  other = w;
  other.options.set("chanels", 4);
  says(write("option.h5", other), {"chanels"});
}

TEST_F(Refusals, OperatorsThatAreNoGrids) {
  const auto A = make_csr_matrix(2, 2, {{0, 0, 1.0}, {1, 1, 2.0}});
  LinearSystem s(A, to_vector({1, 2}), to_vector({0, 0}));
  EXPECT_THROW(Dcdm(with(shipped("dcdm-3d")), context).setup(s), Unsupported);
  const auto line = system_of(laplace({8}));
  EXPECT_THROW(Dcdm(with("auto"), context).setup(*line), Unsupported);
}

/// A network that always answers 0, and one that knows nothing of the operator.
TEST_F(Refusals, NetworksThatAreNoGoodEndWithAReason) {
  Weights w = read_weights(shipped("dcdm-3d"));
  for (NamedArray& a : w.arrays)
    if (a.name == "out/weight") std::fill(a.values.begin(), a.values.end(), 0.0);
  const auto s = system_of(laplace({8, 8, 8}));
  Dcdm zero(with(write("zero.h5", w)), context);
  const Report r = zero.solve(*s, Monitor::none());
  EXPECT_EQ(r.status, Status::breakdown);
  EXPECT_NE(r.reason.find("zero"), std::string::npos) << r.reason;
  EXPECT_EQ(norm_max(s->x()), 0.0);

  // Answers that float cannot tell from zero.
  w = read_weights(shipped("dcdm-3d"));
  for (NamedArray& a : w.arrays)
    if (a.name == "in/weight") std::fill(a.values.begin(), a.values.end(), 1e-30);
  const auto t = system_of(laplace({32, 32, 32}));
  Dcdm poor(with(write("poor.h5", w)), context);
  const Report p = poor.solve(*t, Monitor::none());
  EXPECT_FALSE(p.converged());
  EXPECT_FALSE(p.reason.empty());
}

using AsPreconditioner = Fixture;

TEST_F(AsPreconditioner, IsThePositiveMapOfTheNetwork) {
  const auto s = system_of(laplace({16, 16, 16}));
  NetworkPreconditioner M({shipped("dcdm-3d")}, context);
  M.setup(*s);
  EXPECT_TRUE(M.is_linear());
  EXPECT_FALSE(M.is_symmetric());
  const Vector z = s->x().like("z"), z2 = s->x().like("z2");
  M.apply(s->b(), z);
  EXPECT_GT(dot(s->b(), z), 0.0);
  scale(-4.0, s->b());  // linear, up to the rounding of float
  M.apply(s->b(), z2);
  axpy(4.0, z, z2);
  EXPECT_LT(norm2(z2), 1e-5 * norm2(z));
  fill(s->b(), 0.0);
  M.apply(s->b(), z);
  EXPECT_EQ(norm2(z), 0.0);
}

}  // namespace
}  // namespace dcdm::test
