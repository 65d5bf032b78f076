#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <libsolve/plugin/loader.hpp>
#include <tests/support/over_ranks.hpp>

/// A matrix of structural analysis from its file, by the rows of the ranks: the factors of all of
/// them together give what those of one rank give.
namespace {

using namespace libsolve;

TEST(RealDataRanks, Bcsstk13ByMumps) {
  const char* folder = std::getenv("LIBSOLVE_DATA_DIR");
  const std::string file = std::string(folder != nullptr ? folder : "") + "/matrices/bcsstk13.mtx";
  if (folder == nullptr || !std::filesystem::exists(file))
    GTEST_SKIP() << "LIBSOLVE_DATA_DIR names no folder with matrices/bcsstk13.mtx";
  Registry registry;
  load_plugins(registry, {.files = {}, .path = "", .installed_folder = std::nullopt});
  if (registry.find("linear-solver", "mumps") == nullptr) GTEST_SKIP() << "no mumps in this build";
  // Its condition number is about 1e10: x has some six digits, and refinement to the limit of b - A
  // x makes them the same.
  test::expect_same_on_ranks(
      registry,
      {.source = "matrix-market",
       .problem = test::with("file", file, test::with("right_hand_side", "solution-ones")),
       .method = "mumps",
       .options = test::with("relative_tolerance", 1e-14)});
}

}  // namespace
