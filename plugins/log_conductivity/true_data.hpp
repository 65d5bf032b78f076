#pragma once

#include <cstdint>

#include "conductivity_functions.hpp"

namespace log_conductivity {

/// y_s with A(m) y_s = b_s to rounding, by conjugate gradients with the diagonal: for making data,
/// once. NumericalError where that does not come out.
std::vector<double> solve_states(const LogDiffusion& empty, const std::vector<double>& m,
                                 const std::vector<double>& sources);

/// Q of them, with noise of standard deviation `noise` times the largest of Q y added.
std::vector<double> observe(const Observation& Q, const std::vector<double>& states, double noise,
                            std::uint64_t seed);

}  // namespace log_conductivity
