#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/learn/adam.hpp>
#include <limits>

namespace libsolve::learn {
namespace {

AdamOptions plain(int steps) {
  AdamOptions o;
  o.steps = steps;
  o.learning_rate = 0.1;
  o.warm_up = 0;
  o.decay_begin = 1.0;
  o.clip = 1e9;
  return o;
}

/// The first step is the rate whatever the size of the gradient: m^ = g, v^ = g^2.
TEST(Adam, FirstStepIsTheRate) {
  Adam adam(plain(10), 2);
  std::vector<float> w = {1.0f, 1.0f};
  EXPECT_DOUBLE_EQ(adam.step(0, {3.0, -4.0}, w), 5.0);
  EXPECT_NEAR(w[0], 0.9f, 1e-6);
  EXPECT_NEAR(w[1], 1.1f, 1e-6);
}

TEST(Adam, FindsTheLowestPoint) {
  AdamOptions o = plain(400);
  o.decay_begin = 0.2;
  Adam adam(o, 2);
  std::vector<float> w = {4.0f, -3.0f};
  for (int k = 0; k < o.steps; ++k) adam.step(k, {w[0] - 1.0, 10.0 * (w[1] - 2.0)}, w);
  EXPECT_NEAR(w[0], 1.0, 1e-2);
  EXPECT_NEAR(w[1], 2.0, 1e-2);
}

TEST(Adam, RateWarmsUpAndDecays) {
  AdamOptions o;
  o.steps = 1000;
  const Adam adam(o, 1);
  EXPECT_DOUBLE_EQ(adam.rate(0), o.learning_rate / 50.0);
  EXPECT_DOUBLE_EQ(adam.rate(49), o.learning_rate);
  EXPECT_DOUBLE_EQ(adam.rate(250), o.learning_rate);
  EXPECT_NEAR(adam.rate(649), 0.51 * o.learning_rate, 1e-3 * o.learning_rate);
  EXPECT_NEAR(adam.rate(999), 0.02 * o.learning_rate, 1e-12);
}

/// Cut to the norm: afterwards the two are the same gradient.
TEST(Adam, LongGradientsAreCut) {
  AdamOptions o = plain(10);
  o.clip = 1.0;
  Adam a(o, 2), b(o, 2);
  std::vector<float> v = {0.0f, 0.0f}, w = v;
  a.step(0, {0.6, 0.8}, v);
  b.step(0, {600.0, 800.0}, w);
  a.step(1, {0.1, 0.0}, v);
  b.step(1, {0.1, 0.0}, w);
  EXPECT_NEAR(v[0], w[0], 1e-6);
  EXPECT_NEAR(v[1], w[1], 1e-6);
}

TEST(Adam, GradientsThatAreNoNumbersChangeNothing) {
  Adam adam(plain(10), 1);
  std::vector<float> w = {1.0f};
  EXPECT_TRUE(std::isnan(adam.step(0, {std::nan("")}, w)));
  EXPECT_EQ(w[0], 1.0f);
}

TEST(Adam, GoesOnFromItsState) {
  Adam whole(plain(10), 1), first(plain(10), 1), second(plain(10), 1);
  std::vector<float> v = {1.0f}, w = {1.0f};
  for (int k = 0; k < 6; ++k) whole.step(k, {v[0] + 0.1 * k}, v);
  for (int k = 0; k < 3; ++k) first.step(k, {w[0] + 0.1 * k}, w);
  Weights state;
  state.arrays = first.state();
  second.resume(state);
  for (int k = 3; k < 6; ++k) second.step(k, {w[0] + 0.1 * k}, w);
  EXPECT_EQ(v, w);
  Adam other(plain(10), 2);
  EXPECT_THROW(other.resume(state), InputError);
}

}  // namespace
}  // namespace libsolve::learn
