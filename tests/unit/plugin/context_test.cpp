#include <gtest/gtest.h>

#include <cstdlib>
#include <libsolve/core/errors.hpp>
#include <libsolve/plugin/registry.hpp>
#include <string>

namespace {

using libsolve::Context;

TEST(Context, RelativeFilesStartAtTheBaseFolder) {
  Context context;
  context.base_folder = "cases";
  EXPECT_EQ(context.resolve_file("a.mtx"), "cases/a.mtx");
  EXPECT_EQ(context.resolve_file("/data/a.mtx"), "/data/a.mtx");
  EXPECT_EQ(context.resolve_file(""), "");
}

TEST(Context, EnvironmentVariablesInFileNamesAreReplaced) {
  Context context;
  context.base_folder = "cases";
  ::setenv("LIBSOLVE_TEST_FOLDER", "/data", 1);
  EXPECT_EQ(context.resolve_file("${LIBSOLVE_TEST_FOLDER}/a.mtx"), "/data/a.mtx");
  ::setenv("LIBSOLVE_TEST_FOLDER", "below", 1);
  EXPECT_EQ(context.resolve_file("x/${LIBSOLVE_TEST_FOLDER}/a"), "cases/x/below/a");
  ::unsetenv("LIBSOLVE_TEST_FOLDER");
}

TEST(Context, MissingEnvironmentVariableIsNamed) {
  ::unsetenv("LIBSOLVE_TEST_FOLDER");
  const Context context;
  try {
    context.resolve_file("${LIBSOLVE_TEST_FOLDER}/a.mtx");
    FAIL() << "no error";
  } catch (const libsolve::InputError& error) {
    EXPECT_NE(std::string(error.what()).find("LIBSOLVE_TEST_FOLDER, which is not set"),
              std::string::npos)
        << error.what();
  }
  EXPECT_THROW(context.resolve_file("${LIBSOLVE_TEST_FOLDER"), libsolve::InputError);
}

}  // namespace
