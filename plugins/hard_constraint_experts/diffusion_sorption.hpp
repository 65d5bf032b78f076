#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/plugin/registry.hpp>

#include "sorption_program.hpp"

namespace hard_constraint_experts {

struct DiffusionSorptionOptions {
  int size = 128;
  int steps = 100;
  double final_time = 500.0;
  double initial = 0.1;
  double diffusivity = 5e-4;
  double porosity = 0.29;
  double density = 2880.0;
  double freundlich = 3.5e-4;
  double exponent = 0.874;

  static void describe(Fields<DiffusionSorptionOptions>& f);
};

SorptionGrid sorption_grid(const DiffusionSorptionOptions& options);

/// PDEBench's diffusion-sorption (README.md), all times at once: a program with as many equations
/// as unknowns. From u = initial everywhere.
class DiffusionSorptionSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = NonlinearProgram::class_name;
  using Options = DiffusionSorptionOptions;
  DiffusionSorptionSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  /// Unsupported on several ranks.
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

}  // namespace hard_constraint_experts
