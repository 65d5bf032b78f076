#pragma once

#include <libsolve/core/export.hpp>

namespace libsolve {

/// The most memory that came into use since it was made: growth of the process' resident set,
/// pages that were asked for and never touched not counted. For what other packages take, whose
/// arrays we do not see. Linux; elsewhere 0. Two at a time disturb each other.
class LIBSOLVE_EXPORT PeakMemory {
 public:
  PeakMemory();
  double bytes() const;

 private:
  double before_ = 0.0;
};

}  // namespace libsolve
