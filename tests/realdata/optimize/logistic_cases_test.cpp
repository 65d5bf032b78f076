#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <libsolve/io/hdf5_file.hpp>
#include <sstream>
#include <string>
#include <tests/support/temporary_folder.hpp>
#include <vector>

/// Constrained logistic regression on public data from the case file to the results file, with the
/// application as users run it and Ipopt as the method. Loss and sphere are recomputed here from
/// the data file by a reader of the test's own.
namespace {

using namespace libsolve;

/// Mean of log(1 + exp(-y a^T x)) over the file; columns from `first`.
double mean_loss(const std::string& path, int first, const std::vector<double>& x) {
  std::ifstream in(path);
  long double sum = 0.0;
  int count = 0;
  for (std::string line; std::getline(in, line); ++count) {
    std::istringstream words(line);
    double label = 0.0;
    words >> label;
    long double t = 0.0;
    for (std::string word; words >> word;) {
      const std::size_t colon = word.find(':');
      t += std::stod(word.substr(colon + 1)) *
           x.at(static_cast<std::size_t>(std::stoi(word.substr(0, colon)) - first));
    }
    sum += std::log1p(std::exp(label > 0.0 ? -t : t));
  }
  return static_cast<double>(sum / count);
}

void run_case(const std::string& name, int first, std::size_t num_features) {
  const char* folder = std::getenv("LIBSOLVE_DATA_DIR");
  if (folder == nullptr || *folder == '\0')
    GTEST_SKIP() << "LIBSOLVE_DATA_DIR is not set: it names the folder that holds libsvm/" << name;
  const std::string data = std::string(folder) + "/libsvm/" + name;
  if (!std::filesystem::exists(data)) GTEST_SKIP() << "there is no file " << data;
  const std::string build = LIBSOLVE_BINARY_DIR;
  if (!std::filesystem::exists(build + "/lib/libsolve/plugins/ipopt.so"))
    GTEST_SKIP() << "this build has no Ipopt";

  const test::TemporaryFolder output;
  const std::string results = output.file("results.h5");
  const std::string command = build + "/bin/libsolve run " + LIBSOLVE_SOURCE_DIR +
                              "/data/optimize/" + name + ".toml --output " + results;
  ASSERT_EQ(std::system(command.c_str()), 0) << command;  // exit code 0: converged
  const Hdf5File file = Hdf5File::open(results);
  const std::vector<double> x = file.numbers("/solution/x");
  ASSERT_EQ(x.size(), num_features);
  double squared = 0.0;
  for (const double e : x) squared += e * e;
  EXPECT_NEAR(squared, 1.0, 2e-6);
  EXPECT_NEAR(file.numbers("/report/measures/objective").at(0), mean_loss(data, first, x), 1e-12);
}

/// Its file counts columns from 0.
TEST(RealData, A9aConverges) {
  run_case("a9a", 0, 123);
}
TEST(RealData, DiabetesConverges) {
  run_case("diabetes", 1, 8);
}
TEST(RealData, HeartScaleConverges) {
  run_case("heart_scale", 1, 13);
}

}  // namespace
