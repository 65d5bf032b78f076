#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/io/weights_file.hpp>
#include <tests/support/monitors.hpp>

#include "support.hpp"
#include "trainer.hpp"

namespace hard_constraint_experts::test {
namespace {

struct Training : ::testing::Test {
  Training() {
    Registrar registrar(registry, "", "0");
    registrar.add<DiffusionSorptionSource>({.name = "diffusion-sorption", .summary = "the source"});
    context.registry = &registry;
    context.base_folder = folder.path();
  }
  std::string write(const std::string& name, const Weights& weights) {
    Hdf5File f = Hdf5File::create(folder.file(name));
    write_weights(f, weights, nullptr);
    f.close();
    return folder.file(name);
  }
  libsolve::test::TemporaryFolder folder;
  Registry registry;
  Context context;
};

TrainerOptions small_training(int steps) {
  TrainerOptions o;
  o.network = {.functions = 4, .hidden = 12, .layers = 2};
  o.adam.steps = steps;
  o.adam.warm_up = 10;
  o.experts.experts = {1, 2};
  o.experts.sampled_points = 60;
  o.problem = ComponentSpec("diffusion-sorption");
  o.problem.options.set("size", 16);
  o.problem.options.set("steps", 12);
  return o;
}

std::string shipped(const std::string& name) {
  return std::string(LIBSOLVE_SOURCE_DIR) + "/data/learned/" + name + ".h5";
}

/// Fourth order differences.
template <class Value>
double difference(const Value& value, double h) {
  return (8.0 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12.0 * h);
}

TEST(BasisNetwork, GradientIsExact) {
  const SorptionGrid g = small_grid(7, 5);
  BasisNetwork network({.functions = 3, .hidden = 6, .layers = 2}, 1);
  const Basis basis("test::basis", g.num_nodes(), 3), by_basis("test::by_basis", g.num_nodes(), 3);
  const RandomStream numbers(1, "test::network");
  for (std::size_t k = 0; k < by_basis.size(); ++k) by_basis.data()[k] = numbers.normal(k);
  std::vector<double> gradient(network.parameters().size(), 0.0);
  network.add_gradient(g, by_basis, gradient);
  for (std::size_t p = 0; p < gradient.size(); p += 5) {
    const float at = network.parameters()[p];
    const auto value = [&](double step) {
      network.parameters()[p] = at + static_cast<float>(step);
      const double taken = network.parameters()[p] - static_cast<double>(at);
      network.evaluate(g, basis);
      double sum = 0.0;
      for (std::size_t k = 0; k < basis.size(); ++k) sum += by_basis.data()[k] * basis.data()[k];
      network.parameters()[p] = at;
      return std::pair(sum, taken);
    };
    // Parameters are float: the steps are those that were taken.
    const auto [above, up] = value(0.0078125);
    const auto [below, down] = value(-0.0078125);
    EXPECT_NEAR((above - below) / (up - down), gradient[p], 1e-3 * (1.0 + std::abs(gradient[p])))
        << p;
  }
}

TEST(ResidualLoss, GradientIsExact) {
  const SorptionGrid g = small_grid(10, 6);
  const RandomStream numbers(1, "test::loss");
  std::vector<double> u = stepped(g), direction(u.size()), gradient(u.size());
  for (std::size_t k = 0; k < u.size(); ++k) {
    u[k] += 0.05 * numbers.normal(k);
    direction[k] = numbers.normal(1000 + k);
  }
  for (const char* kind : {"residual", "newton-step"}) {
    std::vector<double> ignored(u.size());
    const auto value = [&](double h) {
      std::vector<double> v = u;
      for (std::size_t k = 0; k < v.size(); ++k) v[k] += h * direction[k];
      return residual_loss(kind, g, v, ignored);
    };
    EXPECT_GT(residual_loss(kind, g, u, gradient), 1e-5);
    double product = 0.0;
    for (std::size_t k = 0; k < u.size(); ++k) product += gradient[k] * direction[k];
    EXPECT_NEAR(product, difference(value, 1e-4), 1e-8 * std::abs(product)) << kind;
  }
}

/// Half the squared relative error, but for terms of third order.
TEST(ResidualLoss, OfTheNewtonStepIsTheError) {
  const SorptionGrid g = small_grid();
  const std::vector<double> exact_u = stepped(g);
  std::vector<double> u = exact_u, gradient(u.size());
  const RandomStream numbers(2, "test::loss");
  for (std::size_t k = 0; k < u.size(); ++k) u[k] += 1e-3 * numbers.normal(k);
  const double error = relative_difference(u, exact_u);
  EXPECT_NEAR(std::sqrt(2.0 * residual_loss("newton-step", g, u, gradient)), error, 0.02 * error);
  EXPECT_NEAR(relative_newton_step(g, u), error, 0.02 * error);
}

/// From parameters to loss, through the network and the experts' least squares.
TEST_F(Training, GradientIsExactEndToEnd) {
  for (const char* loss : {"newton-step", "residual"}) {
    TrainerOptions o = small_training(5);
    o.loss = loss;
    o.experts.expert_tolerance = 1e-13;
    o.experts.expert_iterations = 200;
    o.experts.ridge = 1e-4;
    o.initial_low = 0.4;
    o.initial_high = 0.6;
    HardConstraintExpertsTrainer trainer(o, context);
    std::vector<double> gradient, ignored;
    (void)trainer.differentiate(gradient);
    auto& parameters = trainer.network().parameters();
    ASSERT_EQ(gradient.size(), parameters.size());
    double largest = 0.0;
    for (const double v : gradient) largest = std::max(largest, std::abs(v));
    for (std::size_t p = 0; p < parameters.size(); p += 17) {
      const float at = parameters[p];
      const auto value = [&](double step) {
        parameters[p] = at + static_cast<float>(step);
        const double taken = parameters[p] - static_cast<double>(at);
        const double l = trainer.differentiate(ignored);
        parameters[p] = at;
        return std::pair(l, taken);
      };
      const auto [above, up] = value(1.0 / 2048);
      const auto [below, down] = value(-1.0 / 2048);
      EXPECT_NEAR((above - below) / (up - down), gradient[p], 1e-3 * largest) << loss << " " << p;
    }
  }
}

TEST_F(Training, LearnsInSeconds) {
  TrainerOptions o = small_training(400);
  o.adam.learning_rate = 1e-2;
  HardConstraintExpertsTrainer trainer(o, context);
  const Report r = trainer.train(Monitor::none());
  EXPECT_EQ(r.status, Status::converged) << r.reason;
  EXPECT_LT(r.value("loss"), 0.02 * r.value("first_loss"));
  EXPECT_LT(r.value("mean_relative_error"), 0.05);
  // What it learned is of use where it did not train, to the method that reads the file.
  HardConstraintExpertsOptions method;
  method.weights = write("w.h5", trainer.weights());
  method.experts = o.experts;
  method.experts.sampled_points = 0;
  SorptionGrid g;
  g.size = 16;
  g.steps = 12;
  g.initial = 0.123;
  const auto problem = make(options_of(g));
  (void)HardConstraintExperts(method, context).solve(*problem, Monitor::none());
  EXPECT_LT(relative_difference(problem->host_x(), stepped(g)), 0.05);
}

/// Experts cut short: their gradients are not exact, and the report says so.
TEST_F(Training, CountsExpertsThatAreNotAtTheirMinimum) {
  TrainerOptions o = small_training(5);
  EXPECT_EQ(HardConstraintExpertsTrainer(o, context).train(Monitor::none()).notes.size(), 0U);
  o.experts.expert_iterations = 1;
  o.experts.expert_tolerance = 1e-12;
  HardConstraintExpertsTrainer trainer(o, context);
  const Report r = trainer.train(Monitor::none());
  EXPECT_EQ(r.value("experts_not_converged"), 5.0 * o.experts.in_time() * o.experts.in_space());
  ASSERT_EQ(r.notes.size(), 1U);
  EXPECT_NE(r.notes[0].find("gradients are not exact"), std::string::npos) << r.notes[0];
  EXPECT_NE(r.reason.find("not at their minimum"), std::string::npos) << r.reason;
}

TEST_F(Training, WeightsKnowWhatTheyHaveSeen) {
  TrainerOptions o = small_training(5);
  o.initial_low = 0.1;
  o.initial_high = 0.3;
  const Weights w = HardConstraintExpertsTrainer(o, context).weights();
  EXPECT_NE(w.trained_on.description.find("u(x, 0) from 0.1 to 0.3"), std::string::npos);
  const TrainedRange range = TrainedRange::of(w);
  SorptionGrid g;  // the medium of the training
  g.size = 12;
  g.steps = 9;
  g.initial = 0.3;
  EXPECT_EQ(range.what_differs(g), "");
  g.initial = 0.31;
  EXPECT_EQ(range.what_differs(g), "u(x, 0) = 0.31 (trained: 0.1 to 0.3)");
  g.initial = 0.2;
  g.law.diffusivity = 1e-3;
  g.law.density *= 2.0;
  EXPECT_NE(range.what_differs(g).find("D = 0.001 (trained: "), std::string::npos)
      << range.what_differs(g);
  EXPECT_NE(range.what_differs(g).find("K = "), std::string::npos) << range.what_differs(g);
  Weights without = w;
  std::erase_if(without.arrays, [](const NamedArray& a) { return a.name == "trained_range"; });
  EXPECT_THROW((void)TrainedRange::of(without), InputError);
  // The method says it where it matters.
  HardConstraintExpertsOptions method;
  method.weights = write("range.h5", w);
  DiffusionSorptionOptions other = options_of(g);
  other.diffusivity = 1e-3;
  const auto problem = make(other);
  const Report report = HardConstraintExperts(method, context).solve(*problem, Monitor::none());
  ASSERT_EQ(report.notes.size(), 2U);
  EXPECT_NE(report.notes[1].find("not seen D = 0.001"), std::string::npos) << report.notes[1];
}

TEST_F(Training, IsDeterministicAndResumesToTheSameDigits) {
  const TrainerOptions o = small_training(20);
  HardConstraintExpertsTrainer whole(o, context), again(o, context), first(o, context),
      second(o, context);
  libsolve::test::RecordingMonitor all, stops(8, Verdict::interrupted);
  (void)whole.train(all);
  (void)again.train(Monitor::none());
  EXPECT_EQ(first.train(stops).status, Status::interrupted);
  second.resume(first.state());
  EXPECT_EQ(second.train(Monitor::none()).iterations, 20);
  EXPECT_EQ(whole.network().parameters(), again.network().parameters());
  EXPECT_EQ(whole.network().parameters(), second.network().parameters());
  EXPECT_EQ(all.iterations.front(), 1);
  EXPECT_EQ(all.names.front(), "loss");
  Context other = context;
  other.seed = 2;
  EXPECT_NE(HardConstraintExpertsTrainer(o, other).network().parameters(),
            HardConstraintExpertsTrainer(o, context).network().parameters());
}

TEST_F(Training, RefusesWhatIsNotItsOwn) {
  TrainerOptions larger = small_training(5);
  larger.network.hidden = 13;
  HardConstraintExpertsTrainer a(small_training(5), context), b(larger, context);
  EXPECT_THROW(b.resume(a.state()), InputError);
  Weights w = a.weights();
  w.network = "dcdm";
  EXPECT_THROW(BasisNetwork{w}, InputError);
  w = a.weights();
  w.trained_on.kind = "poisson";
  HardConstraintExpertsOptions o;
  o.weights = write("poisson.h5", w);
  const auto problem = make(options_of(small_grid()));
  EXPECT_THROW((void)HardConstraintExperts(o, context).solve(*problem, Monitor::none()),
               InputError);
}

/// Functions of 1e39: whatever becomes of the least squares, the solution stays finite.
TEST_F(Training, SurvivesHugeFunctions) {
  const HardConstraintExpertsTrainer trainer(small_training(1), context);
  Weights w = trainer.weights();
  for (NamedArray& array : w.arrays)
    if (array.name == "layer2/weight")
      for (double& v : array.values) v = 3e38;
  HardConstraintExpertsOptions o;
  o.weights = write("large.h5", w);
  const auto problem = make(options_of(small_grid()));
  const Report report = HardConstraintExperts(o, context).solve(*problem, Monitor::none());
  EXPECT_FALSE(report.converged());
  for (const double v : problem->host_x()) ASSERT_TRUE(std::isfinite(v)) << report.reason;
}

/// The weights of the repository: about one part in a hundred on the grid they know, little more on
/// a finer one; twice as many polynomials are several times as wrong. Where they trained, the
/// equations improve what initial and boundary values alone (and one equation) make of the basis.
TEST_F(Training, ShippedWeightsAreOfUse) {
  HardConstraintExpertsOptions o;
  o.weights = shipped("diffusion-sorption-experts");
  const auto error = [&](const HardConstraintExpertsOptions& options, int size, int steps,
                         double initial) {
    SorptionGrid g;
    g.size = size;
    g.steps = steps;
    g.initial = initial;
    const auto problem = make(options_of(g));
    (void)HardConstraintExperts(options, context).solve(*problem, Monitor::none());
    return relative_difference(problem->host_x(), stepped(g));
  };
  HardConstraintExpertsOptions polynomials;
  polynomials.basis = "chebyshev";
  HardConstraintExpertsOptions values = o;
  values.experts.experts = {1, 1};
  values.experts.sampled_points = 1;
  double with = 0.0, without = 0.0;
  for (const double initial : {0.03, 0.11, 0.19}) {
    with += error(o, 64, 50, initial);
    without += error(values, 64, 50, initial);
    const double learned = error(o, 64, 50, initial);
    EXPECT_LT(learned, 0.015) << initial;
    EXPECT_LT(4.0 * learned, error(polynomials, 64, 50, initial)) << initial;
    EXPECT_LT(error(o, 96, 80, initial), 0.03) << initial;
  }
  EXPECT_LT(with, without);
}

}  // namespace
}  // namespace hard_constraint_experts::test
