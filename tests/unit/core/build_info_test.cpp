#include <gtest/gtest.h>

#include <libsolve/core/build_info.hpp>
#include <libsolve/core/version.hpp>
#include <string>

namespace {

TEST(BuildInfo, LoadedLibraryIsTheOneOfTheHeaders) {
  EXPECT_EQ(std::string(libsolve::build_info().version), LIBSOLVE_VERSION);
  EXPECT_NE(std::string(libsolve::build_info().revision), "");
}

}  // namespace
