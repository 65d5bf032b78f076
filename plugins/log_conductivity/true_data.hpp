#pragma once

#include <cstdint>

#include "conductivity_functions.hpp"

namespace log_conductivity {

/// y_s with A(m) y_s = b_s to rounding, by conjugate gradients with the diagonal: for making data,
/// once. NumericalError where that does not come out. Values are those of the rank's cells;
/// collective.
std::vector<double> solve_states(const LogDiffusion& empty, const std::vector<double>& m,
                                 const std::vector<double>& sources);

/// Q of them as ConductivityData has it, with noise of standard deviation `noise` times the largest
/// of Q y added. `num_points`: 0 where all cells are seen.
std::vector<double> observe(const LogDiffusion& A, const Observation& Q, std::size_t num_points,
                            const std::vector<double>& states, double noise, std::uint64_t seed);

}  // namespace log_conductivity
