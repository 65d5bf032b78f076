// Every operation against N_Vector_Serial on the same numbers, at lengths below and above one chunk
// of work and not a multiple of anything.
#include <gtest/gtest.h>
#include <nvector/nvector_serial.h>

#include <cmath>
#include <libsolve/adapters/sundials/nvector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <limits>
#include <vector>

namespace libsolve {
namespace {

/// The same N_Vector twice: ours and the serial one of SUNDIALS.
struct Twin {
  sun::NVectorPointer ours;
  sun::NVectorPointer theirs;
  explicit Twin(Index n, SUNContext context)
      : ours(sun::make_nvector(Vector("twin", Partition(n)), context)),
        theirs(N_VNew_Serial(n, context)) {
    N_VConst(0.0, theirs.get());
  }
};

std::vector<double> values(const sun::NVectorPointer& v) {
  const auto host =
      Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), sun::vector_of(v.get()).view());
  return std::vector<double>(host.data(), host.data() + host.extent(0));
}

/// Numbers in [-2, 2), every seventh one 0.
void fill_random(const Twin& v, unsigned seed) {
  const auto n = static_cast<Index>(N_VGetLength(v.theirs.get()));
  sunrealtype* theirs = N_VGetArrayPointer(v.theirs.get());
  std::uint64_t state = seed * 2654435761u + 1;
  for (Index i = 0; i < n; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    theirs[i] =
        i % 7 == 3 ? 0.0 : 4.0 * static_cast<double>(state >> 11) / 9007199254740992.0 - 2.0;
  }
  const VectorView& ours = sun::vector_of(v.ours.get()).view();
  Kokkos::deep_copy(
      ours, Kokkos::View<double*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>(
                theirs, static_cast<size_t>(n)));
}

void expect_same(const Twin& v, const char* what) {
  const std::vector<double> ours = values(v.ours);
  const sunrealtype* theirs = N_VGetArrayPointer(v.theirs.get());
  double worst = 0.0;
  for (size_t i = 0; i < ours.size(); ++i) {
    if (ours[i] == theirs[i]) continue;  // infinities too
    worst =
        std::fmax(worst, std::isnan(ours[i] - theirs[i]) ? std::numeric_limits<double>::infinity()
                                                         : std::fabs(ours[i] - theirs[i]));
  }
  EXPECT_LE(worst, 1e-13) << what;
}

class NVector : public ::testing::TestWithParam<Index> {
 protected:
  sun::Context context_;
  Index n_ = GetParam();
  Twin x_{n_, context_}, y_{n_, context_}, z_{n_, context_}, w_{n_, context_};

  void SetUp() override {
    fill_random(x_, 1);
    fill_random(y_, 2);
    fill_random(z_, 3);
    fill_random(w_, 4);
  }
  double tolerance() const { return 4.0 * n_ * std::numeric_limits<double>::epsilon(); }

  /// f(x, y, z) on both, z compared.
  template <class F>
  void both(const char* what, const F& f) {
    f(x_.ours.get(), y_.ours.get(), z_.ours.get());
    f(x_.theirs.get(), y_.theirs.get(), z_.theirs.get());
    expect_same(z_, what);
  }
  /// f(x, y, z) returns a number on both.
  template <class F>
  void both_return(const char* what, const F& f) {
    const double ours = f(x_.ours.get(), y_.ours.get(), z_.ours.get());
    const double theirs = f(x_.theirs.get(), y_.theirs.get(), z_.theirs.get());
    EXPECT_NEAR(ours, theirs, tolerance() * std::fmax(1.0, std::fabs(theirs))) << what;
  }
};

