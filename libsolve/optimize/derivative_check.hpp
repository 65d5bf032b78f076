#pragma once

#include <cstdint>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <string>
#include <vector>

namespace libsolve {

struct DerivativeCheckOptions {
  int num_points = 3;  ///< the start, and points near it
  Index max_columns =
      100;  ///< variables looked at one by one at each point, drawn where there are more
  std::uint64_t seed = 1;
  double tolerance = 1e-5;  ///< relative, beyond what differences can be wrong by
};

/// What of one kind disagrees most with differences.
struct DerivativeDefect {
  std::string kind = {};   ///< "gradient", "Jacobian", "Hessian", "J v", "J' w", "W v"
  std::string where = {};  ///< "x3", "c2 by x3", "x4, x3": names where there are some
  double given = 0.0;
  double difference = 0.0;
  double relative = 0.0;  ///< over the larger of the two, and over 1e-4 of the largest of its row
  double excess = 0.0;    ///< the same without what the difference itself may be wrong by
  std::int64_t num_checked = 0;
};

struct LIBSOLVE_EXPORT DerivativeCheck {
  std::vector<DerivativeDefect> kinds = {};
  int num_points = 0;
  std::int64_t num_skipped = 0;  ///< differences that met values that are not finite
  double tolerance = 0.0;
  bool passed() const;  ///< also where nothing could be checked
  bool checked_any() const;
};

/// Compares f', J and W = f'' + sum_i lambda_i c_i'' (lambda drawn) with central differences of f,
/// c and f' + J^T lambda, variable by variable; entries outside of the patterns count as 0. Then J
/// v and W v with differences along drawn directions, and J' w with <J v, w>. Differences are
/// extrapolated from two steps (2e-5 and 1e-5 times max(1, |x_j|)), whose distance says how far to
/// trust them. Points are moved away from bounds by as much. About 4 (max_columns + 1) evaluations
/// of everything at a point; they are counted. The program is left as it is.
LIBSOLVE_EXPORT DerivativeCheck check_derivatives(const NonlinearProgram& program,
                                                  const DerivativeCheckOptions& options = {});

}  // namespace libsolve
