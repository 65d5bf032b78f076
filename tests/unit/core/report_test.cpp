#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/core/component.hpp>
#include <libsolve/core/report.hpp>
#include <set>

namespace {

using namespace libsolve;

TEST(Report, FindsValuesByName) {
  Report report;
  report.measures = {{"residual_norm", 1.0, ""}};
  report.seconds = {{"solve", 2.0, "s"}};
  report.counts = {{"operator_applications", 3.0, ""}};
  report.metrics = {{"memory_bytes", 4.0, "B"}, {"solve", 5.0, ""}};
  EXPECT_EQ(report.value("residual_norm"), 1.0);
  EXPECT_EQ(report.value("solve"), 2.0);  // seconds come before metrics
  EXPECT_EQ(report.value("operator_applications"), 3.0);
  EXPECT_EQ(report.value("memory_bytes"), 4.0);
  EXPECT_TRUE(std::isnan(report.value("nothing")));
}

TEST(Report, IsNotConvergedUnlessSaid) {
  Report report;
  EXPECT_FALSE(report.converged());
  report.status = Status::converged;
  EXPECT_TRUE(report.converged());
}

TEST(Report, EveryStatusHasItsOwnName) {
  std::set<std::string_view> names;
  for (const Status s :
       {Status::converged, Status::max_iterations, Status::time_limit, Status::interrupted,
        Status::stagnated, Status::breakdown, Status::diverged, Status::infeasible,
        Status::unbounded, Status::non_finite})
    names.insert(to_string(s));
  EXPECT_EQ(names.size(), 10U);
  EXPECT_EQ(names.count("unknown"), 0U);
  EXPECT_EQ(to_string(Status::max_iterations), "max_iterations");
}

TEST(Grid, CountsCellsIn64Bits) {
  EXPECT_EQ((Grid{.cells = {4, 3, 2}}).num_cells(), 24);
  EXPECT_EQ((Grid{.cells = {2000, 2000, 2000}}).num_cells(), 8'000'000'000);
}

}  // namespace
