#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/io/spatial_function.hpp>
#include <libsolve/pde/evolution_program.hpp>
#include <libsolve/plugin/registry.hpp>
#include <limits>

#include "burgers_evolution.hpp"

namespace burgers_control {

struct BurgersControlOptions {
  int size = 64;
  int steps = 64;
  double final_time = 1.0;
  std::string scheme = "crank-nicolson";
  double viscosity = 0.01;
  double control_cost = 0.05;
  std::string initial = "step";
  std::string target = "initial";
  std::string force = "0";
  double control_lower = -std::numeric_limits<double>::infinity();
  double control_upper = std::numeric_limits<double>::infinity();
  std::string weight = "integral";
  EvolutionForm form = {};

  static void describe(Fields<BurgersControlOptions>& f);
  static void check(const BurgersControlOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// The discretised problem; files are found by `resolve`.
BurgersData burgers_data(const BurgersControlOptions& options, const FileResolver& resolve);

/// min 1/2 |y - y_d|^2 + alpha/2 |u|^2 over (0, 1) x (0, T), y_t + y y_x - nu y_xx = f + u, y = 0 at both
/// ends, bounds of u (README.md). From u = 0, or the bound next to it.
class BurgersControlSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = NonlinearProgram::class_name;
  using Options = BurgersControlOptions;
  BurgersControlSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

}  // namespace burgers_control
