#pragma once

#include <libsolve/core/export.hpp>
#include <libsolve/core/types.hpp>
#include <string>

namespace libsolve {

/// The orthogonal projection onto a closed convex set of vectors.
class LIBSOLVE_EXPORT Projection {
 public:
  virtual ~Projection();
  virtual Index size() const = 0;
  /// v <- argmin of |w - v| over the set; v has length size(), in MemSpace. Where an iteration
  /// finds it, to the precision of doubles as far as the set allows; a set that is empty is
  /// DataError.
  virtual void project(const VectorView& v) = 0;
  /// "box", "2 halfspaces, by Dykstra's iteration", ...
  virtual std::string description() const = 0;
};

}  // namespace libsolve
