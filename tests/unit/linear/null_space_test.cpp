#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/linear/null_space.hpp>
#include <tests/support/random_problems.hpp>

namespace libsolve::test {
namespace {

NullSpace::Labels labels(const std::vector<Index>& values) {
  Kokkos::View<Index*, MemSpace> view("test::labels", values.size());
  Kokkos::deep_copy(view,
                    Kokkos::View<const Index*, Kokkos::HostSpace>(values.data(), values.size()));
  return view;
}

/// v = (1, 2, 6): mean 3, removed (3, 3, 3) of norm 3 sqrt(3).
TEST(NullSpace, TakesOutTheMean) {
  const Vector v = to_vector({1, 2, 6});
  const NullSpace space = NullSpace::constants(v.partition());
  EXPECT_EQ(space.num_components(), 1);
  EXPECT_NEAR(space.project_out(v), 3.0 * std::sqrt(3.0), 1e-15);
  EXPECT_EQ(to_host(v), (std::vector<double>{-2, -1, 3}));
}

/// Components {0, 2} and {1, 4} of means 2 and 7; row 3 belongs to none and keeps its value.
TEST(NullSpace, TakesOutTheMeanOfEachComponent) {
  const Vector v = to_vector({1, 5, 3, 100, 9});
  const NullSpace space(labels({0, 1, 0, -1, 1}), 2, v.partition());
  EXPECT_NEAR(space.project_out(v), std::sqrt(2 * 4.0 + 2 * 49.0), 1e-14);
  EXPECT_EQ(to_host(v), (std::vector<double>{-1, -2, 1, 100, 2}));
}

/// P P = P and P^T = P, also with more components than fit in registers, an empty one among them.
TEST(NullSpace, IsAnOrthogonalProjection) {
  const Index n = 20011;
  std::vector<Index> label(n);
  for (Index i = 0; i < n; ++i) label[i] = i % 7 == 3 ? -1 : (i * 37) % 501;  // 500 may be rare
  const Vector u = to_vector(random_vector(n, 1)), v = to_vector(random_vector(n, 2));
  const Vector Pu = to_vector(to_host(u)), Pv = to_vector(to_host(v));
  const NullSpace space(labels(label), 503, u.partition());
  EXPECT_GT(space.project_out(Pu), 1.0);
  space.project_out(Pv);
  EXPECT_LT(space.project_out(Pu), 1e-12);
  double Pu_v = 0.0;
  double u_Pv = 0.0;
  const auto hu = to_host(u), hv = to_host(v), hPu = to_host(Pu), hPv = to_host(Pv);
  for (Index i = 0; i < n; ++i) {
    Pu_v += hPu[i] * hv[i];
    u_Pv += hu[i] * hPv[i];
  }
  EXPECT_NEAR(Pu_v, u_Pv, 1e-10);
}

TEST(NullSpace, SameBitsAtEveryCall) {
  if (!runs_on_host<ExecSpace>) GTEST_SKIP() << "atomic additions on devices";
  const Index n = 30011;
  std::vector<Index> label(n);
  for (Index i = 0; i < n; ++i) label[i] = i % 3;
  const auto values = random_vector(n, 3);
  const Vector first = to_vector(values);
  const NullSpace space(labels(label), 3, first.partition());
  const double removed = space.project_out(first);
  for (int k = 0; k < 10; ++k) {
    const Vector again = to_vector(values);
    EXPECT_EQ(space.project_out(again), removed);
    EXPECT_EQ(to_host(again), to_host(first));
  }
}

TEST(NullSpace, NoComponentsTakesNothingOut) {
  const Vector v = to_vector({1, 2});
  const NullSpace space(labels({-1, -1}), 0, v.partition());
  EXPECT_EQ(space.project_out(v), 0.0);
  EXPECT_EQ(to_host(v), (std::vector<double>{1, 2}));
}

TEST(NullSpace, NaNStaysVisible) {
  const Vector v = to_vector({1, std::nan(""), 3});
  EXPECT_TRUE(std::isnan(NullSpace::constants(v.partition()).project_out(v)));
}

TEST(NullSpace, RefusesLabelsThatDoNotFit) {
  const Partition three(3);
  EXPECT_THROW(NullSpace(labels({0, 0}), 1, three), ShapeError);
  EXPECT_THROW(NullSpace(labels({0, 2, 0}), 2, three), DataError);
  EXPECT_THROW(NullSpace(labels({0, -2, 0}), 2, three), DataError);
  EXPECT_THROW(NullSpace::constants(three).project_out(to_vector({1, 2})), ShapeError);
  try {
    const NullSpace wrong(labels({0, 5, 0}), 2, three);
  } catch (const DataError& e) {
    EXPECT_NE(std::string(e.what()).find("row 1 has 5"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace libsolve::test
