#pragma once

#include <libsolve/core/random.hpp>

namespace sequences {

/// A number of the Beta(a, b) distribution for each index: X / (X + Y) of two Gamma variables
/// (Marsaglia, Tsang, "A simple method for generating gamma variables", ACM TOMS 26, 2000). a, b > 0.
double beta_variate(const libsolve::RandomStream& stream, std::uint64_t index, double a, double b);

}  // namespace sequences
