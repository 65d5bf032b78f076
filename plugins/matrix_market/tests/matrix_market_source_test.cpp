#include "matrix_market_source.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <libsolve/core/errors.hpp>
#include <libsolve/io/matrix_market.hpp>
#include <libsolve/linear/linear_system.hpp>
#include <tests/support/matrices.hpp>
#include <tests/support/temporary_folder.hpp>

namespace {

using namespace libsolve;
using matrix_market::MatrixMarketOptions;
using matrix_market::MatrixMarketSource;

class Source : public ::testing::Test {
 protected:
  void SetUp() override {
    write("a.mtx",
          "%%MatrixMarket matrix coordinate real general\n3 3 4\n1 1 2\n2 2 3\n3 3 4\n1 3 1\n");
    write("b.mtx", "%%MatrixMarket matrix array real general\n3 2\n1\n2\n3\n4\n5\n6\n");
    write("short.mtx", "%%MatrixMarket matrix array real general\n2 1\n1\n2\n");
    context_.base_folder = folder_.path();
    context_.seed = 7;
    options_.file = "a.mtx";
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.file(name)) << text;
  }
  std::unique_ptr<LinearSystem> create() const {
    auto problem = MatrixMarketSource(options_, context_).create();
    return std::unique_ptr<LinearSystem>(dynamic_cast<LinearSystem*>(problem.release()));
  }
  std::vector<double> b() const { return test::to_host(create()->b()); }
  /// What is said of a table of options.
  std::string complaint(const Value& table) const {
    Diagnostics problems;
    parse_options<MatrixMarketOptions>(table, "problem.", "problem source 'matrix-market'",
                                       problems);
    return problems.empty() ? "" : to_string(problems.problems().front());
  }

  test::TemporaryFolder folder_;
  Context context_;
  MatrixMarketOptions options_;
};

TEST_F(Source, RightHandSides) {
  options_.right_hand_side = "ones";
  EXPECT_EQ(b(), (std::vector<double>{1.0, 1.0, 1.0}));
  options_.right_hand_side = "solution-ones";
  EXPECT_EQ(b(), (std::vector<double>{3.0, 3.0, 4.0}));
  EXPECT_EQ(test::to_host(*create()->exact_solution), (std::vector<double>{1.0, 1.0, 1.0}));
  options_.right_hand_side = "file";
  options_.right_hand_side_file = "b.mtx";
  EXPECT_EQ(b(), (std::vector<double>{1.0, 2.0, 3.0}));
  options_.right_hand_side_column = 1;
  EXPECT_EQ(b(), (std::vector<double>{4.0, 5.0, 6.0}));
}

TEST_F(Source, RandomNumbersFollowTheSeed) {
  const auto first = b();
  EXPECT_EQ(b(), first);
  context_.seed = 8;
  EXPECT_NE(b(), first);
}

TEST_F(Source, InitialGuess) {
  EXPECT_EQ(test::to_host(create()->x()), (std::vector<double>{0.0, 0.0, 0.0}));
  options_.initial_guess = "random";
  EXPECT_NE(test::to_host(create()->x()), (std::vector<double>{0.0, 0.0, 0.0}));
  EXPECT_NE(test::to_host(create()->x()), b());
}

TEST_F(Source, DescriptionNamesFileAndKind) {
  EXPECT_EQ(create()->description(), "a.mtx: sparse matrix, 3 x 3, 4 nonzeros, unsymmetric");
}

TEST_F(Source, RightHandSideThatDoesNotFitIsRefused) {
  options_.right_hand_side = "file";
  options_.right_hand_side_file = "short.mtx";
  EXPECT_THROW(create(), ShapeError);
  options_.right_hand_side_file = "b.mtx";
  options_.right_hand_side_column = 2;
  EXPECT_THROW(create(), InputError);
}

TEST_F(Source, OptionsThatContradictEachOtherAreRefused) {
  Value table;
  EXPECT_NE(complaint(table).find("problem.file: is required"), std::string::npos);
  table.set("file", "a.mtx");
  EXPECT_EQ(complaint(table), "");
  table.set("right_hand_side", "file");
  EXPECT_NE(complaint(table).find("right_hand_side_file: is missing"), std::string::npos);
  table.set("right_hand_side_file", "b.mtx");
  EXPECT_EQ(complaint(table), "");
  table.set("right_hand_side", "ones");
  EXPECT_NE(complaint(table).find("is given, but right_hand_side is \"ones\""), std::string::npos);
}

}  // namespace