TEST_P(NVector, MapsRowsAsSundialsDoes) {
  both("linear sum", [](auto x, auto y, auto z) { N_VLinearSum(0.3, x, -1.7, y, z); });
  both("linear sum in place", [](auto x, auto, auto z) { N_VLinearSum(2.0, x, -1.0, z, z); });
  both("const", [](auto, auto, auto z) { N_VConst(-2.5, z); });
  both("prod", [](auto x, auto y, auto z) { N_VProd(x, y, z); });
  both("scale", [](auto x, auto, auto z) { N_VScale(-0.25, x, z); });
  both("scale by one", [](auto x, auto, auto z) { N_VScale(1.0, x, z); });
  both("scale in place", [](auto, auto, auto z) { N_VScale(3.0, z, z); });
  both("abs", [](auto x, auto, auto z) { N_VAbs(x, z); });
  both("add const", [](auto x, auto, auto z) { N_VAddConst(x, 4.0, z); });
  both("inv", [](auto, auto, auto z) { N_VInv(z, z); });
  both("div", [](auto x, auto, auto z) { N_VDiv(x, z, z); });
  both("compare", [](auto x, auto, auto z) { N_VCompare(0.7, x, z); });
}

TEST_P(NVector, ReducesAsSundialsDoes) {
  both_return("dot", [](auto x, auto y, auto) { return N_VDotProd(x, y); });
  both_return("max norm", [](auto x, auto, auto) { return N_VMaxNorm(x); });
  both_return("wrms norm", [](auto x, auto y, auto) { return N_VWrmsNorm(x, y); });
  both_return("wrms norm mask", [](auto x, auto y, auto z) { return N_VWrmsNormMask(x, y, z); });
  both_return("min", [](auto x, auto, auto) { return N_VMin(x); });
  both_return("wl2 norm", [](auto x, auto y, auto) { return N_VWL2Norm(x, y); });
  both_return("l1 norm", [](auto x, auto, auto) { return N_VL1Norm(x); });
  both_return("min quotient", [](auto x, auto y, auto) { return N_VMinQuotient(x, y); });
  both_return("dot, local", [](auto x, auto y, auto) { return N_VDotProdLocal(x, y); });
  both_return("max norm, local", [](auto x, auto, auto) { return N_VMaxNormLocal(x); });
  both_return("min, local", [](auto x, auto, auto) { return N_VMinLocal(x); });
  both_return("l1 norm, local", [](auto x, auto, auto) { return N_VL1NormLocal(x); });
  both_return("squares, local", [](auto x, auto y, auto) { return N_VWSqrSumLocal(x, y); });
  both_return("masked squares, local",
              [](auto x, auto y, auto z) { return N_VWSqrSumMaskLocal(x, y, z); });
  both_return("min quotient, local",
              [](auto x, auto y, auto) { return N_VMinQuotientLocal(x, y); });
}

TEST_P(NVector, TestsRowsAsSundialsDoes) {
  both("inv test", [](auto x, auto, auto z) { EXPECT_FALSE(N_VInvTest(x, z)); });
  both("inv test, local", [](auto x, auto, auto z) { EXPECT_FALSE(N_VInvTestLocal(x, z)); });
  both("no zero", [](auto x, auto, auto z) {
    N_VAddConst(x, 5.0, z);
    EXPECT_TRUE(N_VInvTest(z, z));
  });
  // Constraints 2, 1, 0, -1, -2 over the rows.
  for (N_Vector c : {y_.ours.get(), y_.theirs.get()}) {
    std::vector<double> kinds(static_cast<size_t>(n_));
    for (Index i = 0; i < n_; ++i) kinds[static_cast<size_t>(i)] = 2 - i % 5;
    const Kokkos::View<double*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>> from(
        kinds.data(), kinds.size());
    if (sun::is_nvector(c))
      Kokkos::deep_copy(sun::vector_of(c).view(), from);
    else
      std::copy(kinds.begin(), kinds.end(), N_VGetArrayPointer(c));
  }
  both("constraints", [](auto x, auto c, auto m) { EXPECT_FALSE(N_VConstrMask(c, x, m)); });
  both("constraints, local",
       [](auto x, auto c, auto m) { EXPECT_FALSE(N_VConstrMaskLocal(c, x, m)); });
  both("constraints that hold", [](auto, auto c, auto m) {
    EXPECT_TRUE(N_VConstrMask(c, c, m));  // c > 0 where c = 2, and so on
  });
}

