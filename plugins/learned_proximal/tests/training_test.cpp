#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <tests/support/monitors.hpp>

#include "../trainer.hpp"

namespace {

using namespace learned_proximal;
using libsolve::test::RecordingMonitor;

TrainerOptions small_training(int steps) {
  TrainerOptions o;
  o.network.channels = 6;
  o.network.layers = 2;
  o.size = 16;
  o.batch = 4;
  o.adam.steps = steps;
  o.adam.warm_up = 10;
  o.adam.learning_rate = 2e-2;
  return o;
}

Context context_of(std::uint64_t seed) {
  Context c;
  c.seed = seed;
  return c;
}

/// Some seconds: half of the noise is gone from pictures that were not trained on.
TEST(Training, LearnsToTakeOutNoise) {
  ProximalTrainer trainer(small_training(500), context_of(1));
  const Report r = trainer.train(Monitor::none());
  EXPECT_EQ(r.status, Status::converged) << r.reason;
  EXPECT_NEAR(r.value("noisy_psnr"), 20.0, 0.3);
  EXPECT_GT(r.value("psnr"), r.value("noisy_psnr") + 3.0) << "half of its power at least";
}

/// A loss of 1 everywhere has no gradient: that is no success.
TEST(Training, SaysWhereNothingIsLearned) {
  TrainerOptions o = small_training(5);
  o.l1_part = 0.0;
  o.gamma_begin = 1e-3;
  o.gamma_end = 1e-4;
  const Report r = ProximalTrainer(o, context_of(1)).train(Monitor::none());
  EXPECT_EQ(r.status, Status::stagnated) << r.reason;
  EXPECT_NE(r.reason.find("gamma_begin"), std::string::npos) << r.reason;
}

TEST(Training, ReportsOneKindOfLoss) {
  TrainerOptions o = small_training(40);
  o.l1_part = 0.5;
  ProximalTrainer trainer(o, context_of(1)), finished(o, context_of(1));
  RecordingMonitor monitor;
  const Report r = trainer.train(monitor);
  EXPECT_EQ(r.value("first_loss"), monitor.first_values[20]) << "the first of the last kind";
  finished.resume(trainer.state());
  const Report none = finished.train(Monitor::none());
  EXPECT_EQ(none.reason.find(", loss "), std::string::npos) << none.reason;
  for (const Measure& m : none.measures) EXPECT_NE(m.name, "loss");
}

TEST(Training, IsDeterministicAndResumesToTheSameDigits) {
  TrainerOptions o = small_training(30);
  o.sharpened = 0.5;
  o.l1_part = 0.5;
  ProximalTrainer whole(o, context_of(1)), again(o, context_of(1)), first(o, context_of(1)),
      second(o, context_of(1));
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
  for (std::size_t i = 0; i < a.arrays.size(); ++i) {
    EXPECT_EQ(a.arrays[i].values, b.arrays[i].values) << a.arrays[i].name;
    EXPECT_EQ(a.arrays[i].values, c.arrays[i].values) << a.arrays[i].name;
  }
  EXPECT_EQ(all.iterations.front(), 1);
  EXPECT_EQ(all.names.front(), "loss");
  ProximalTrainer other(o, context_of(2));
  EXPECT_NE(other.weights().arrays[0].values, whole.weights().arrays[0].values);
}

/// Weights stay convex: what a training gives back is taken.
TEST(Training, KeepsTheNetworkConvex) {
  TrainerOptions o = small_training(40);
  o.adam.learning_rate = 0.1;
  ProximalTrainer trainer(o, context_of(1));
  (void)trainer.train(Monitor::none());
  const Weights w = trainer.weights();
  std::size_t at_zero = 0;
  for (const NamedArray& a : w.arrays)
    if (a.name.find("hidden") != std::string::npos)
      for (const double v : a.values) {
        EXPECT_GE(v, 0.0);
        at_zero += v == 0.0 ? 1 : 0;
      }
  EXPECT_GT(at_zero, 0u) << "nothing was cut";
  EXPECT_NO_THROW((void)ConvexNetwork(o.network).from_arrays(w));
}

TEST(Training, RefusesTheStateOfAnotherNetwork) {
  TrainerOptions larger = small_training(5);
  larger.network.channels = 7;
  ProximalTrainer a(small_training(5), context_of(1)), b(larger, context_of(1));
  EXPECT_THROW(b.resume(a.state()), InputError);
}

TEST(Pictures, AreInRangeAndTheirNoiseIsAsSaid) {
  const Pictures pictures(32, 1, "test");
  double square = 0.0, mean = 0.0;
  int flat = 0, differences = 0;
  for (std::uint64_t number = 0; number < 40; ++number) {
    std::vector<double> x, again, y, blurred;
    pictures.draw(number, x);
    pictures.draw(number, again);
    EXPECT_EQ(x, again);
    for (std::size_t i = 0; i + 1 < x.size(); ++i) {
      ASSERT_TRUE(x[i] >= 0.0 && x[i] <= 1.0);
      flat += x[i] == x[i + 1] ? 1 : 0;
      ++differences;
    }
    y = blurred = x;
    pictures.add_noise(number, 0.1, 0.0, y);
    pictures.add_noise(number, 0.1, 1.0, blurred);
    EXPECT_NE(y, blurred);
    for (std::size_t i = 0; i < x.size(); ++i) {
      square += (y[i] - x[i]) * (y[i] - x[i]) / (40.0 * 1024.0);
      mean += (y[i] - x[i]) / (40.0 * 1024.0);
    }
  }
  EXPECT_GT(flat, 0.75 * differences) << "most neighbours are equal";
  // Five standard deviations of means of 40960 numbers.
  EXPECT_NEAR(square, 0.01, 5.0 * 0.01 * std::sqrt(2.0 / 40960.0));
  EXPECT_NEAR(mean, 0.0, 5.0 * 0.1 / std::sqrt(40960.0));
}

}  // namespace
