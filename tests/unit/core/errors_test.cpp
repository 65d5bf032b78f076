#include <gtest/gtest.h>

#include <libsolve/core/errors.hpp>

namespace {

using namespace libsolve;

TEST(Errors, PlacesAreReadable) {
  EXPECT_EQ(to_string(SourceLocation{}), "");
  EXPECT_EQ(to_string(SourceLocation{"case.toml", 7, 3}), "case.toml:7: ");
  EXPECT_EQ(to_string(SourceLocation{"--set", 0, 0}), "--set: ");
  EXPECT_EQ(to_string(Diagnostic{{"case.toml", 7, 3}, "method.omega", "is wrong"}),
            "case.toml:7: method.omega: is wrong");
  EXPECT_EQ(to_string(Diagnostic{{}, "", "is wrong"}), "is wrong");
}

TEST(Errors, DiagnosticsThrowEverythingTogether) {
  Diagnostics problems;
  EXPECT_TRUE(problems.empty());
  EXPECT_NO_THROW(problems.throw_if_any());
  problems.add({"case.toml", 1, 1}, "a", "first");
  problems.add({"case.toml", 2, 1}, "b", "second");
  try {
    problems.throw_if_any();
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "case.toml:1: a: first\ncase.toml:2: b: second");
    EXPECT_EQ(error.problems().size(), 2U);
    EXPECT_EQ(error.problems()[1].key, "b");
  }
}

template <class E>
void expect_caught_as_error() {
  try {
    throw E("what was asked; what was found; what to do");
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "what was asked; what was found; what to do");
  }
}

TEST(Errors, AllDeriveFromError) {
  expect_caught_as_error<ShapeError>();
  expect_caught_as_error<DataError>();
  expect_caught_as_error<PluginError>();
  expect_caught_as_error<IoError>();
  expect_caught_as_error<NumericalError>();
  expect_caught_as_error<Unsupported>();
  expect_caught_as_error<BackendError>();
  EXPECT_THROW(throw InputError({}, "key", "message"), Error);
  EXPECT_THROW(throw Error("x"), std::runtime_error);
}

}  // namespace
