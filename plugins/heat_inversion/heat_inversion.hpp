#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <libsolve/plugin/registry.hpp>

namespace heat_inversion {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// Conjugate gradients with multigrid, to 1e-13.
ComponentSpec default_solver();

struct HeatInversionOptions {
  int size = 64;
  int dimension = 2;
  double final_time = 0.1;
  int steps = 64;
  std::string scheme = "crank-nicolson";
  std::vector<double> reaction = {};
  std::string initial = "exp(-60*((x-0.3)^2+(y-0.4)^2))+0.7*exp(-60*((x-0.7)^2+(y-0.6)^2))";
  std::string data = "simulated";
  double noise = 0.01;
  double value_cost = 1e-3;
  double gradient_cost = 0.0;
  std::string weight = "nodes";
  std::string checkpoints = "auto";
  int slots = 10;
  std::string checkpoint_folder = "";
  ComponentSpec solver = default_solver();
  ComponentSpec integrator = "none";

  static void describe(Fields<HeatInversionOptions>& f);
  static void check(const HeatInversionOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// min over m of 1/2 |u(T) - d|^2 + gamma_0/2 |m|^2 + gamma_1/2 |grad m|^2, u_t = Laplace u - r(u),
/// u(0) = m in the unit square or cube, u = 0 on its boundary (README.md). From m = 0.
class HeatInversionSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = NonlinearProgram::class_name;
  using Options = HeatInversionOptions;
  HeatInversionSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

}  // namespace heat_inversion
