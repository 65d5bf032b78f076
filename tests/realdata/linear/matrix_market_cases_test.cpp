#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <libsolve/core/random.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <limits>
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

struct Residual {
  double relative = 0.0;  ///< ||b - A x|| / ||b||
  double rounding = 0.0;  ///< how far sums in another order may be from it
};

/// For b of independent normal numbers by the seed of the case.
Residual residual_of(const Entries& A, const std::vector<double>& x) {
  const RandomStream stream(1, "right_hand_side");
  std::vector<double> r(static_cast<std::size_t>(A.num_rows));
  double bb = 0.0, rr = 0.0, size = 0.0;
  for (std::size_t i = 0; i < r.size(); ++i) {
    r[i] = stream.normal(i);
    bb += r[i] * r[i];
  }
  std::vector<double> magnitude(r.size(), 0.0);  // |A| |x|
  for (std::size_t k = 0; k < A.value.size(); ++k) {
    r[A.row[k]] -= A.value[k] * x[A.column[k]];
    magnitude[A.row[k]] += std::abs(A.value[k] * x[A.column[k]]);
  }
  for (const double v : r) rr += v * v;
  for (const double m : magnitude) size += m * m;
  return {std::sqrt(rr / bb), 4.0 * std::numeric_limits<double>::epsilon() * std::sqrt(size / bb)};
}

void run_case(const std::string& name) {
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
                              results;
  ASSERT_EQ(std::system(command.c_str()), 0) << command;  // exit code 0: converged

  const Hdf5File file = Hdf5File::open(results);
  const Entries A = read_entries(matrix);
  const std::vector<double> x = file.numbers("/solution/x");
  ASSERT_EQ(static_cast<std::int64_t>(x.size()), A.num_rows);
  const Residual recomputed = residual_of(A, x);
  EXPECT_LE(recomputed.relative, 1e-8 + recomputed.rounding);
  EXPECT_NEAR(file.numbers("/report/measures/relative_residual").at(0), recomputed.relative,
              recomputed.rounding);
  std::cout << "recomputed: " << recomputed.relative << " +- " << recomputed.rounding << "\n";
}

TEST(RealData, Bcsstk13ConvergesWithCgAndIncompleteCholesky) {
  run_case("bcsstk13");
}
TEST(RealData, Bus494ConvergesWithCgAndIncompleteCholesky) {
  run_case("494_bus");
}
TEST(RealData, Watt2ConvergesWithGmresAndIncompleteLu) {
  run_case("watt_2");
}

}  // namespace
