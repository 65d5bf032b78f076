#include "../learned_multigrid.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/monitor.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/io/weights_file.hpp>
#include <libsolve/plugin/loader.hpp>
#include <tests/support/temporary_folder.hpp>
#include <tests/support/vectors.hpp>

#include "../choice_trainer.hpp"
#include "../guard.hpp"
#include "../steps_to_solve.hpp"
#include "../training_operators.hpp"
#include "hard_cases.hpp"

namespace multigrid::test {
namespace {

using libsolve::StencilOperator;
using libsolve::Vector;
using libsolve::test::to_host;
using libsolve::test::to_vector;

libsolve::LinearSystem system_of(const Problem& p) {
  libsolve::Grid grid;
  for (int a = 0; a < 3; ++a) grid.cells[a] = p.n[a];
  StencilOperator::Variable v;
  for (int a = 0; a < 3; ++a) v.face[a] = to_vector(p.face[a]).view();
  v.excess = to_vector(p.excess).view();
  std::mt19937_64 random(1);
  Numbers b(p.size());
  for (double& x : b) x = std::uniform_real_distribution<double>(-1, 1)(random);
  const Vector rhs = to_vector(b);
  return libsolve::LinearSystem(std::make_shared<StencilOperator>(grid, v), rhs, rhs.like("x"));
}

Problem neumann_boxes(const std::array<int, 3>& n) {
  Setting s{n, {}, solids(n, Shapes::boxes, 1)};
  s.dirichlet_solids = false;
  return make_problem(s);
}

/// Weights with which the network foresees that setting `best` is the cheapest, whatever the
/// operator.
libsolve::Weights weights_for(int best, int dimension = 3) {
  ChoiceNetwork network(1);
  auto& p = network.parameters();
  std::fill(p.begin(), p.end(), 0.0);
  for (int s = 0; s < num_settings; ++s) p[p.size() - num_settings + s] = s == best ? 0.0 : 1.0;
  libsolve::Weights w = network.weights();
  w.trained_on = {"diffusion", dimension, std::vector<int>(dimension, 32), "a test"};
  return w;
}

std::string write(const libsolve::test::TemporaryFolder& folder, const libsolve::Weights& w) {
  const std::string path = folder.file("w.h5");
  libsolve::Hdf5File file = libsolve::Hdf5File::create(path);
  libsolve::write_weights(file, w, nullptr);
  return path;
}

int setting_called(const std::string& name) {
  for (int s = 0; s < num_settings; ++s)
    if (setting(s).name == name) return s;
  return -1;
}

LearnedMultigrid with(const std::string& weights, bool guard = true) {
  LearnedMultigridOptions o;
  o.weights = weights;
  o.guard = guard;
  o.min_cells = 1000;
  return LearnedMultigrid(o, libsolve::Context{});
}

TEST(LearnedMultigrid, TakesWhatIsForeseenToBeCheapest) {
  const libsolve::test::TemporaryFolder folder;
  const auto system = system_of(neumann_boxes({32, 32, 32}));
  const int best = setting_called("piecewise-constant W(2,2)");
  ASSERT_GT(best, plain_setting);
  LearnedMultigrid M = with(write(folder, weights_for(best)), false);
  M.setup(system);
  EXPECT_EQ(M.chosen(), best);
  EXPECT_NE(M.notes().at(1).find("piecewise-constant"), std::string::npos);
  // the same cycle as that of multigrid asked for it
  Multigrid by_hand(setting(best).options, libsolve::Context{});
  by_hand.setup(system);
  const Vector z = system.b().like("z"), w = system.b().like("w");
  M.apply(system.b(), z);
  by_hand.apply(system.b(), w);
  EXPECT_EQ(to_host(z), to_host(w));
}

/// Full piecewise-constant levels at unaligned jumps: four times the steps of plain multigrid.
TEST(LearnedMultigrid, StepsBackFromASettingThatIsBadHere) {
  const libsolve::test::TemporaryFolder folder;
  const std::array<int, 3> n{60, 60, 60};
  const auto system = system_of(make_problem({n, block_jumps(n, 1, 23), {}}));
  const std::string weights = write(folder, weights_for(setting_called("piecewise-constant W(2,2)")));
  LearnedMultigrid trusting = with(weights, false);
  trusting.setup(system);
  EXPECT_NE(trusting.chosen(), plain_setting);
  LearnedMultigrid M = with(weights);
  M.setup(system);
  EXPECT_EQ(M.chosen(), plain_setting) << M.notes().at(0);
  EXPECT_NE(M.notes().at(0).find("stepped back"), std::string::npos) << M.notes().at(0);
}

TEST(LearnedMultigrid, SameChoiceAndNumbersTwice) {
  const libsolve::test::TemporaryFolder folder;
  const auto system = system_of(neumann_boxes({32, 30, 34}));
  const std::string weights = write(folder, weights_for(setting_called("piecewise-constant V(3,3)")));
  std::vector<double> results[2];
  int chosen[2];
  for (int i = 0; i < 2; ++i) {
    LearnedMultigrid M = with(weights);
    M.setup(system);
    chosen[i] = M.chosen();
    const Vector z = system.b().like("z");
    M.apply(system.b(), z);
    results[i] = to_host(z);
  }
  EXPECT_EQ(chosen[0], chosen[1]);
  EXPECT_EQ(results[0], results[1]);
}

TEST(LearnedMultigrid, SymmetricOrderIsSymmetricPositiveDefinite) {
  const libsolve::test::TemporaryFolder folder;
  const auto system = system_of(neumann_boxes({32, 32, 32}));
  for (int s = 0; s < num_settings; ++s) {
    SCOPED_TRACE(setting(s).name);
    LearnedMultigridOptions o;
    o.weights = write(folder, weights_for(s));
    o.guard = false;
    o.min_cells = 1000;
    o.order = "symmetric";
    LearnedMultigrid M(o, libsolve::Context{});
    M.setup(system);
    ASSERT_TRUE(M.is_symmetric());
    std::mt19937_64 random(7);
    Numbers a(system.b().local_size()), c(a.size());
    for (double& x : a) x = std::normal_distribution<double>()(random);
    for (double& x : c) x = std::normal_distribution<double>()(random);
    const Vector u = to_vector(a), v = to_vector(c), Mu = u.like("Mu"), Mv = u.like("Mv");
    M.apply(u, Mu);
    M.apply(v, Mv);
    EXPECT_NEAR(libsolve::dot(u, Mv), libsolve::dot(v, Mu),
                1e-4 * libsolve::norm2(u) * libsolve::norm2(Mv));
    EXPECT_GT(libsolve::dot(u, Mu), 0.0);
  }
}

TEST(LearnedMultigrid, RefusesWeightsThatDoNotFit) {
  const libsolve::test::TemporaryFolder folder;
  const auto system = system_of(neumann_boxes({24, 24, 24}));
  const auto refuses = [&](const libsolve::Weights& w) {
    LearnedMultigrid M = with(write(folder, w));
    EXPECT_THROW(M.setup(system), libsolve::InputError);
  };
  refuses(weights_for(1, 2));  // trained in 2D
  libsolve::Weights other = weights_for(1);
  other.network = "dcdm";
  refuses(other);
  other = weights_for(1);
  other.trained_on.kind = "elasticity";
  refuses(other);
  other = weights_for(1);
  other.options.set("settings", "none");
  refuses(other);
  other = weights_for(1);
  other.arrays[0].shape = {3, 3};
  other.arrays[0].values.resize(9);
  refuses(other);
  LearnedMultigrid missing = with("no-such-weights");
  EXPECT_THROW(missing.setup(system), libsolve::InputError);
}

/// A process parses a file once, and notices when it has become another.
TEST(LearnedMultigrid, ReadsWeightsThatHaveChanged) {
  const libsolve::test::TemporaryFolder folder;
  const auto system = system_of(neumann_boxes({24, 24, 24}));
  const int first = setting_called("piecewise-constant V(3,3)");
  const int second = setting_called("piecewise-constant F(3,3)");
  for (const int best : {first, first, second}) {
    const std::string path = write(folder, weights_for(best));
    // a file system may keep whole seconds only
    std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() +
                                               std::chrono::seconds(10 * best));
    LearnedMultigrid M = with(path, false);
    M.setup(system);
    EXPECT_EQ(M.chosen(), best);
  }
}

/// The survey that the choice was made from builds the same levels as multigrid's own.
TEST(LearnedMultigrid, PlainIsMultigridItself) {
  const libsolve::test::TemporaryFolder folder;
  const std::array<int, 3> n{30, 28, 26};
  for (const auto& system :
       {system_of(neumann_boxes(n)), system_of(make_problem({n, block_jumps(n, 1, 7), {}}))}) {
    LearnedMultigrid M = with(write(folder, weights_for(plain_setting)));
    M.setup(system);
    ASSERT_EQ(M.chosen(), plain_setting);
    Multigrid plain({}, libsolve::Context{});
    plain.setup(system);
    const Vector z = system.b().like("z"), w = system.b().like("w");
    M.apply(system.b(), z);
    plain.apply(system.b(), w);
    EXPECT_EQ(to_host(z), to_host(w));
    EXPECT_EQ(M.notes().at(1), plain.notes().at(0));
  }
}

TEST(LearnedMultigrid, SmallGridsArePlainWithoutWeights) {
  LearnedMultigridOptions o;
  o.weights = "no-such-weights";
  LearnedMultigrid M(o, libsolve::Context{});
  M.setup(system_of(neumann_boxes({12, 12, 12})));
  EXPECT_EQ(M.chosen(), plain_setting);
}

TEST(ChoiceNetwork, GradientIsThatOfTheLoss) {
  ChoiceNetwork network(3);
  Features f;
  for (int i = 0; i < num_features; ++i) f[i] = std::sin(1.7 * i);
  ChoiceNetwork::Costs target, weight;
  for (int s = 0; s < num_settings; ++s) {
    target[s] = 0.1 * s;
    weight[s] = 1.0 / (1 + s);
  }
  std::vector<double> gradient(ChoiceNetwork::num_parameters, 0.0), unused = gradient;
  network.add_gradient(f, target, weight, gradient);
  for (int i = 0; i < ChoiceNetwork::num_parameters; i += 13) {
    double& p = network.parameters()[i];
    const double before = p, h = 1e-5;
    p = before + h;
    const double above = network.add_gradient(f, target, weight, unused);
    p = before - h;
    const double below = network.add_gradient(f, target, weight, unused);
    p = before;
    EXPECT_NEAR(gradient[i], (above - below) / (2 * h), 1e-7) << i;
  }
}

/// Features tell a uniform medium, block jumps, solids and weak axes apart.
TEST(Features, SayWhatIsThere) {
  const std::array<int, 3> n{32, 32, 32};
  const auto features = [](const libsolve::LinearSystem& s) {
    Survey survey(dynamic_cast<const StencilOperator&>(s.A()), 0.5);
    return features_of(survey);
  };
  const Features uniform = features(system_of(make_problem({n, {}, {}})));
  const Features jumps = features(system_of(make_problem({n, block_jumps(n, 1, 5), {}})));
  const Features walls = features(system_of(neumann_boxes(n)));
  Setting weak{n, {}, {}};
  weak.axis = {1, 1, 0.01};
  const Features stretched = features(system_of(make_problem(weak)));
  const int range = global_features;  // of couplings in boxes of two cells
  EXPECT_NEAR(uniform[range], 0.0, 1e-12);
  EXPECT_GT(jumps[range], 0.02);
  EXPECT_EQ(uniform[6], 0.0);
  EXPECT_GT(walls[6], 0.1);
  EXPECT_GT(walls[7], 0.02);
  EXPECT_NEAR(stretched[1], -2.0 / 3, 0.05);
  EXPECT_NEAR(uniform[1], 0.0, 0.05);
  // levels that multigrid takes
  const auto levels = [](const Features& f) { return std::array<double, 3>{f[10], f[11], f[12]}; };
  EXPECT_EQ(levels(uniform), (std::array<double, 3>{0, 0, 0}));
  EXPECT_EQ(levels(walls), (std::array<double, 3>{0, 0, 1}));
  EXPECT_EQ(levels(jumps), (std::array<double, 3>{1, 0, 0}));
  EXPECT_GT(jumps[13], 0.5);
  EXPECT_EQ(walls[13], 0.0);
}

TEST(Guard, CountsStepsByTheChebyshevBound) {
  EXPECT_NEAR(steps_for(0.1), std::log(1e-8) / std::log(0.1 / (1 + std::sqrt(0.99))), 1e-12);
  EXPECT_EQ(steps_for(1.2), 200.0);
  EXPECT_GT(steps_for(0.5), steps_for(0.3));
}

/// 2.5 times the length made 2.5 times the steps: twice that length makes twice as many.
TEST(Guard, LetsStepsGrowWithTheLength) {
  EXPECT_EQ(grown_steps(9, 7), 7);
  EXPECT_EQ(grown_steps(7, 7), 7);
  EXPECT_NEAR(grown_steps(4, 10), 20, 1e-12);
  EXPECT_NEAR(grown_steps(4, 25), 100, 1e-12);
}

/// Keeps the losses; stops after `last` steps.
struct Losses final : libsolve::Monitor {
  std::vector<double> loss;
  std::int64_t last = 1 << 30;
  libsolve::Verdict observe(std::int64_t step, std::span<const libsolve::Sample> samples) override {
    loss.push_back(samples[0].value);
    return step >= last ? libsolve::Verdict::interrupted : libsolve::Verdict::proceed;
  }
};

class SmallTraining : public ::testing::Test {
 protected:
  SmallTraining() {
    libsolve::load_plugins(registry_);
    context_.registry = &registry_;
    options_.families = {"masks", "anisotropy"};
    options_.sizes = {16};
    options_.operators = 10;
    options_.steps = 30;
    options_.epochs = 5;
  }
  libsolve::Registry registry_;
  libsolve::Context context_;
  ChoiceTrainerOptions options_;
};

/// The loss over all ten operators falls, and what the network then takes is no dearer than plain.
TEST_F(SmallTraining, ImprovesItsObjective) {
  ChoiceTrainer trainer(options_, context_);
  Losses losses;
  const libsolve::Report report = trainer.train(losses);
  EXPECT_EQ(report.status, libsolve::Status::converged);
  ASSERT_EQ(losses.loss.size(), 30u);
  EXPECT_LT(losses.loss.back(), 0.5 * losses.loss[9]);
  EXPECT_GE(report.value("gain"), 1.0);
  EXPECT_LE(report.value("gain"), report.value("gain_of_best") + 1e-12);
}

TEST_F(SmallTraining, SameSeedSameWeightsAlsoResumed) {
  options_.steps = 14;
  ChoiceTrainer whole(options_, context_);
  Losses losses;
  (void)whole.train(losses);
  ChoiceTrainer first(options_, context_);
  losses.last = 6;
  (void)first.train(losses);
  ChoiceTrainer second(options_, context_);
  second.resume(first.state());
  losses.last = 1 << 30;
  (void)second.train(losses);
  const auto a = whole.weights(), b = second.weights();
  for (std::size_t i = 0; i < a.arrays.size(); ++i) EXPECT_EQ(a.arrays[i].values, b.arrays[i].values);
}

}  // namespace
}  // namespace multigrid::test
