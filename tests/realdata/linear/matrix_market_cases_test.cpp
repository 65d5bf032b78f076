#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <libsolve/core/random.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <sstream>
#include <string>
#include <tests/support/temporary_folder.hpp>
#include <vector>

/// Public matrices from the case file to the results file, with the application as users run it.
/// The residual is recomputed here from the files: by a reader, a right-hand side and a product of
/// the test's own.
namespace {

using namespace libsolve;

struct Entries {
  std::int64_t num_rows = 0;
  std::vector<std::int64_t> row, column;
  std::vector<double> value;
};

/// A `coordinate real` file, symmetric or general.
Entries read_entries(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  const bool symmetric = line.find(" symmetric") != std::string::npos;
  while (std::getline(in, line) && line[0] == '%') {
  }
  Entries A;
  std::int64_t columns = 0, count = 0, i = 0, j = 0;
  double v = 0.0;
  std::istringstream(line) >> A.num_rows >> columns >> count;
  for (std::int64_t k = 0; k < count && in >> i >> j >> v; ++k)
    for (int side = 0; side < (symmetric && i != j ? 2 : 1); ++side) {
      A.row.push_back((side == 0 ? i : j) - 1);
      A.column.push_back((side == 0 ? j : i) - 1);
      A.value.push_back(v);
    }
  return A;
}

/// The right-hand side of a case: random numbers by its seed, or ones.
enum class RightHandSide { random, ones };

/// ||b - A x|| / ||b||, summed in long double.
double relative_residual(const Entries& A, RightHandSide b, const std::vector<double>& x) {
  const RandomStream stream(1, "right_hand_side");
  std::vector<long double> r(static_cast<std::size_t>(A.num_rows));
  long double bb = 0.0, rr = 0.0;
  for (std::size_t i = 0; i < r.size(); ++i) {
    r[i] = b == RightHandSide::random ? stream.uniform(i, -1.0, 1.0) : 1.0;
    bb += r[i] * r[i];
  }
  for (std::size_t k = 0; k < A.value.size(); ++k)
    r[A.row[k]] -= static_cast<long double>(A.value[k]) * x[A.column[k]];
  for (const long double v : r) rr += v * v;
  return static_cast<double>(std::sqrt(rr / bb));
}

/// `more`: options after those of the command.
void run_case(const std::string& name, RightHandSide b, const std::string& more = {}) {
  const char* folder = std::getenv("LIBSOLVE_DATA_DIR");
  if (folder == nullptr || *folder == '\0')
    GTEST_SKIP() << "LIBSOLVE_DATA_DIR is not set: it names the folder that holds matrices/" << name
                 << ".mtx";
  const std::string matrix = std::string(folder) + "/matrices/" + name + ".mtx";
  if (!std::filesystem::exists(matrix)) GTEST_SKIP() << "there is no file " << matrix;

  const test::TemporaryFolder output;
  const std::string results = output.file("results.h5");
  const std::string command = std::string(LIBSOLVE_BINARY_DIR) + "/bin/libsolve run " +
                              LIBSOLVE_SOURCE_DIR + "/data/linear/" + name + ".toml --output " +
                              results + more;
  ASSERT_EQ(std::system(command.c_str()), 0) << command;  // exit code 0: converged

  const Hdf5File file = Hdf5File::open(results);
  const Entries A = read_entries(matrix);
  const std::vector<double> x = file.numbers("/solution/x");
  ASSERT_EQ(static_cast<std::int64_t>(x.size()), A.num_rows);
  // The application sums in double: its figure agrees to the rounding of A x, some 1e-10 of b here.
  const double recomputed = relative_residual(A, b, x);
  std::cout << "relative residual recomputed in long double: " << recomputed << "\n";
  EXPECT_LE(recomputed, 1.01e-8);
  EXPECT_NEAR(file.numbers("/report/measures/relative_residual").at(0), recomputed, 1e-10);
}

TEST(RealData, Bcsstk13ConvergesWithCgAndIncompleteCholesky) {
  run_case("bcsstk13", RightHandSide::random);
}
TEST(RealData, Bus494ConvergesWithCgAndIncompleteCholesky) {
  run_case("494_bus", RightHandSide::random);
}
TEST(RealData, Watt2ConvergesWithGmresAndIncompleteLu) {
  run_case("watt_2", RightHandSide::ones);
}
/// The recurrence ends just below the tolerance with the true residual just above it: the next start
/// has to aim lower.
TEST(RealData, Watt2WhoseRecurrenceFallsShortConverges) {
  run_case("watt_2", RightHandSide::random, " --set problem.right_hand_side=random");
}

}  // namespace
