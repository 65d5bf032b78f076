#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <libsolve/core/component.hpp>
#include <libsolve/plugin/loader.hpp>
#include <tests/support/transport_problems.hpp>

#include "sns.hpp"

/// Passes over all n m entries at n = 784 to 1000, where they are what a solve costs.
namespace {

using namespace libsolve;
using sinkhorn_newton::Sns;

const Registry& registry() {
  static const Registry* one = [] {
    auto* made = new Registry;
    load_plugins(*made, {.files = {}, .path = "", .installed_folder = std::nullopt});
    return made;
  }();
  return *one;
}

Report solve(TransportProblem& problem) {
  Context context;
  context.registry = &registry();
  return Sns({}, context).solve(problem, Monitor::none());
}

void expect_few_passes(TransportProblem& problem, double most, const std::string& what) {
  const Report report = solve(problem);
  EXPECT_TRUE(report.converged()) << what << ": " << report.reason;
  EXPECT_LE(problem.verify().front().value, 1e-9) << what;
  EXPECT_LE(report.value("passes") + report.value("entry_searches"), most) << what;
  EXPECT_GT(report.value("newton_steps"), 0.0) << what;
}

TEST(SnsAtRealSizes, PassesAreFewOnEveryFamily) {
  for (const double eta : {1e-3, 1e-4, 1e-6}) {
    const std::string at = " at eta " + std::to_string(eta);
    expect_few_passes(*test::random_assignment(1000, eta), 150, "random" + at);
    expect_few_passes(*test::random_clouds({.n = 1000, .m = 1000}, eta), 150, "2D" + at);
    expect_few_passes(*test::random_clouds({.n = 1000, .m = 900, .dimension = 3}, eta), 150,
                      "3D" + at);
    expect_few_passes(*test::digit_images(28, PointNorm::manhattan, eta), 150, "L1 digits" + at);
    expect_few_passes(*test::digit_images(28, PointNorm::euclidean, eta), 150, "L2 digits" + at);
  }
}

/// At eta = 1e-2 plans are dense, and a Newton step takes the time of a hundred sweeps.
TEST(SnsAtRealSizes, DensePlansAreLeftToSweeps) {
  for (const int dimension : {2, 3}) {
    const auto p = test::random_clouds({.n = 1000, .m = 1000, .dimension = dimension}, 1e-2);
    const Report report = solve(*p);
    EXPECT_TRUE(report.converged()) << report.reason;
    EXPECT_LE(p->verify().front().value, 1e-9);
    EXPECT_LE(report.value("newton_steps"), 5.0);  // at the end, where too many sweeps are foreseen
    EXPECT_LE(report.value("passes"), 150.0);
  }
}

/// Written digits of a public set; the pairs are others than that of data/transport/digits.toml.
TEST(SnsAtRealSizes, PassesAreFewOnOtherPairsOfDigits) {
  const char* folder = std::getenv("LIBSOLVE_DATA_DIR");
  const std::string file = std::string(folder == nullptr ? "" : folder) + "/images/images.h5";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "LIBSOLVE_DATA_DIR names no " << file;
  if (registry().find("problem-source", "images") == nullptr) GTEST_SKIP() << "no source images";
  Context context;
  context.registry = &registry();
  for (const auto& [source, target] : {std::pair{3, 8}, std::pair{1, 4}})
    for (const double eta : {1e-3, 1e-4}) {
      ComponentSpec images("images");
      images.options.set("source_file", Value(file));
      images.options.set("source_dataset", Value("digits"));
      images.options.set("source_index", Value(std::int64_t{source}));
      images.options.set("target_index", Value(std::int64_t{target}));
      images.options.set("resample", Value(Value::Array{Value(28), Value(28)}));
      images.options.set("background", Value(0.01));
      images.options.set("scale", Value("auto"));
      images.options.set("relative_regularization", Value(eta));
      const auto problem = context.make<ProblemSource>(images)->create();
      auto& transport = dynamic_cast<TransportProblem&>(*problem);
      ASSERT_EQ(transport.a().local_size(), 784);
      expect_few_passes(transport, 150,
                        std::to_string(source) + " to " + std::to_string(target) + " at eta " +
                            std::to_string(eta));
    }
}

}  // namespace
