#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <libsolve/plugin/registry.hpp>
#include <limits>

namespace poisson_control {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct PoissonControlOptions {
  int size = 64;
  int dimension = 2;
  double beta = 1e-4;
  std::string convention = "beta";
  std::string target = "rees";
  std::string boundary = "target";
  std::string domain = "";
  std::string control_mass = "auto";
  std::string weight = "nodes";
  double control_lower = -std::numeric_limits<double>::infinity();
  double control_upper = std::numeric_limits<double>::infinity();

  static void describe(Fields<PoissonControlOptions>& f);
  static void check(const PoissonControlOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// min 1/2 |y - y_d|^2 + beta |u|^2 subject to -Laplace y = u in the unit square or cube or a part of
/// it, y given on its boundary, bounds of u; Q1 elements on size^dimension cells (README.md). From y = u = 0,
/// or the bound of u next to 0.
class PoissonControlSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = NonlinearProgram::class_name;
  using Options = PoissonControlOptions;
  PoissonControlSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

}  // namespace poisson_control
