#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <libsolve/plugin/registry.hpp>

#include "logistic_functions.hpp"

namespace logistic {

struct LogisticOptions {
  std::string file = {};
  int linear_constraints = 10;
  bool sphere = true;
  double regularization = 0.0;
  double start = 1.0;

  static void describe(Fields<LogisticOptions>& f);
};

/// The constrained logistic regression of Hong, Na, Mahoney, Kolar (ICML 2023, section 5.2).
class LogisticSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = NonlinearProgram::class_name;
  using Options = LogisticOptions;
  LogisticSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

/// Gaussian A (m x n) and b, drawn from the seed. Where the planes A x = b would pass the unit
/// sphere (their point nearest to 0 is beyond 0.9), b is shrunk to bring that point to 0.5; m >= n
/// planes have no or one point in common, and b = A y with a random unit vector y. `note` says so.
struct Planes {
  std::vector<double> A, b;
  std::string note;
};
Planes random_planes(Index m, Index n, bool with_sphere, std::uint64_t seed);

}  // namespace logistic
