#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/optimize/formula.hpp>
#include <libsolve/pde/formula_values.hpp>

namespace {

using namespace libsolve;

TEST(FormulaValues, AreThoseAtThePoints) {
  const auto values = formula_values("x*exp(t)-2", {"x", "t"}, 5, [](std::size_t k, auto v) {
    v[0] = 0.5 * static_cast<double>(k);
    v[1] = 1.0 - static_cast<double>(k);
  });
  ASSERT_EQ(values.size(), 5U);
  for (int k = 0; k < 5; ++k)
    EXPECT_DOUBLE_EQ(values[static_cast<std::size_t>(k)], 0.5 * k * std::exp(1.0 - k) - 2.0);
}

TEST(FormulaValues, FaultsAndValuesThatAreNotFiniteAreTold) {
  EXPECT_EQ(fault_of_formula("x+t", {"x", "t"}), "");
  EXPECT_NE(fault_of_formula("x+y", {"x", "t"}).find("y"), std::string::npos);
  try {
    (void)formula_values("1/x", {"x"}, 3,
                         [](std::size_t k, auto v) { v[0] = static_cast<double>(k) - 1.0; }, "force");
    FAIL() << "1/0 went through";
  } catch (const DataError& e) {
    EXPECT_NE(std::string(e.what()).find("x = 0"), std::string::npos) << e.what();
    EXPECT_EQ(std::string(e.what()).find("force = \"1/x\""), 0U) << e.what();
  }
}

}  // namespace