TEST_P(NVector, FusedOperationsTakeAnyNumberOfVectors) {
  constexpr int most = 19;
  std::vector<Twin> twins;
  for (int k = 0; k < most; ++k) {
    twins.emplace_back(n_, context_);
    fill_random(twins.back(), 10u + static_cast<unsigned>(k));
  }
  std::vector<N_Vector> ours, theirs;
  std::vector<sunrealtype> c;
  for (int k = 0; k < most; ++k) {
    ours.push_back(twins[static_cast<size_t>(k)].ours.get());
    theirs.push_back(twins[static_cast<size_t>(k)].theirs.get());
    c.push_back(0.5 - 0.1 * k);
  }
  for (const int count : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, most}) {
    ASSERT_EQ(N_VLinearCombination(count, c.data(), ours.data(), z_.ours.get()), 0);
    ASSERT_EQ(N_VLinearCombination(count, c.data(), theirs.data(), z_.theirs.get()), 0);
    expect_same(z_, "linear combination");

    std::vector<sunrealtype> a(most), b(most);
    ASSERT_EQ(N_VDotProdMulti(count, x_.ours.get(), ours.data(), a.data()), 0);
    ASSERT_EQ(N_VDotProdMulti(count, x_.theirs.get(), theirs.data(), b.data()), 0);
    for (int k = 0; k < most; ++k)
      EXPECT_NEAR(a[static_cast<size_t>(k)], b[static_cast<size_t>(k)], 4.0 * tolerance())
          << count << " dot products";
    ASSERT_EQ(N_VDotProdMultiLocal(count, x_.ours.get(), ours.data(), b.data()), 0);
    EXPECT_EQ(a, b) << "one rank";
    ASSERT_EQ(N_VDotProdMultiAllReduce(count, x_.ours.get(), b.data()), 0);
    EXPECT_EQ(a, b) << "one rank";
  }
  // X[0] may be the result; Z may be Y.
  ASSERT_EQ(N_VLinearCombination(most, c.data(), ours.data(), ours[0]), 0);
  ASSERT_EQ(N_VLinearCombination(most, c.data(), theirs.data(), theirs[0]), 0);
  expect_same(twins[0], "linear combination in place");
  for (const int count : {1, 5, 8, 11, most}) {
    ASSERT_EQ(N_VScaleAddMulti(count, c.data(), x_.ours.get(), ours.data(), ours.data()), 0);
    ASSERT_EQ(N_VScaleAddMulti(count, c.data(), x_.theirs.get(), theirs.data(), theirs.data()), 0);
    for (const Twin& t : twins) expect_same(t, "scale and add");
  }
}

TEST_P(NVector, VectorArraysFallBackToTheOperationsAbove) {
  N_Vector xs[] = {x_.ours.get(), y_.ours.get()};
  N_Vector zs[] = {z_.ours.get(), w_.ours.get()};
  ASSERT_EQ(N_VLinearSumVectorArray(2, 2.0, xs, 3.0, zs, zs), 0);
  N_VLinearSum(2.0, x_.theirs.get(), 3.0, z_.theirs.get(), z_.theirs.get());
  N_VLinearSum(2.0, y_.theirs.get(), 3.0, w_.theirs.get(), w_.theirs.get());
  expect_same(z_, "first");
  expect_same(w_, "second");
}

