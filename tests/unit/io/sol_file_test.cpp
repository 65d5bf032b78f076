#include <gtest/gtest.h>

#include <fstream>
#include <libsolve/core/errors.hpp>
#include <libsolve/io/sol_file.hpp>
#include <sstream>
#include <tests/support/temporary_folder.hpp>

namespace {

using namespace libsolve;

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

NlHeader header_of(std::string first, const test::TemporaryFolder& folder) {
  std::ofstream(folder.file("p.nl"))
      << first
      << "\n 3 2 1 0 1\n 1 1\n 0 0\n 2 1 1\n 0 0 0 1\n 0 0 0 0 0\n 4 2\n 0 0\n 1 0 0 0 0\n";
  return read_nl_header(folder.file("p.nl"));
}

TEST(SolFile, HasMessageOptionsDualsAndPrimals) {
  const test::TemporaryFolder folder;
  const NlHeader header = header_of("g3 1 1 0\t# problem p", folder);
  EXPECT_EQ(header.num_variables, 3);
  EXPECT_EQ(header.num_constraints, 2);
  EXPECT_EQ(header.num_common_expressions, 1);
  EXPECT_EQ(header.num_nonlinear_variables, 2);
  EXPECT_FALSE(header.is_binary);
  const double x[] = {1.0, -0.1, 1e-300}, duals[] = {0.25, 0.0};
  write_sol_file(folder.file("p.sol"), header, "done\n\nwell\n", x, duals, SolveResult::infeasible,
                 2);
  EXPECT_EQ(
      text_of(folder.file("p.sol")),
      "done\nwell\n\nOptions\n3\n1\n1\n0\n2\n2\n3\n3\n0.25\n0\n1\n-0.1\n1e-300\nobjno 1 200\n");
}

/// Where AMPL asks for it, the tolerance of the bounds follows the counts, and two more are
/// announced.
TEST(SolFile, EchoesTheBoundTolerance) {
  const test::TemporaryFolder folder;
  const NlHeader header = header_of("g3 0 3 0 1e-7", folder);
  const double x[] = {1, 2, 3}, duals[] = {4, 5};
  write_sol_file(folder.file("p.sol"), header, "m", x, duals, SolveResult::solved);
  EXPECT_EQ(text_of(folder.file("p.sol")),
            "m\n\nOptions\n5\n0\n3\n0\n2\n2\n3\n3\n1e-07\n4\n5\n1\n2\n3\nobjno 0 0\n");
}

TEST(SolFile, WrongLengthsAndFoldersAreErrors) {
  const test::TemporaryFolder folder;
  const NlHeader header = header_of("g3 1 1 0", folder);
  const double x[] = {1, 2, 3}, duals[] = {4, 5};
  const auto write = [&](const std::string& path, std::size_t n, std::size_t m) {
    write_sol_file(path, header, "m", {x, n}, {duals, m}, SolveResult::solved);
  };
  EXPECT_THROW(write(folder.file("p.sol"), 2, 2), ShapeError);
  EXPECT_THROW(write(folder.file("p.sol"), 3, 1), ShapeError);
  EXPECT_THROW(write(folder.file("no/such/p.sol"), 3, 2), IoError);
}

TEST(NlHeader, DamagedOnesAreRefusedWithTheirLine) {
  const test::TemporaryFolder folder;
  for (const char* first : {"", "hello", "g12 1 1", "g3 1", "gx"})
    EXPECT_THROW(header_of(first, folder), InputError) << first;
  std::ofstream(folder.file("few.nl"))
      << "g3 1 1 0\n 3 2 1 0 1\n 1 1\n 0 0\n 2 1 1\n 0 0 0 1\n 0 0\n 4 2\n 0 0\n 1 0 0 0 0\n";
  EXPECT_THROW(read_nl_header(folder.file("few.nl")), InputError)
      << "5 counts of discrete variables";
  std::ofstream(folder.file("short.nl")) << "g3 1 1 0\n 2 1 1\n 1 1\n";
  try {
    read_nl_header(folder.file("short.nl"));
    FAIL();
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("short.nl:4"), std::string::npos) << e.what();
  }
}

}  // namespace
