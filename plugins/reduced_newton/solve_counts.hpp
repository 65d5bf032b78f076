#pragma once

#include <cstdint>
#include <libsolve/core/report.hpp>

namespace reduced_newton {

/// Linear solves with one right-hand side each, and what they took.
struct SolveCounts {
  std::int64_t state = 0, adjoint = 0, incremental = 0;
  std::int64_t blocks = 0;      ///< calls for all sources at once
  std::int64_t cycles = 0;      ///< applications of the state operator's preconditioner
  std::int64_t setups = 0;      ///< of it
  std::int64_t unconverged = 0; ///< calls that ended above their tolerance
  std::int64_t newton = 0, cg = 0;
  std::int64_t solves() const { return state + adjoint + incremental; }
};

}  // namespace reduced_newton
