#pragma once

#include <libsolve/optimize/nonlinear_program.hpp>
#include <string>

namespace libsolve::detail {

/// Throws ShapeError for other than `size` bounds, DataError for NaN, a lower bound above the upper
/// one, or one that leaves nothing; `what` ("variable") is in the message.
void check_bounds(const Bounds& b, std::size_t size, const std::string& what);

}  // namespace libsolve::detail
