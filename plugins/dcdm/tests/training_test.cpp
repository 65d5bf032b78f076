#include <gtest/gtest.h>

#include <cmath>
#include <tests/support/monitors.hpp>

#include "dcdm_test_support.hpp"
#include "lanczos.hpp"

namespace dcdm::test {
namespace {

DcdmTrainerOptions small_training(int steps) {
  DcdmTrainerOptions o;
  o.adam.steps = steps;
  o.adam.warm_up = 10;
  o.problem = ComponentSpec("poisson");
  return o;
}

using Training = Fixture;

/// Some seconds: the loss falls to a hundredth, and a solve needs a sixth of the steps of CG.
TEST_F(Training, LearnsInSeconds) {
  DcdmTrainer trainer(small_training(500), context);
  const Report r = trainer.train(Monitor::none());
  EXPECT_EQ(r.status, Status::converged) << r.reason;
  EXPECT_LT(r.value("loss"), 0.05 * r.value("first_loss"));
  EXPECT_LE(6.0 * r.value("iterations_to_1e-6"), 2.0 * r.value("cg_iterations_to_1e-6"));
  const auto s = system_of(laplace({16, 16, 16}));
  DcdmOptions o;
  o.weights = write("w.h5", trainer.weights());
  o.stopping.relative_tolerance = 1e-6;
  const Report solved = Dcdm(o, context).solve(*s, Monitor::none());
  EXPECT_TRUE(solved.converged()) << solved.reason;
  EXPECT_LE(solved.iterations, 17) << "a third of what CG needs";
}

/// Other data, other networks: all learn.
TEST_F(Training, EveryKindOfDataAndNetworkLearns) {
  for (const char* data : {"smoothed-noise", "ritz", "own-residuals"})
    for (const char* activation : {"none", "relu"}) {
      DcdmTrainerOptions o = small_training(60);
      o.data.data = data;
      o.data.samples = 50;
      o.data.ritz_vectors = 40;
      o.network.activation = activation;
      o.batch = 4;
      o.problem.options.set("ball", true);
      DcdmTrainer trainer(o, context);
      const Report r = trainer.train(Monitor::none());
      EXPECT_EQ(r.status, Status::converged) << r.reason;
      EXPECT_LT(r.value("loss"), 0.95 * r.value("first_loss")) << data << " " << activation;
    }
}

/// The same weights whatever the number of threads that is asked of Kokkos: samples are added in
/// order. Here: twice the same.
TEST_F(Training, IsDeterministicAndResumesToTheSameDigits) {
  for (const char* data : {"own-residuals", "ritz"}) {
    DcdmTrainerOptions o = small_training(30);
    o.data.data = data;
    o.data.ritz_vectors = 20;
    DcdmTrainer whole(o, context), again(o, context), first(o, context), second(o, context);
    RecordingMonitor all;
    (void)whole.train(all);
    (void)again.train(Monitor::none());
    RecordingMonitor stops(12, Verdict::interrupted);
    const Report cut = first.train(stops);
    EXPECT_EQ(cut.status, Status::interrupted);
    EXPECT_EQ(cut.iterations, 12);
    second.resume(first.state());
    (void)second.train(Monitor::none());
    const Weights a = whole.weights(), b = again.weights(), c = second.weights();
    for (size_t i = 0; i < a.arrays.size(); ++i) {
      EXPECT_EQ(a.arrays[i].values, b.arrays[i].values) << a.arrays[i].name;
      EXPECT_EQ(a.arrays[i].values, c.arrays[i].values) << a.arrays[i].name;
    }
    EXPECT_EQ(all.iterations.front(), 1);
    EXPECT_EQ(all.names.front(), "loss");
  }
}

TEST_F(Training, OtherSeedsGiveOtherWeights) {
  Context other = context;
  other.seed = 2;
  DcdmTrainer a(small_training(2), context), b(small_training(2), other);
  EXPECT_NE(a.weights().arrays[0].values, b.weights().arrays[0].values);
}

TEST_F(Training, RefusesTheStateOfAnotherNetwork) {
  DcdmTrainerOptions larger = small_training(5);
  larger.network.channels = 3;
  DcdmTrainer a(small_training(5), context), b(larger, context);
  EXPECT_THROW(b.resume(a.state()), InputError);
}

/// The paper's networks have the parameters and the work that its code gives them.
TEST(Networks, HaveThePublishedSizes) {
  const auto plan = [](const char* name, int channels = 2, const char* activation = "none") {
    NetworkOptions o;
    o.network = name;
    o.channels = channels;
    o.activation = activation;
    return make_plan(o, 3);
  };
  EXPECT_EQ(plan("published-64").num_parameters(), 97457u);
  EXPECT_NEAR(plan("published-64").multiply_adds_per_cell(), 60928.0, 1.0);
  EXPECT_EQ(plan("published-128").num_parameters(), 152881u);
  EXPECT_NEAR(plan("published-128").multiply_adds_per_cell(), 92032.0, 1.0);
  EXPECT_FALSE(plan("published-64").is_linear());
  EXPECT_EQ(plan("u-net").num_parameters(), 1460u);
  EXPECT_NEAR(plan("u-net").multiply_adds_per_cell(), 444.1, 0.1);
  EXPECT_TRUE(plan("u-net").is_linear());
  EXPECT_EQ(plan("u-net", 8).num_parameters(), 22688u);
  EXPECT_EQ(plan("u-net", 8, "relu").num_parameters(), 22801u);
}

TEST(Lanczos, TridiagonalEigenpairsAreThose) {
  // The 1D Laplacian of n cells: 2 - 2 cos(pi k / (n + 1)).
  const int n = 30;
  const TridiagonalEigen e =
      tridiagonal_eigen(std::vector<double>(n, 2.0), std::vector<double>(n - 1, -1.0));
  for (int k = 0; k < n; ++k) {
    const auto& v = e.vectors[size_t(k)];
    EXPECT_NEAR(e.values[size_t(k)], 2.0 - 2.0 * std::cos(M_PI * (k + 1) / (n + 1)), 1e-13);
    for (int l = 0; l <= k; ++l)
      EXPECT_NEAR(dcdm::dot(v, e.vectors[size_t(l)]), l == k ? 1.0 : 0.0, 1e-13);
    for (int i = 0; i < n; ++i) {
      const double Av = 2.0 * v[size_t(i)] - (i > 0 ? v[size_t(i - 1)] : 0.0) -
                        (i + 1 < n ? v[size_t(i + 1)] : 0.0);
      EXPECT_NEAR(Av, e.values[size_t(k)] * v[size_t(i)], 1e-13);
    }
  }
}

/// Ritz vectors stay orthonormal long after the first have converged, and the extreme ones are
/// eigenvectors.
TEST(Lanczos, RitzVectorsAreOrthonormal) {
  const HostOperator A(*laplace({6, 7, 5}));
  std::vector<double> start(A.size());
  white_noise(A, RandomStream(1, "start"), 0, start);
  const RitzPairs p = lanczos(A, start, 80);
  ASSERT_EQ(p.values.size(), 80u);
  double worst = 0.0;
  for (size_t k = 0; k < p.vectors.size(); ++k)
    for (size_t l = 0; l <= k; ++l)
      worst =
          std::max(worst, std::abs(dcdm::dot(p.vectors[k], p.vectors[l]) - (k == l ? 1.0 : 0.0)));
  EXPECT_LT(worst, 1e-12);
  double smallest = 6.0;
  for (const int n : {6, 7, 5}) smallest -= 2.0 * std::cos(M_PI / (n + 1));
  EXPECT_NEAR(p.values[0], smallest, 1e-10);
  std::vector<double> Av(A.size());
  A.apply(p.vectors[0].data(), Av.data());
  add(-p.values[0], p.vectors[0], Av);
  EXPECT_LT(std::sqrt(dcdm::dot(Av, Av)), 1e-6);
  // A space that is exhausted ends the iteration.
  EXPECT_LE(lanczos(A, p.vectors[0], 50).values.size(), 10u);
}

}  // namespace
}  // namespace dcdm::test
