#include <gtest/gtest.h>

#include <libsolve/adapters/narrow.hpp>

namespace {

using libsolve::GlobalIndex;
using libsolve::narrowed;
using libsolve::Unsupported;

/// Counts past 2^31 need no memory to be refused.
TEST(Narrowed, RefusesWhatDoesNotFit) {
  const GlobalIndex limit = (GlobalIndex{1} << 31) - 1;
  EXPECT_EQ(narrowed<std::int32_t>(limit, "entries", "PETSc"), limit);
  EXPECT_EQ(narrowed<std::int64_t>(limit + 1, "entries", "PETSc"), limit + 1);
  EXPECT_THROW((void)narrowed<std::int32_t>(-1, "entries", "PETSc"), Unsupported);
  try {
    (void)narrowed<std::int32_t>(limit + 1, "entries", "PETSc");
    FAIL() << "2^31 fits no 32-bit integer";
  } catch (const Unsupported& e) {
    const std::string text = e.what();
    EXPECT_NE(text.find("2147483648 entries"), std::string::npos) << text;
    EXPECT_NE(text.find("PETSc"), std::string::npos) << text;
  }
}

}  // namespace
