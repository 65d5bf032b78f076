#pragma once

#include <initializer_list>
#include <libsolve/core/value.hpp>
#include <libsolve/linear/linear_system.hpp>
#include <libsolve/plugin/registry.hpp>
#include <string>
#include <vector>

/// One problem solved by all ranks together and by each alone.
namespace libsolve::test {

/// The system of a problem source, on `comm`.
std::unique_ptr<LinearSystem> system_on(const Registry& registry, const Communicator& comm,
                                        const std::string& source, const Value& options);

/// All entries of x on every rank: those of a grid in its natural order. Collective.
std::vector<double> whole_solution(const LinearSystem& system);

/// A problem and a method, by their names and options.
struct RankCase {
  std::string source = "poisson";
  Value problem = {};
  std::string method = {};
  Value options = {};
  std::int64_t slack = 1;     ///< steps that the two may differ by
  double difference = 1e-10;  ///< of x, relative to its largest entry
};

struct RankOutcome {
  Report report;
  std::vector<double> x;
};
RankOutcome solve_on(const Registry& registry, const Communicator& comm, const RankCase& c);

/// Both converge, within `slack` steps of each other, to the same x. Collective.
void expect_same_on_ranks(const Registry& registry, const RankCase& c);

/// Options of `poisson`: its size, and what else there is.
Value grid_of(std::initializer_list<int> cells, Value options = {});
Value with(const std::string& key, Value value, Value options = {});

}  // namespace libsolve::test
