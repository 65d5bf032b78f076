#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <libsolve/pde/theta_scheme.hpp>
#include <libsolve/pde/time_adjoint.hpp>
#include <limits>
#include <map>
#include <numbers>

#include <tests/support/vectors.hpp>

namespace {

using namespace libsolve;
using Kind = CheckpointAction::Kind;

/// Goes through a schedule with the numbers of the steps as states; what is wrong with it, or "".
std::string fault_of(const CheckpointSchedule& s) {
  std::map<int, int> slots;
  int current = 0, reversed = s.num_steps;
  std::int64_t advances = 0;
  bool turned = false;
  for (const CheckpointAction& a : s.actions) {
    switch (a.kind) {
      case Kind::advance:
        if (a.index != current) return "advances from a state that is not there";
        ++current;
        ++advances;
        break;
      case Kind::turn:
        if (current != s.num_steps - 1 || turned) return "turns at a wrong place";
        turned = true;
        ++advances;
        break;
      case Kind::store:
        if (a.index != current) return "stores another state than it says";
        slots[a.slot] = current;
        break;
      case Kind::restore:
        if (slots.find(a.slot) == slots.end() || slots[a.slot] != a.index) return "restores another";
        current = a.index;
        break;
      case Kind::reverse:
        if (!turned || a.index != reversed - 1) return "reverses out of order";
        if (s.has_states && a.index != current) return "reverses without its state";
        reversed = a.index;
        break;
    }
  }
  if (reversed != 0) return "does not reverse all steps";
  if (advances != s.num_advances) return "counts its steps wrongly";
  if (static_cast<int>(slots.size()) != s.num_slots) return "counts its slots wrongly";
  return {};
}

TEST(Checkpoints, EverySchedulePassesEachStateToItsAdjoint) {
  for (int n = 1; n <= 70; ++n) {
    EXPECT_EQ(fault_of(keep_nothing(n)), "") << n;
    EXPECT_EQ(fault_of(keep_all(n)), "") << n;
    EXPECT_EQ(fault_of(keep_square_root(n)), "") << n;
    for (int slots = 1; slots <= 8; ++slots)
      EXPECT_EQ(fault_of(keep_binomial(n, slots)), "") << n << " in " << slots;
    EXPECT_EQ(keep_all(n).num_advances, n);
    const int root = static_cast<int>(std::ceil(std::sqrt(n)));
    EXPECT_LE(keep_square_root(n).num_advances, 2 * n);
    EXPECT_LE(keep_square_root(n).num_slots, std::max(1, 2 * root));
  }
}

/// t(l, s) = min over m of m + t(l - m, s - 1) + t(m, s), by tables.
TEST(Checkpoints, BinomialSchedulesTakeTheFewestSteps) {
  constexpr int most = 60, slots = 7;
  std::vector<std::vector<std::int64_t>> t(slots + 1, std::vector<std::int64_t>(most + 1, 0));
  for (int l = 1; l <= most; ++l) t[1][static_cast<std::size_t>(l)] = l * (l - 1) / 2;
  for (std::size_t s = 2; s <= slots; ++s)
    for (std::size_t l = 2; l <= most; ++l) {
      t[s][l] = std::numeric_limits<std::int64_t>::max();
      for (std::size_t m = 1; m < l; ++m)
        t[s][l] = std::min(t[s][l], static_cast<std::int64_t>(m) + t[s - 1][l - m] + t[s][m]);
    }
  for (int s = 1; s <= slots; ++s)
    for (int l = 1; l <= most; ++l) {
      const auto expected = t[static_cast<std::size_t>(s)][static_cast<std::size_t>(l)];
      EXPECT_EQ(binomial_advances(l, s), expected) << l << " in " << s;
      EXPECT_EQ(keep_binomial(l, s).num_advances, expected + 1) << l << " in " << s;
      EXPECT_LE(keep_binomial(l, s).num_slots, s);
    }
  EXPECT_EQ(fault_of(keep_binomial(1000, 20)), "");
}

TEST(Checkpoints, AnyNumberOfSlotsWillDo) {
  constexpr int steps = 300000;
  for (const int slots : {steps / 2, steps, 1000000}) {
    const CheckpointSchedule schedule = make_schedule("binomial", steps, slots);
    EXPECT_EQ(schedule.num_advances, binomial_advances(steps, slots) + 1);
    EXPECT_LE(schedule.num_slots, std::min(slots, steps));
  }
}

TEST(Checkpoints, RefusesWhatIsNone) {
  EXPECT_THROW(make_schedule("some", 4, 1), Unsupported);
  EXPECT_THROW(make_schedule("all", 0, 1), ShapeError);
  EXPECT_THROW(make_schedule("binomial", 4, 0), ShapeError);
}

/// Plain conjugate gradients.
class Cg final : public LinearSolver {
 public:
  void setup(const LinearSystem&) override {}
  Report solve(LinearSystem& s, Monitor&) override {
    const Vector r = s.b().like("r"), p = r.like("p"), q = r.like("q");
    double rho = s.A().residual(s.b(), s.x(), r);
    const double target = 1e-28 * dot(s.b(), s.b());
    copy(r, p);
    Report report;
    report.reason = "test";
    while (rho > target && report.iterations < 1000) {
      s.A().apply(p, q);
      const double alpha = rho / dot(p, q);
      axpy(alpha, p, s.x());
      axpy(-alpha, q, r);
      const double next = dot(r, r);
      axpby(1.0, r, next / rho, p);
      rho = next;
      ++report.iterations;
    }
    report.status = rho <= target ? Status::converged : Status::max_iterations;
    return report;
  }
  using LinearSolver::solve;
};

constexpr Index n = 15;
constexpr double h = 1.0 / (n + 1);

/// shift I + factor (-d^2/dx^2), walls one h away from the outermost points.
std::shared_ptr<StencilOperator> diffusion(double shift, double factor) {
  Grid grid;
  grid.dimension = 1;
  grid.cells[0] = n;
  grid.spacing[0] = h;
  StencilOperator::Constant c;
  c.shift = shift;
  c.coupling[0] = factor / (h * h);
  c.wall[0] = {c.coupling[0], c.coupling[0]};
  return std::make_shared<StencilOperator>(grid, c);
}

std::shared_ptr<ThetaScheme> scheme_of(double theta, double T, int steps,
                                       const CubicReaction& r = {}) {
  const double dt = T / steps;
  return std::make_shared<ThetaScheme>(diffusion(0.0, 1.0), diffusion(1.0, theta * dt),
                                       std::make_shared<Cg>(), theta, dt, steps, r);
}

Vector mode(int k) {
  std::vector<double> values;
  for (int i = 1; i <= n; ++i) values.push_back(std::sin(k * std::numbers::pi * i * h));
  const Vector v("mode", Partition(n));
  test::assign(v, values);
  return v;
}

Vector random_vector(std::uint64_t seed) {
  const Vector v("random", Partition(n));
  fill_uniform(v, RandomStream(seed, "test"));
  return v;
}

double distance(const Vector& a, const Vector& b) {
  const Vector d = a.like("d");
  linear_combination(1.0, a, -1.0, b, d);
  return norm_max(d);
}

TEST(ThetaScheme, SineModesDecayByTheFactorOfTheScheme) {
  for (const double theta : {0.5, 1.0})
    for (const int k : {1, 2, 7}) {
      TimeAdjoint adjoint(scheme_of(theta, 0.1, 12), "auto", 1);
      const double lambda = std::pow(2.0 / h * std::sin(0.5 * k * std::numbers::pi * h), 2);
      const double dt = 0.1 / 12.0;
      const double factor = (1.0 - (1.0 - theta) * dt * lambda) / (1.0 + theta * dt * lambda);
      const Vector u = mode(k), expected = mode(k);
      scale(std::pow(factor, 12), expected);
      EXPECT_LT(distance(adjoint.forward(u), expected), 1e-13);
      // The scheme is symmetric: its adjoint is itself.
      adjoint.backward(u);
      EXPECT_LT(distance(u, expected), 1e-13);
    }
}

TEST(ThetaScheme, IsOfFirstAndOfSecondOrder) {
  const double lambda = std::pow(2.0 / h * std::sin(0.5 * std::numbers::pi * h), 2);
  const auto error = [&](double theta, int steps) {
    TimeAdjoint adjoint(scheme_of(theta, 0.1, steps), "auto", 1);
    const Vector expected = mode(1);
    scale(std::exp(-0.1 * lambda), expected);
    return distance(adjoint.forward(mode(1)), expected);
  };
  EXPECT_NEAR(std::log2(error(1.0, 40) / error(1.0, 80)), 1.0, 0.05);
  EXPECT_NEAR(std::log2(error(0.5, 40) / error(0.5, 80)), 2.0, 0.05);
}

/// J = 1/2 |u_N|^2 with a reaction: derivatives against differences.
TEST(TimeAdjoint, DerivativesAgreeWithDifferences) {
  for (const double theta : {0.5, 1.0}) {
    TimeAdjoint adjoint(scheme_of(theta, 0.2, 11, {-1.0, 0.7, 2.0}), "all", 1);
    const Vector u = random_vector(1), v = random_vector(2);
    const auto gradient = [&](const Vector& at) {
      const Vector p = at.like("p");
      copy(adjoint.forward(at), p);
      adjoint.backward(p);
      return p;
    };
    const auto moved = [&](double by) {
      const Vector at = u.like("moved");
      linear_combination(1.0, u, by, v, at);
      return at;
    };
    const auto value = [&](const Vector& at) {
      return 0.5 * dot(adjoint.forward(at), adjoint.forward(at));
    };
    const double eps = 1e-4;
    const Vector plus = moved(eps), minus = moved(-eps);
    const double difference = (value(plus) - value(minus)) / (2.0 * eps);
    EXPECT_NEAR(dot(gradient(u), v), difference, 1e-7 * std::abs(difference));

    // Second derivatives along v.
    const Vector w = v.like("w"), p = v.like("p"), differences = gradient(plus);
    copy(adjoint.forward_tangent(u, v), w);
    copy(adjoint.state_beside_tangent(), p);
    adjoint.second_backward(p, w);
    EXPECT_LT(distance(p, gradient(u)), 1e-13);
    axpby(-0.5 / eps, gradient(minus), 0.5 / eps, differences);
    EXPECT_LT(distance(w, differences), 1e-6 * norm_max(w));
    EXPECT_GT(norm_max(w), 1e-3);
  }
}

TEST(TimeAdjoint, CheckpointsChangeWhatIsRunAndNothingElse) {
  constexpr int steps = 23;
  const CubicReaction r{0.0, 0.5, 1.0};
  const Vector u = random_vector(1), first = random_vector(3), second = random_vector(3);
  const auto all = scheme_of(0.5, 0.1, steps, r);
  TimeAdjoint reference(all, "all", 1);
  reference.forward(u);
  reference.backward(first);
  EXPECT_EQ(all->counts().state, steps);
  EXPECT_EQ(all->counts().adjoint, steps);
  EXPECT_DOUBLE_EQ(reference.checkpoint_bytes(), 8.0 * n * steps);
  for (const char* name : {"sqrt", "binomial"}) {
    const auto scheme = scheme_of(0.5, 0.1, steps, r);
    TimeAdjoint adjoint(scheme, name, 3);
    adjoint.forward(u);
    for (int again = 0; again < 2; ++again) {
      fill_uniform(second, RandomStream(3, "test"));
      adjoint.backward(second);
      EXPECT_EQ(distance(first, second), 0.0) << name;
      // What is not there any more is run again.
      EXPECT_EQ(scheme->counts().state, (again + 1) * adjoint.schedule().num_advances);
      EXPECT_EQ(scheme->counts().adjoint, (again + 1) * steps);
    }
    EXPECT_LT(adjoint.checkpoint_bytes(), 8.0 * n * 10);
    // The same point again takes no steps, another one does.
    const auto before = scheme->counts().state;
    adjoint.forward(u);
    EXPECT_EQ(scheme->counts().state, before);
    adjoint.forward(first);
    EXPECT_EQ(scheme->counts().state, before + steps);
  }
  EXPECT_THROW(TimeAdjoint(all, "none", 1), ShapeError);
}

}  // namespace
