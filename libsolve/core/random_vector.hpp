#pragma once

#include <libsolve/core/random.hpp>
#include <libsolve/core/vector.hpp>

/// Random vectors. Entry i is the number of the stream at its global index, so a vector is the same
/// for any number of ranks and threads.
namespace libsolve {

/// x_i uniform on [low, high).
LIBSOLVE_EXPORT void fill_uniform(const Vector& x, const RandomStream& stream, double low = -1.0,
                                  double high = 1.0);
/// x_i standard normal.
LIBSOLVE_EXPORT void fill_normal(const Vector& x, const RandomStream& stream);

}  // namespace libsolve
