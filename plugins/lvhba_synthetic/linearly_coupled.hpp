#pragma once

#include <cstdint>
#include <libsolve/bilevel/bilevel_program.hpp>

namespace lvhba_synthetic {

using namespace libsolve;

/// Problem C (README.md) of n upper and n lower variables: `rows` rows of A, H and of B, entries
/// drawn from N(0, 1), c and d of length 1. Dense: O(rows n) memory.
BilevelParts make_linearly_coupled(Index n, Index rows, std::uint64_t seed);

}  // namespace lvhba_synthetic
