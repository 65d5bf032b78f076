#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <libsolve/core/errors.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <tests/support/transport_problems.hpp>
#include <tests/support/vectors.hpp>

#include "cost_matrix.hpp"
#include "point_clouds.hpp"

namespace {

using namespace libsolve;
using namespace transport_sources;

template <class Source>
std::unique_ptr<TransportProblem> create_on(const Communicator& comm,
                                            const typename Source::Options& options) {
  Context context;
  context.communicator = comm;
  std::unique_ptr<Problem> problem = Source(options, context).create();
  return std::unique_ptr<TransportProblem>(dynamic_cast<TransportProblem*>(problem.release()));
}

/// The ranks' rows are those of the problem on one rank.
void expect_same(const TransportProblem& whole, const TransportProblem& part) {
  const auto all = test::dense_cost(whole.cost());
  const auto own = test::dense_cost(part.cost());
  const auto a = test::to_host(whole.a());
  const auto own_a = test::to_host(part.a());
  const auto first = static_cast<std::size_t>(part.cost().rows().first_row());
  ASSERT_EQ(part.cost().rows().global_size(), whole.cost().rows().global_size());
  ASSERT_EQ(own.size(), own_a.size());
  for (std::size_t i = 0; i < own.size(); ++i) {
    EXPECT_EQ(own[i], all[first + i]);
    EXPECT_NEAR(own_a[i], a[first + i], 1e-15);
  }
  const auto b = test::to_host(whole.b());
  const auto part_b = test::to_host(part.b());
  ASSERT_EQ(part_b.size(), b.size());
  // Totals are sums over the ranks: their last bits differ.
  for (std::size_t j = 0; j < b.size(); ++j) EXPECT_NEAR(part_b[j], b[j], 1e-15);
  EXPECT_EQ(part.regularization(), whole.regularization());
}

/// A file of all ranks.
class SharedFile {
 public:
  SharedFile() {
    const Communicator comm = Communicator::world();
    path_ = comm.broadcast((std::filesystem::temp_directory_path() /
                            ("libsolve-transport-" + std::to_string(getpid()) + ".h5"))
                               .string());
  }
  ~SharedFile() {
    Communicator::world().barrier();
    if (Communicator::world().rank() == 0) std::filesystem::remove(path_);
  }
  const std::string& path() const { return path_; }
  void write(const std::vector<double>& cost, std::vector<GlobalIndex> shape) const {
    if (Communicator::world().rank() == 0) {
      Hdf5File file = Hdf5File::create(path_);
      file.array("/cost", cost, shape);
      file.close();
    }
    Communicator::world().barrier();
  }

 private:
  std::string path_;
};

TEST(SourcesOnRanks, ProblemsDoNotDependOnTheNumberOfRanks) {
  const AssignmentOptions assignment{.size = 11, .common = {.relative_regularization = 0.1}};
  expect_same(*create_on<AssignmentSource>(Communicator::self(), assignment),
              *create_on<AssignmentSource>(Communicator::world(), assignment));
  const PointCloudsOptions clouds{.masses = "random",
                                  .size = {13, 9},
                                  .dimension = 3,
                                  .distribution = "blobs",
                                  .scale = std::nullopt,
                                  .common = {.relative_regularization = 0.1}};
  expect_same(*create_on<PointCloudsSource>(Communicator::self(), clouds),
              *create_on<PointCloudsSource>(Communicator::world(), clouds));
}

TEST(SourcesOnRanks, EachRankReadsItsRows) {
  const SharedFile file;
  std::vector<double> cost(7 * 3);
  for (std::size_t k = 0; k < cost.size(); ++k) cost[k] = 0.25 * static_cast<double>(k);
  file.write(cost, {7, 3});
  const CostMatrixOptions options{.file = file.path(), .common = {.regularization = 0.1}};
  expect_same(*create_on<CostMatrixSource>(Communicator::self(), options),
              *create_on<CostMatrixSource>(Communicator::world(), options));
}

TEST(SourcesOnRanks, WhatIsWrongOnOneRankIsSaidOnAll) {
  const SharedFile file;
  std::vector<double> cost(8, 1.0);
  cost[7] = -1.0;
  file.write(cost, {8, 1});
  try {
    create_on<CostMatrixSource>(Communicator::world(),
                                {.file = file.path(), .common = {.regularization = 0.1}});
    FAIL() << "a negative cost was accepted";
  } catch (const DataError& e) {
    EXPECT_NE(std::string(e.what()).find("cost[7, 0] is -1"), std::string::npos) << e.what();
  }
  EXPECT_THROW(create_on<AssignmentSource>(Communicator::world(),
                                           {.size = 1, .common = {.regularization = 0.1}}),
               ShapeError);
}

}  // namespace
