#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <libsolve/core/errors.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/transport/plan_marginals.hpp>
#include <tests/support/matrices.hpp>
#include <tests/support/temporary_folder.hpp>
#include <tests/support/transport_problems.hpp>

#include "cost_matrix.hpp"
#include "point_clouds.hpp"

namespace {

using namespace libsolve;
using namespace transport_sources;

template <class Source>
std::unique_ptr<TransportProblem> create(const typename Source::Options& options,
                                         std::uint64_t seed = 1) {
  Context context;
  context.seed = seed;
  std::unique_ptr<Problem> problem = Source(options, context).create();
  return std::unique_ptr<TransportProblem>(dynamic_cast<TransportProblem*>(problem.release()));
}

RegularizationOptions absolute(double eps) {
  return {.regularization = eps};
}
RegularizationOptions relative(double eta) {
  return {.relative_regularization = eta};
}

/// The words of the exception that `body` throws.
template <class E>
std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const E& e) {
    return e.what();
  }
  return "nothing was thrown";
}

void expect_words(const std::string& message, const std::vector<std::string>& words) {
  for (const std::string& w : words)
    EXPECT_NE(message.find(w), std::string::npos) << "'" << w << "' is missing in: " << message;
}

/// A file with the given datasets: values and shape of each.
class TransportFile : public testing::Test {
 protected:
  using Datasets = std::vector<std::tuple<std::string, std::vector<double>, std::vector<GlobalIndex>>>;
  std::string write(const Datasets& sets) {
    Hdf5File file = Hdf5File::create(folder_.file("data.h5"));
    for (const auto& [name, values, shape] : sets) file.array("/" + name, values, shape);
    file.close();
    return folder_.file("data.h5");
  }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.file(name)) << text;
    return folder_.file(name);
  }
  std::string refusal(const Datasets& sets) {
    const std::string file = write(sets);
    return error_of<Error>(
        [&] { create<CostMatrixSource>({.file = file, .common = absolute(0.1)}); });
  }
  test::TemporaryFolder folder_;
};

const std::vector<double> cost23 = {0.0, 1.0, 4.0, 1.0, 0.0, 1.0};

TEST_F(TransportFile, CostMatrixIsReadAsItIs) {
  const auto problem = create<CostMatrixSource>(
      {.file = write({{"cost", cost23, {2, 3}}, {"a", {0.25, 0.75}, {}}, {"b", {0.5, 0.25, 0.25}, {}}}),
       .common = relative(0.1)});
  EXPECT_EQ(test::dense_cost(problem->cost()),
            (std::vector<std::vector<double>>{{0.0, 1.0, 4.0}, {1.0, 0.0, 1.0}}));
  EXPECT_EQ(test::to_host(problem->a()), (std::vector<double>{0.25, 0.75}));
  EXPECT_EQ(test::to_host(problem->b()), (std::vector<double>{0.5, 0.25, 0.25}));
  EXPECT_DOUBLE_EQ(problem->regularization(), 0.4);  // eta times 4
  EXPECT_TRUE(problem->is_balanced());
}

