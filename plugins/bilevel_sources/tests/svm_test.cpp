#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <libsolve/bilevel/lower_level.hpp>
#include <libsolve/bilevel/projections.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/optimize/derivative_check.hpp>
#include <numeric>

#include "svm_source.hpp"

namespace {

using namespace libsolve;
using namespace bilevel_sources;
using Numbers = std::vector<double>;

/// Two clouds that overlap, labels 2 and 4; some entries are 0.
LabelledSamples clouds(Index count, Index features, std::uint64_t seed = 1) {
  const RandomStream stream(seed, "svm_test::clouds");
  LabelledSamples s;
  s.num_columns = features;
  std::uint64_t draw = 0;
  for (Index i = 0; i < count; ++i) {
    const double side = stream.uniform(draw++) < 0.4 ? -1.0 : 1.0;
    s.labels.push_back(side > 0.0 ? 4.0 : 2.0);
    for (Index j = 0; j < features; ++j) {
      if (stream.uniform(draw++) < 0.2) continue;
      s.columns.push_back(j);
      s.values.push_back(0.6 * side / std::sqrt(double(features)) + 0.7 * stream.normal(draw++));
    }
    s.row_pointers.push_back(static_cast<GlobalIndex>(s.columns.size()));
  }
  return s;
}

std::unique_ptr<BilevelProgram> program(const SvmOptions& o, Index features = 6,
                                        std::uint64_t seed = 1) {
  return make_svm_program(split_samples(clouds(o.training + o.validation + 20, features, seed),
                                        "clouds", o.training, o.validation, o.flipped, seed),
                          o, seed, "clouds");
}

SvmOptions sizes(int training, int validation, bool slack) {
  SvmOptions o;
  o.training = training;
  o.validation = validation;
  o.slack = slack;
  return o;
}

TEST(SvmSamples, SplitIsDisjointSeededAndFlipsAsAsked) {
  const LabelledSamples all = clouds(100, 3);
  const SvmSplit s = split_samples(all, "clouds", 50, 30, 0.4, 7);
  EXPECT_EQ(s.training.num_rows(), 50);
  EXPECT_EQ(s.validation.num_rows(), 30);
  EXPECT_EQ(s.test.num_rows(), 20);
  EXPECT_EQ(std::count(s.is_flipped.begin(), s.is_flipped.end(), true), 20);
  // Sums over all rows without their labels: nothing is lost, nothing is there twice.
  Numbers seen(3, 0.0), there(3, 0.0);
  for (const SvmSamples* part : {&s.training, &s.validation, &s.test})
    for (std::size_t i = 0; i < part->labels().size(); ++i)
      part->for_row(i, [&](std::size_t j, double a) {
        if (j < 3) seen[j] += a * part->labels()[i];
      });
  for (std::size_t e = 0; e < all.columns.size(); ++e)
    there[static_cast<std::size_t>(all.columns[e])] += all.values[e];
  for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(seen[j], there[j], 1e-12);
  // A flip turns the row's sign.
  const SvmSplit clean = split_samples(all, "clouds", 50, 30, 0.0, 7);
  for (std::size_t i = 0; i < 50; ++i)
    for (std::size_t j = 0; j < 4; ++j)
      EXPECT_EQ(s.training.full_row(i)[j],
                (s.is_flipped[i] ? -1.0 : 1.0) * clean.training.full_row(i)[j]);
  EXPECT_NE(split_samples(all, "clouds", 50, 30, 0.0, 8).training.labels(),
            clean.training.labels());
  EXPECT_THROW(split_samples(all, "clouds", 80, 20, 0.0, 1), DataError);
  LabelledSamples one = all;
  std::fill(one.labels.begin(), one.labels.end(), 1.0);
  EXPECT_THROW(split_samples(one, "clouds", 50, 30, 0.0, 1), DataError);
}

/// Each level as a program by itself, for the check of derivatives.
void expect_right_derivatives(const std::shared_ptr<ProgramFunctions>& functions,
                              const Numbers& v) {
  const Bounds free{Numbers(v.size(), -INFINITY), Numbers(v.size(), INFINITY)};
  const auto m = static_cast<std::size_t>(functions->num_constraints());
  const Bounds rows{Numbers(m, -INFINITY), Numbers(m, 0.0)};
  const DerivativeCheck check =
      check_derivatives(NonlinearProgram(functions, free, rows, v), {.tolerance = 1e-6});
  EXPECT_TRUE(check.passed());
  EXPECT_TRUE(check.checked_any());
  for (const DerivativeDefect& d : check.kinds)
    EXPECT_LT(d.excess, 1e-6) << d.kind << " " << d.where << ": " << d.given << " by differences "
                              << d.difference;
}

TEST(Svm, DerivativesAreRight) {
  for (const bool slack : {true, false}) {
    const auto p = program(sizes(9, 7, slack), 3);
    Numbers v = p->host_v();
    const RandomStream stream(3, "svm_test::point");
    for (std::size_t j = 0; j < v.size(); ++j) v[j] = stream.normal(j);
    expect_right_derivatives(p->parts().upper, v);
    expect_right_derivatives(p->parts().lower, v);
  }
}

/// F by its definition.
TEST(Svm, UpperLossIsThePublishedOne) {
  const SvmOptions o = sizes(20, 15, true);
  const LabelledSamples all = clouds(55, 4);
  const SvmSplit s = split_samples(all, "clouds", 20, 15, 0.0, 1);
  const auto p = make_svm_program(s, o, 1, "clouds");
  Numbers v = p->host_v();
  const std::size_t w = 20;
  double length = 0.0, sum = 0.0;
  for (std::size_t j = 0; j < 4; ++j) length += v[w + j] * v[w + j];
  for (std::size_t i = 0; i < 15; ++i) {
    double margin = 0.0;
    for (std::size_t j = 0; j < 5; ++j) margin += s.validation.full_row(i)[j] * v[w + j];
    const double u = 2.0 / (1.0 + std::exp(5.0 * margin / std::sqrt(length))) - 1.0;
    sum += u > 0.0 ? u : 0.01 * u;
  }
  EXPECT_NEAR(HostAccess(p->upper()).objective(v), sum, 1e-13);
}

/// At the start y solves the lower level: multipliers e^c s make it stationary, and both forms have
/// the same value and the same (w, b).
TEST(Svm, StartSolvesTheLowerLevel) {
  const auto with = program(sizes(60, 10, true)), without = program(sizes(60, 10, false));
  const Numbers v = with->host_v(), r = without->host_v();
  for (std::size_t j = 0; j < r.size(); ++j) EXPECT_EQ(v[j], r[j]);
  const HostAccess lower(with->lower()), reduced(without->lower());
  EXPECT_NEAR(lower.objective(v), reduced.objective(r), 1e-14);
  Numbers g(v.size()), c(60), lambda(60), Jt(v.size()), gr(r.size());
  lower.gradient(v, g);
  lower.constraints(v, c);
  int active = 0;
  for (std::size_t i = 0; i < 60; ++i) {
    const double s = v[67 + i];
    lambda[i] = std::exp(v[i]) * s;
    EXPECT_LE(c[i], 1e-15);
    if (s > 0.0) {
      EXPECT_NEAR(c[i], 0.0, 1e-15);
    }
    active += s > 0.0 ? 1 : 0;
  }
  EXPECT_GT(active, 5);
  lower.apply_jacobian_adjoint(v, lambda, Jt);
  for (std::size_t j = 60; j < v.size(); ++j) EXPECT_NEAR(g[j] + Jt[j], 0.0, 1e-14);
  reduced.gradient(r, gr);
  for (std::size_t j = 60; j < r.size(); ++j) EXPECT_NEAR(gr[j], 0.0, 1e-14);
  for (std::size_t i = 0; i < 60; ++i) EXPECT_NEAR(g[i], gr[i], 1e-14);
  for (const double a : Numbers(v.begin(), v.begin() + 60)) {
    EXPECT_GE(a, -6.0);
    EXPECT_LE(a, -5.0);
  }
}

/// Nothing but the problem's own solution is needed, over penalties of very different sizes.
TEST(Svm, LowerLevelIsSolvedByItsOwnMethod) {
  class NoSolver final : public ProgramSolver {
   public:
    Report solve(NonlinearProgram&, Monitor&) override {
      ADD_FAILURE() << "a general method was asked";
      return {};
    }
  };
  for (const bool slack : {true, false}) {
    const auto p = program(sizes(60, 10, slack));
    LowerLevel level(*p, std::make_unique<NoSolver>());
    const RandomStream stream(9, "svm_test::penalties");
    for (std::uint64_t k = 0; k < 10; ++k) {
      Numbers c(60);
      for (std::size_t i = 0; i < 60; ++i) c[i] = stream.uniform(60 * k + i, -10.0, 6.0);
      const LowerLevel::Solution s = level.solve(
          c, Numbers(static_cast<std::size_t>(p->num_lower())), {}, {}, Monitor::none());
      EXPECT_LE(s.residual.largest(), 1e-10);
    }
    EXPECT_EQ(level.solves(), 10);
  }
}

Numbers projected(Projection& set, const Numbers& v) {
  const VectorView view("v", v.size());
  Kokkos::deep_copy(view, Kokkos::View<const double*, Kokkos::HostSpace>(v.data(), v.size()));
  set.project(view);
  Numbers p(v.size());
  Kokkos::deep_copy(Kokkos::View<double*, Kokkos::HostSpace>(p.data(), p.size()), view);
  return p;
}

/// The same points as by the general projection onto the constraints.
TEST(Svm, ProjectionIsThatOntoTheConstraints) {
  const auto p = program(sizes(30, 10, true), 4);
  BilevelParts parts = p->parts();
  const auto own = parts.coupled_set;
  parts.coupled_set = nullptr;
  const BilevelProgram plain(std::move(parts));
  const auto general = projection_of(plain);
  const RandomStream stream(5, "svm_test::projection");
  std::uint64_t draw = 0;
  Numbers v = p->host_v(), g(30);
  for (int k = 0; k < 20; ++k) {
    const double scale = k % 2 == 0 ? 0.01 : 3.0;
    for (double& a : v) a += scale * stream.normal(draw++);
    const Numbers a = projected(*own, v), b = projected(*general, v);
    for (std::size_t j = 0; j < v.size(); ++j) EXPECT_NEAR(a[j], b[j], 1e-11) << k;
    HostAccess(p->lower()).constraints(a, g);
    for (const double c : g) EXPECT_LE(c, 1e-15);
    if (k % 5 == 4) v = a;
  }
}

/// Many columns: conjugate gradients in place of the matrix.
TEST(Svm, ManyFeatures) {
  const auto p = program(sizes(40, 10, false), 700);
  EXPECT_FALSE(p->upper().has_entries());
  EXPECT_FALSE(p->lower().has_entries());
  const Numbers v = p->host_v();
  Numbers g(v.size());
  HostAccess(p->lower()).gradient(v, g);
  for (std::size_t j = 40; j < v.size(); ++j) EXPECT_NEAR(g[j], 0.0, 1e-10);
  const auto slack = program(sizes(40, 10, true), 700);
  const RandomStream stream(5, "svm_test::many");
  Numbers w = slack->host_v(), c(40);
  for (std::size_t j = 0; j < w.size(); ++j) w[j] += stream.normal(j);
  const Numbers a = projected(*slack->parts().coupled_set, w);
  HostAccess(slack->lower()).constraints(a, c);
  // w - a is a sum of rows with the multipliers of the slacks, a_s - w_s >= 0.
  Numbers lambda(40), Jt(w.size());
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_LE(c[i], 1e-14);
    lambda[i] = a[741 + i] - w[741 + i];
    EXPECT_GE(lambda[i], 0.0);
  }
  HostAccess(slack->lower()).apply_jacobian_adjoint(a, lambda, Jt);
  for (std::size_t j = 40; j < w.size(); ++j) EXPECT_NEAR(w[j] - a[j], Jt[j], 1e-9);
}

TEST(Svm, ScoresCountRightSides) {
  SvmOptions o = sizes(40, 10, true);
  o.flipped = 0.25;
  const auto p = program(o, 2);
  const Numbers v = p->host_v();
  const auto scores = p->parts().scores(v);
  ASSERT_EQ(scores.size(), 5);
  EXPECT_EQ(scores[0].name, "validation_accuracy");
  const SvmSplit s = split_samples(clouds(70, 2), "clouds", 40, 10, 0.25, 1);
  int right = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    const double* a = s.validation.full_row(i);
    right += a[0] * v[40] + a[1] * v[41] + a[2] * v[42] > 0.0 ? 1 : 0;
  }
  EXPECT_EQ(scores[0].value, right / 10.0);
  EXPECT_EQ(scores[4].name, "flipped_weight");
  double turned = 0.0, straight = 0.0;
  for (std::size_t i = 0; i < 40; ++i) (s.is_flipped[i] ? turned : straight) += v[i];
  EXPECT_NEAR(scores[4].value, std::exp(turned / 10 - straight / 30), 1e-14);
}

}  // namespace
