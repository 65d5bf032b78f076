#pragma once

#include <libsolve/core/export.hpp>
#include <libsolve/core/types.hpp>
#include <span>

namespace libsolve {

/// A closed interval; the ends may be infinite.
struct Interval {
  double low = 0.0;
  double high = 0.0;
};

/// Functions that can be bounded over boxes, with what a proof of global optimality needs: f first,
/// then g_1, ..., g_m. Enclosures, rounded outwards.
class LIBSOLVE_EXPORT ValueRange {
 public:
  virtual ~ValueRange();
  /// Over the box: values (1 + m) and gradients, row by row (1 + m rows of `box.size()`).
  virtual void enclose(std::span<const Interval> box, std::span<Interval> values,
                       std::span<Interval> gradients) = 0;
};

}  // namespace libsolve
