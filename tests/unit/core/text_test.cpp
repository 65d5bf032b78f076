#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <libsolve/core/text.hpp>
#include <limits>
#include <random>

namespace {

using libsolve::format_number;
using libsolve::join;
using libsolve::nearest_name;

TEST(Text, NearestNameFindsTypingMistakes) {
  const std::vector<std::string> names = {"multigrid", "jacobi", "ssor", "cg", "gmres"};
  EXPECT_EQ(nearest_name("mutligrid", names), "multigrid");
  EXPECT_EQ(nearest_name("multi-grid", names), "multigrid");
  EXPECT_EQ(nearest_name("jakobi", names), "jacobi");
  EXPECT_EQ(nearest_name("gmress", names), "gmres");
  EXPECT_EQ(nearest_name("cg", names), "cg");
}

TEST(Text, NearestNameIsSilentWhenNothingIsNear) {
  EXPECT_EQ(nearest_name("eigenvalue", {"multigrid", "jacobi"}), "");
  EXPECT_EQ(nearest_name("anything", {}), "");
}

TEST(Text, NearestNameTakesTheFirstOfEqualOnes) {
  EXPECT_EQ(nearest_name("ab", {"aa", "bb"}), "aa");
}

TEST(Text, JoinPutsTheSeparatorBetween) {
  EXPECT_EQ(join({}), "");
  EXPECT_EQ(join({"a"}), "a");
  EXPECT_EQ(join({"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(join({"a", "b"}, " | "), "a | b");
}

TEST(Text, NumbersAreShortAndReadBackExactly) {
  EXPECT_EQ(format_number(0.1), "0.1");
  EXPECT_EQ(format_number(1e-8), "1e-08");
  EXPECT_EQ(format_number(3.0), "3");
  EXPECT_EQ(format_number(std::numeric_limits<double>::infinity()), "inf");
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(-300.0, 300.0);
  for (int i = 0; i < 1000; ++i) {
    const double value = std::pow(10.0, exponent(random)) * (i % 2 == 0 ? 1.0 : -1.0);
    EXPECT_EQ(std::strtod(format_number(value).c_str(), nullptr), value);
  }
}

TEST(Text, ShortNumberHasThreeDigits) {
  EXPECT_EQ(libsolve::short_number(2.5e-10), "2.50e-10");
  EXPECT_EQ(libsolve::short_number(0.123456), "1.23e-01");
  EXPECT_EQ(libsolve::short_number(std::numeric_limits<double>::quiet_NaN()).substr(0, 3), "nan");
}

}  // namespace