TEST_F(TransportFile, MassesThatAreNotThereAreUniform) {
  const auto problem = create<CostMatrixSource>(
      {.file = write({{"cost", cost23, {2, 3}}}), .common = absolute(0.1)});
  EXPECT_EQ(test::to_host(problem->a()), (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(test::to_host(problem->b()), (std::vector<double>(3, 1.0 / 3.0)));
  EXPECT_EQ(problem->regularization(), 0.1);
}

TEST_F(TransportFile, DataThatIsWrongIsNamed) {
  const double nan = std::nan("");
  expect_words(refusal({{"costs", cost23, {2, 3}}}), {"data.h5", "'cost'", "did you mean 'costs'"});
  expect_words(refusal({{"cost", cost23, {6}}}), {"data.h5", "'cost' is 6", "n x m"});
  expect_words(refusal({{"cost", {0, 1, nan, 1, 0, 1}, {2, 3}}}), {"data.h5", "cost[0, 2] is nan"});
  expect_words(refusal({{"cost", {0, 1, 4, 1, -0.5, 1}, {2, 3}}}), {"data.h5", "cost[1, 1] is -0.5"});
  expect_words(refusal({{"cost", cost23, {2, 3}}, {"a", {0.5, 0.2, 0.3}, {}}}),
               {"data.h5", "'a' has 3 masses for 2 rows"});
  expect_words(refusal({{"cost", cost23, {2, 3}}, {"a", {1.5, -0.5}, {}}}),
               {"data.h5", "a[1] is -0.5", "finite and positive"});
  expect_words(refusal({{"cost", cost23, {2, 3}}, {"b", {0.5, nan, 0.5}, {}}}),
               {"data.h5", "b[1] is nan"});
  expect_words(refusal({{"cost", cost23, {2, 3}}, {"b", {0.5, 0.5, 0.0}, {}}}),
               {"data.h5", "b[2] is 0", "leave points without mass out"});
  expect_words(refusal({{"cost", cost23, {2, 3}}, {"a", {0.5, 1.0}, {}}}),
               {"data.h5", "total of a is 1.5", "marginal_penalty"});
  expect_words(refusal({{"cost", std::vector<double>(6, 0.0), {2, 3}}, {"x", {1.0}, {}}}),
               {"nothing was thrown"});
  const std::string missing = folder_.file("nowhere.h5");
  expect_words(error_of<InputError>([&] {
                 create<CostMatrixSource>({.file = missing, .common = absolute(0.1)});
               }),
               {"file", "nowhere.h5"});
  const std::string text = write("text.h5", "no HDF5");
  expect_words(error_of<InputError>([&] {
                 create<CostMatrixSource>({.file = text, .common = absolute(0.1)});
               }),
               {"file", "text.h5"});
}

TEST_F(TransportFile, UnequalTotalsAreTheUnbalancedProblem) {
  const auto problem = create<CostMatrixSource>(
      {.file = write({{"cost", cost23, {2, 3}}, {"a", {0.5, 1.0}, {}}}),
       .common = {.regularization = 0.1, .marginal_penalty = 2.0}});
  EXPECT_FALSE(problem->is_balanced());
  EXPECT_EQ(*problem->marginal_penalty(), 2.0);
}

TEST_F(TransportFile, CloudsFromHdf5) {
  const std::string file = write({{"x", {0, 0, 3, 4}, {2, 2}}, {"y", {0, 0, 1, 1, 3, 0}, {3, 2}},
                                  {"b", {0.5, 0.25, 0.25}, {}}});
  const auto problem = create<PointCloudsSource>({.file = file, .power = 1.0, .common = absolute(0.1)});
  const auto C = test::dense_cost(problem->cost());
  EXPECT_NEAR(C[1][0], 5.0, 1e-14);
  EXPECT_NEAR(C[0][2], 3.0, 1e-14);
  EXPECT_NEAR(C[1][2], 4.0, 1e-14);
  EXPECT_EQ(test::to_host(problem->b()), (std::vector<double>{0.5, 0.25, 0.25}));
  EXPECT_EQ(test::to_host(problem->points->y)[2], (std::vector<double>{3.0, 0.0}));
  const auto one = create<PointCloudsSource>(
      {.file = file, .masses = "uniform", .norm = "manhattan", .power = 1.0, .scale = std::nullopt,
       .common = relative(0.1)});
  EXPECT_NEAR(test::dense_cost(one->cost())[1][0], 1.0, 1e-14);  // 7 of 7
  EXPECT_NEAR(test::dense_cost(one->cost())[1][2], 4.0 / 7.0, 1e-14);
  EXPECT_NEAR(one->regularization(), 0.1, 1e-14);
  EXPECT_EQ(test::to_host(one->b()), (std::vector<double>(3, 1.0 / 3.0)));
}

TEST_F(TransportFile, CloudsOfDifferentDimensionAreRefused) {
  const std::string file = write({{"x", {0, 0, 3, 4}, {2, 2}}, {"y", {0, 0, 1}, {3, 1}}});
  expect_words(error_of<ShapeError>([&] {
                 create<PointCloudsSource>({.file = file, .common = absolute(0.1)});
               }),
               {"data.h5", "2 coordinates", "points y 1"});
}

TEST_F(TransportFile, CloudsFromCsv) {
  const PointCloudsOptions options{.x_file = write("x.csv", "x,y,mass\n0, 0, 0.5\n\n# far\n3,4,+0.5\n"),
                                   .y_file = write("y.csv", "1 1 1.0\r\n"),
                                   .masses = "last-column",
                                   .common = absolute(0.1)};
  const auto problem = create<PointCloudsSource>(options);
  EXPECT_EQ(test::to_host(problem->points->x), (std::vector<std::vector<double>>{{0, 0}, {3, 4}}));
  EXPECT_EQ(test::to_host(problem->a()), (std::vector<double>{0.5, 0.5}));
  EXPECT_NEAR(test::dense_cost(problem->cost())[1][0], 13.0, 1e-13);
  PointCloudsOptions wrong = options;
  wrong.x_file = write("z.csv", "1,2,3\n4,5\n");
  expect_words(error_of<InputError>([&] { create<PointCloudsSource>(wrong); }),
               {"z.csv:2", "2 numbers", "3"});
  wrong.x_file = write("z.csv", "1,2,3\n4,what,6\n");
  expect_words(error_of<InputError>([&] { create<PointCloudsSource>(wrong); }),
               {"z.csv:2", "column 2", "what"});
  wrong.x_file = write("z.csv", "1,nan,3\n");
  expect_words(error_of<InputError>([&] { create<PointCloudsSource>(wrong); }), {"z.csv:1", "nan"});
  wrong.x_file = write("z.csv", "a,b,c\n");
  expect_words(error_of<InputError>([&] { create<PointCloudsSource>(wrong); }),
               {"z.csv", "no rows"});
}

TEST(PointClouds, DrawnPointsHaveTheirMoments) {
  for (const std::string kind : {"uniform", "gaussian", "ring"}) {
    const auto problem = create<PointCloudsSource>(
        {.size = {20000, 3}, .distribution = kind, .target_shift = {10.0, 0.0}, .common = absolute(0.1)},
        7);
    const auto x = test::to_host(problem->points->x);
    double mean = 0.0, square = 0.0;
    for (const auto& p : x) {
      mean += p[0];
      square += p[0] * p[0];
    }
    mean /= 20000.0;
    const double variance = square / 20000.0 - mean * mean;
    const double expected =
        kind == "uniform" ? 1.0 / 12.0 : kind == "gaussian" ? 1.0 : 0.5 + 0.05 * 0.05;
    EXPECT_NEAR(mean, kind == "uniform" ? 0.5 : 0.0, 5.0 * std::sqrt(expected / 20000.0)) << kind;
    EXPECT_NEAR(variance, expected, 0.05 * expected) << kind;
    EXPECT_GT(test::to_host(problem->points->y)[0][0], 5.0) << kind;
  }
}

TEST(PointClouds, SameSeedSamePoints) {
  const PointCloudsOptions options{.size = {30, 20}, .distribution = "blobs", .common = absolute(0.1)};
  const auto points = [&](std::uint64_t seed) {
    return test::to_host(create<PointCloudsSource>(options, seed)->points->x);
  };
  EXPECT_EQ(points(3), points(3));
  EXPECT_NE(points(3), points(4));
  // The first points do not depend on how many there are.
  PointCloudsOptions fewer = options;
  fewer.size = {10};
  const auto few = test::to_host(create<PointCloudsSource>(fewer, 3)->points->x);
  for (std::size_t i = 0; i < few.size(); ++i) EXPECT_EQ(few[i], points(3)[i]);
}

TEST(PointClouds, RandomMassesAreNormalised) {
  const auto problem =
      create<PointCloudsSource>({.masses = "random", .size = {40, 25}, .common = absolute(0.1)});
  EXPECT_NEAR(detail::total_of(problem->a()), 1.0, 1e-14);
  EXPECT_NEAR(detail::total_of(problem->b()), 1.0, 1e-14);
  const auto a = test::to_host(problem->a());
  const auto [low, high] = std::minmax_element(a.begin(), a.end());
  EXPECT_LT(*low, 0.8 / 40);
  EXPECT_GT(*high, 1.2 / 40);
}

TEST(PointClouds, PointsAreStoredWithTheResults) {
  const auto problem = create<PointCloudsSource>({.size = {4, 5}, .dimension = 3, .common = absolute(0.1)});
  const auto fields = problem->data();
  ASSERT_EQ(fields.size(), 4u);
  EXPECT_EQ(fields[2].name, "x");
  EXPECT_EQ(fields[2].shape, (std::vector<GlobalIndex>{4, 3}));
  EXPECT_EQ(fields[3].shape, (std::vector<GlobalIndex>{5, 3}));
  EXPECT_EQ(test::to_host(fields[3].values)[4], test::to_host(problem->points->y)[1][1]);
}

TEST(Assignment, IsUniform) {
  const auto problem = create<AssignmentSource>({.size = 200, .common = relative(1e-3)});
  const auto C = test::dense_cost(problem->cost());
  double mean = 0.0;
  for (const auto& row : C)
    for (const double c : row) {
      ASSERT_GE(c, 0.0);
      ASSERT_LT(c, 1.0);
      mean += c / 40000.0;
    }
  EXPECT_NEAR(mean, 0.5, 5.0 * std::sqrt(1.0 / 12.0 / 40000.0));
  EXPECT_EQ(test::to_host(problem->a()), std::vector<double>(200, 1.0 / 200));
  EXPECT_EQ(problem->regularization(), 1e-3 * problem->cost().maximum());
  EXPECT_NE(test::dense_cost(create<AssignmentSource>({.size = 200, .common = absolute(1)}, 2)->cost()), C);
}

TEST(Options, ContradictionsAreRefused) {
  const auto problems_of = [](const PointCloudsOptions& o) {
    Diagnostics problems;
    PointCloudsOptions::check(o, "problem.", {}, problems);
    std::string text;
    for (const Diagnostic& d : problems.problems()) text += to_string(d) + "\n";
    return text;
  };
  EXPECT_EQ(problems_of({.common = absolute(1.0)}), "");
  expect_words(problems_of({}), {"problem.regularization", "is missing"});
  expect_words(problems_of({.common = {.regularization = 1.0, .relative_regularization = 1.0}}),
               {"both given"});
  expect_words(problems_of({.file = "a.h5", .x_file = "b.csv", .common = absolute(1.0)}),
               {"problem.file", "problem.y_file"});
  expect_words(problems_of({.masses = "last-column", .common = absolute(1.0)}), {"problem.masses"});
  expect_words(problems_of({.norm = "manhattan", .common = absolute(1.0)}), {"problem.power"});
  expect_words(problems_of({.size = {1, 2, 3}, .common = absolute(1.0)}), {"problem.size"});
}

}  // namespace
