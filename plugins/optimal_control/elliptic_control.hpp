#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <libsolve/plugin/registry.hpp>
#include <limits>

namespace optimal_control {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct EllipticControlOptions {
  int size = 64;
  double control_cost = 1e-4;
  std::string reaction = "cubic";
  double reaction_strength = 1.0;
  std::string target = "waves";
  std::string weight = "area";
  double control_lower = -std::numeric_limits<double>::infinity();
  double control_upper = std::numeric_limits<double>::infinity();
  double state_upper = std::numeric_limits<double>::infinity();

  static void describe(Fields<EllipticControlOptions>& f);
  static void check(const EllipticControlOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// min w/2 |y - y_d|^2 + w beta/2 |u|^2 subject to -Laplace y + phi(y) = u in the unit square, y =
/// 0 on its boundary, by the five-point formula on size x size inner points; from y = u = 0.
class EllipticControlSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = NonlinearProgram::class_name;
  using Options = EllipticControlOptions;
  EllipticControlSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

}  // namespace optimal_control
