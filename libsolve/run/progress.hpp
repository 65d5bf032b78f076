#pragma once

#include <libsolve/core/monitor.hpp>
#include <string>
#include <string_view>

namespace libsolve {

/// Hears what a run does, on rank 0 only. The library prints nothing; programs that want a progress
/// line derive from this. Called from the thread that runs the case, once an iteration at most.
class LIBSOLVE_EXPORT Progress {
 public:
  virtual ~Progress();
  /// One line worth showing once: what the problem is, what was resumed.
  virtual void message(const std::string& line);
  /// A part of the run begins: "problem", "setup", "solve", "verify", "write".
  virtual void phase(std::string_view name, double seconds);
  virtual void iteration(std::int64_t iteration, double seconds, std::span<const Sample> samples);
};

}  // namespace libsolve
