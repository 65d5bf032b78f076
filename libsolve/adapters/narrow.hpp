#pragma once

#include <libsolve/core/errors.hpp>
#include <libsolve/core/index.hpp>
#include <limits>
#include <string>

namespace libsolve {

/// `count` in another library's index type. Unsupported, naming what is counted and by whom, where
/// it does not fit: 2^31 entries are silent garbage or "out of memory" otherwise.
template <class To>
To narrowed(GlobalIndex count, const std::string& what, const std::string& library) {
  constexpr auto limit = static_cast<GlobalIndex>(std::numeric_limits<To>::max());
  if (count < 0 || count > limit)
    throw Unsupported("there are " + std::to_string(count) + " " + what + ", and this " + library +
                      " counts to " + std::to_string(limit) + "; use a " + library +
                      " with 64-bit indices, more ranks, or a method without entries");
  return static_cast<To>(count);
}

}  // namespace libsolve
