#pragma once

#include <cstdint>
#include <libsolve/core/report.hpp>
#include <string>
#include <vector>

namespace libsolve {

/// Systems solved inside of a program's functions, which eliminate a state; of one in time, its steps.
struct SolveCounts {
  std::int64_t state = 0;
  std::int64_t adjoint = 0;
  std::int64_t incremental = 0;  ///< tangents and adjoints for products with the Hessian
};

/// What such functions offer beside ProgramFunctions (found by dynamic_cast): verify_report() puts
/// the counts into reports.
class LIBSOLVE_EXPORT SolvesInside {
 public:
  virtual ~SolvesInside();
  /// Since the functions were made.
  virtual SolveCounts solve_counts() const = 0;
  /// What else these took, by name, for reports. The default has nothing.
  virtual std::vector<Measure> work_counts() const;
  /// Why a system was not solved, where one was not and the functions were NaN for it: reports of solves
  /// that end in numbers that are not finite say it. The default is "".
  virtual std::string fault() const;
};

}  // namespace libsolve
