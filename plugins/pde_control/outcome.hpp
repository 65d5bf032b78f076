#pragma once

#include <chrono>
#include <libsolve/core/monitor.hpp>
#include <libsolve/core/report.hpp>

#include "collective_solver.hpp"
#include "control_system.hpp"

namespace pde_control {

/// Seconds between laps.
class Stopwatch {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    return seconds;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// What iterations aim at, so that the residual recomputed in another order is below `tolerance`.
inline double below(double tolerance) {
  return 0.999 * tolerance;
}

/// Unsupported for a program with bounds, naming the method that takes them.
void refuse_bounds(const ControlSystem& system, const char* method);

/// Status and reason.
void describe_end(CollectiveSolver::End end, Verdict verdict, std::int64_t cycles, double residual,
                  double tolerance, Report& report);

}  // namespace pde_control
