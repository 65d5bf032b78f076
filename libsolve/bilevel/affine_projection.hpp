#pragma once

#include <libsolve/bilevel/projection.hpp>
#include <libsolve/optimize/program_functions.hpp>
#include <memory>
#include <span>

namespace libsolve {

/// {v: A v = b}, for up to some thousand rows: A's rows are made orthonormal once (modified
/// Gram-Schmidt, twice), then a projection is one product with them and one with their transpose.
/// `rows` has the places of `values` in A (b.size() x n). Rows that depend on others are left out
/// where b agrees, else the set is empty: DataError.
LIBSOLVE_EXPORT std::shared_ptr<Projection> affine_projection(Index n, const SparsePattern& rows,
                                                              std::span<const double> values,
                                                              std::span<const double> b);

}  // namespace libsolve
