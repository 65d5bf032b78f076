#pragma once

#include <array>
#include <functional>
#include <libsolve/core/communicator.hpp>
#include <libsolve/core/component.hpp>
#include <string>
#include <vector>

/// Functions of the place in the unit interval, square or cube that options give as text:
///   a formula in x, y, z (libsolve/optimize/formula.hpp);
///   "FILE.h5:/DATASET": values on any grid, slowest axis first, with linear interpolation along each
///     axis, the first and the last along an axis at its ends;
///   "FILE.png", ".pgm", ".ppm", ".pnm" (2D): grey values in [0, 1], likewise, the picture's lower left
///     corner at x = y = 0. Pictures finer than the grid are sampled, not averaged.
namespace libsolve {

/// f(x, y, z); unused coordinates are 0.
using SpatialFunction = std::function<double(const std::array<double, 3>&)>;
/// From a file's name as it was written to where it is: Context::resolve_file().
using FileResolver = std::function<std::string(const std::string&)>;

/// What is wrong with `text`, files unread; "" where nothing is. A phrase for Diagnostics.
LIBSOLVE_EXPORT std::string fault_of_spatial_function(const std::string& text, int dimension);

/// Throws FormulaError; IoError, InputError, ShapeError, Unsupported, naming the file.
LIBSOLVE_EXPORT SpatialFunction make_spatial_function(const std::string& text, int dimension,
                                                      const FileResolver& resolve);

/// The function that `make` returns, at the places (coordinate(0, i), coordinate(1, j), ...) of the
/// (i, j, k) in `box`, i fastest. What one rank throws all throw: what `make` does, and DataError,
/// beginning with `what`, for values that are not finite. Collective.
LIBSOLVE_EXPORT std::vector<double> values_at_places(
    const Communicator& comm, const Box& box, int dimension,
    const std::function<double(int axis, Index index)>& coordinate,
    const std::function<SpatialFunction()>& make, const std::string& what);

}  // namespace libsolve
