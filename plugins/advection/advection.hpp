#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/io/spatial_function.hpp>
#include <libsolve/pde/evolution_program.hpp>
#include <libsolve/plugin/registry.hpp>

#include "advection_evolution.hpp"

namespace advection {

/// GMRES to 1e-12, no preconditioner: steps are close to the identity.
ComponentSpec default_solver();

struct AdvectionOptions {
  int size = 32;
  int steps = 16;
  double final_time = 1.0 / 32.0;
  double velocity_cost = 10.0;
  std::string initial = "1+exp(-50*((x-0.5)^2+(y-0.5)^2))";
  std::string target = "1+exp(-30*((x-0.25)^2+(y-0.25)^2))+exp(-30*((x-0.75)^2+(y-0.75)^2))";
  std::string reference_x = "x+t";
  std::string reference_y = "y-t";
  EvolutionForm form = {};
  ComponentSpec solver = default_solver();

  static void describe(Fields<AdvectionOptions>& f);
  static void check(const AdvectionOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// The discretised problem, but for the solver; files are found by `resolve`.
AdvectionData advection_data(const AdvectionOptions& options, const FileResolver& resolve);

/// Velocities that carry one density into another on the unit square with opposite sides joined,
///   min 1/2 |y(T) - d|^2 + alpha/2 y^T |u - u_r|^2,   y_t + div(y u) = 0 (README.md). From u = u_r.
class AdvectionSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = NonlinearProgram::class_name;
  using Options = AdvectionOptions;
  AdvectionSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

}  // namespace advection
