#pragma once

#include <cstdint>

namespace libsolve {

/// Index of a rank-local row, cell or entry of a vector.
using Index = std::int32_t;
/// Index over all ranks; also counts that may pass 2^31, such as nonzeros.
using GlobalIndex = std::int64_t;

}  // namespace libsolve