TEST_P(NVector, BuffersRoundTrip) {
  sunindextype bytes = 0;
  ASSERT_EQ(N_VBufSize(x_.ours.get(), &bytes), 0);
  ASSERT_EQ(bytes, static_cast<sunindextype>(8 * n_));
  std::vector<double> buffer(static_cast<size_t>(n_));
  ASSERT_EQ(N_VBufPack(x_.ours.get(), buffer.data()), 0);
  ASSERT_EQ(N_VBufUnpack(y_.ours.get(), buffer.data()), 0);
  EXPECT_EQ(values(x_.ours), values(y_.ours));
}

INSTANTIATE_TEST_SUITE_P(Lengths, NVector, ::testing::Values(11, 4099, 20011));

// ---- Wrapping -----------------------------------------------------------------------------------

TEST(NVectorHandle, SharesTheDataOfTheVectorWithoutACopy) {
  const sun::Context context;
  const Vector v("v", Partition(100));
  const sun::NVectorPointer n(sun::make_nvector(v, context));
  EXPECT_EQ(N_VGetVectorID(n.get()), SUNDIALS_NVEC_CUSTOM);
  EXPECT_EQ(N_VGetLength(n.get()), 100);
  EXPECT_TRUE(sun::is_nvector(n.get()));
  EXPECT_EQ(sun::vector_of(n.get()).data(), v.data());
  EXPECT_EQ(N_VGetDeviceArrayPointer(n.get()), v.data());
  N_VConst(3.0, n.get());
  EXPECT_EQ(dot(v, v), 900.0);
}

TEST(NVectorHandle, ClonesHaveDataOfTheirOwn) {
  const sun::Context context;
  const Vector v("v", Partition(10));
  const sun::NVectorPointer a(sun::make_nvector(v, context));
  const sun::NVectorPointer b(N_VClone(a.get()));
  ASSERT_NE(b.get(), nullptr);
  EXPECT_TRUE(sun::is_nvector(b.get()));
  EXPECT_NE(sun::vector_of(b.get()).data(), v.data());
  EXPECT_EQ(N_VGetLength(b.get()), 10);
  N_VConst(1.0, b.get());
  EXPECT_EQ(norm_max(v), 0.0);
  const sun::NVectorPointer empty(N_VCloneEmpty(a.get()));
  ASSERT_NE(empty.get(), nullptr);
  EXPECT_EQ(N_VGetDeviceArrayPointer(empty.get()), nullptr);
}

TEST(NVectorHandle, OutlivesTheVectorItWasMadeFrom) {
  const sun::Context context;
  sun::NVectorPointer n;
  {
    const Vector v("v", Partition(10));
    fill(v, 2.0);
    n.reset(sun::make_nvector(v, context));
  }
  EXPECT_EQ(N_VL1Norm(n.get()), 20.0);
}

TEST(NVectorHandle, NaNIsNotLost) {
  const sun::Context context;
  const Vector v("v", Partition(10));
  fill(v, std::numeric_limits<double>::quiet_NaN());
  const sun::NVectorPointer n(sun::make_nvector(v, context));
  EXPECT_TRUE(std::isnan(N_VWrmsNorm(n.get(), n.get())));
  EXPECT_TRUE(std::isnan(N_VMaxNorm(n.get())));
}

TEST(NVectorHandle, AnyVectorOfSundialsIsTakenByItsPointer) {
  if (!Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemSpace>::accessible)
    GTEST_SKIP() << "N_Vector_Serial is no device vector";
  const sun::Context context;
  const sun::NVectorPointer serial(N_VNew_Serial(12, context));
  const Vector v = sun::as_vector(serial.get(), Partition(12));
  EXPECT_EQ(v.data(), N_VGetArrayPointer(serial.get()));
  fill(v, 1.5);
  EXPECT_EQ(N_VL1Norm(serial.get()), 18.0);
  EXPECT_THROW(sun::as_vector(serial.get(), Partition(13)), ShapeError);
  EXPECT_THROW(sun::vector_of(serial.get()), Unsupported);
  EXPECT_FALSE(sun::is_nvector(serial.get()));
}

}  // namespace
}  // namespace libsolve
