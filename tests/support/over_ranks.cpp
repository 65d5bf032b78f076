#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/linear/grid_halo.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <numeric>
#include <tests/support/over_ranks.hpp>
#include <tests/support/vectors.hpp>

namespace libsolve::test {

namespace {
Context context_on(const Registry& registry, const Communicator& comm) {
  Context context;
  context.registry = &registry;
  context.seed = 1;
  context.communicator = comm;
  return context;
}
}  // namespace

std::unique_ptr<LinearSystem> system_on(const Registry& registry, const Communicator& comm,
                                        const std::string& source, const Value& options) {
  ComponentSpec spec(source);
  spec.options = options;
  auto problem = context_on(registry, comm).make<ProblemSource>(spec)->create();
  auto* system = dynamic_cast<LinearSystem*>(problem.get());
  if (system == nullptr) return nullptr;
  (void)problem.release();
  return std::unique_ptr<LinearSystem>(system);
}

std::vector<double> whole_solution(const LinearSystem& system) {
  const Partition& rows = system.x().partition();
  const VectorView whole("whole", static_cast<size_t>(rows.global_size()));
  if (system.grid) {
    const GridPartition parts = rows.communicator().size() > 1
                                    ? GridPartition(*system.grid, rows.communicator())
                                    : GridPartition(*system.grid);
    GridHalo(parts, Box{{0, 0, 0}, system.grid->cells}).fetch<double>(system.x().view(), whole);
  } else {
    std::vector<GlobalIndex> all(static_cast<size_t>(rows.global_size()));
    std::iota(all.begin(), all.end(), GlobalIndex{0});
    Halo(rows, all).fetch<double>(system.x().view(), whole);
  }
  return to_host(Vector(whole, Partition(rows.global_size())));
}

RankOutcome solve_on(const Registry& registry, const Communicator& comm, const RankCase& c) {
  const auto system = system_on(registry, comm, c.source, c.problem);
  ComponentSpec spec(c.method);
  spec.options = c.options;
  RankOutcome out;
  out.report = context_on(registry, comm).make<LinearSolver>(spec)->solve(*system, Monitor::none());
  out.x = whole_solution(*system);
  return out;
}

void expect_same_on_ranks(const Registry& registry, const RankCase& c) {
  const RankOutcome together = solve_on(registry, Communicator::world(), c);
  const RankOutcome alone = solve_on(registry, Communicator::self(), c);
  ASSERT_EQ(together.report.status, Status::converged) << together.report.reason;
  ASSERT_EQ(alone.report.status, Status::converged) << alone.report.reason;
  EXPECT_LE(std::abs(together.report.iterations - alone.report.iterations), c.slack)
      << together.report.iterations << " steps together and " << alone.report.iterations
      << " alone";
  double largest = 0.0, difference = 0.0;
  for (size_t i = 0; i < alone.x.size(); ++i) {
    largest = std::max(largest, std::abs(alone.x[i]));
    difference = std::max(difference, std::abs(together.x[i] - alone.x[i]));
  }
  EXPECT_LE(difference, c.difference * largest);
}

Value grid_of(std::initializer_list<int> cells, Value options) {
  std::vector<Value> size;
  for (const int n : cells) size.emplace_back(n);
  options.set("size", Value(size));
  return options;
}

Value with(const std::string& key, Value value, Value options) {
  options.set(key, std::move(value));
  return options;
}

}  // namespace libsolve::test
