#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <libsolve/pde/evolution_program.hpp>
#include <libsolve/plugin/registry.hpp>
#include <limits>

namespace parabolic_control {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// Conjugate gradients with multigrid, to 1e-13.
ComponentSpec default_solver();

struct ParabolicControlOptions {
  std::string control = "source";
  std::optional<int> size = std::nullopt;
  std::optional<int> dimension = std::nullopt;
  std::optional<int> steps = std::nullopt;
  double final_time = 1.0;
  std::string initial = "auto";
  // control = "source"
  std::string scheme = "crank-nicolson";
  std::string tracking = "all";
  std::string target = "sine";
  std::string final_target = "0";
  double final_cost = 1.0;
  double control_cost = 1e-3;
  double control_lower = -std::numeric_limits<double>::infinity();
  double control_upper = std::numeric_limits<double>::infinity();
  std::string weight = "nodes";
  int pictures = 4;
  // control = "conductivity"
  std::string true_parameter = "0.5+exp(-10*((x-0.5)^2+(y-0.5)^2+(z-0.5)^2))";
  int num_points = 64;
  std::vector<double> points = {};
  int num_samples = 8;
  double offset = 0.01;
  double noise = 0.0;
  double gradient_cost = 1.0;
  double value_cost = 0.01;

  EvolutionForm form = {};
  ComponentSpec solver = default_solver();

  bool has_source() const { return control == "source"; }
  int cells() const { return size.value_or(has_source() ? 32 : 8); }
  int axes() const { return dimension.value_or(has_source() ? 2 : 3); }
  int num_steps() const { return steps.value_or(has_source() ? 32 : 8); }

  static void describe(Fields<ParabolicControlOptions>& f);
  static void check(const ParabolicControlOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// Control of the heat equation by its source, or its conductivity from a state seen at points
/// (README.md). From u = 0 (or the bound next to it), or m = 0.
class ParabolicControlSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = NonlinearProgram::class_name;
  using Options = ParabolicControlOptions;
  ParabolicControlSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  std::unique_ptr<NonlinearProgram> create_source() const;
  std::unique_ptr<NonlinearProgram> create_conductivity() const;

  Options options_;
  Context context_;
};

}  // namespace parabolic_control
