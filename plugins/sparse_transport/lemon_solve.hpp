#pragma once

#include <cstdint>
#include <vector>

namespace sparse_transport {

/// What LEMON's network simplex is given: whole numbers, so that it is exact.
struct LemonProblem {
  std::vector<std::int64_t> supply;  ///< of n rows
  std::vector<std::int64_t> demand;  ///< of m columns, the same total
  std::vector<std::int64_t> cost;    ///< n x m, rows one after the other
};
struct LemonSolution {
  bool is_optimal = false;
  std::vector<std::int64_t> flow;  ///< n x m
  std::vector<std::int64_t> row_potential, column_potential;  ///< u_i + v_j <= C_ij
};
/// Memory: about 60 bytes for each of the n m entries.
LemonSolution solve_with_lemon(const LemonProblem& problem);

}  // namespace sparse_transport
