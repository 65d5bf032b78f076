#pragma once

#include <libsolve/bilevel/bilevel_solver.hpp>
#include <libsolve/plugin/registry.hpp>

namespace lv_hba {

using namespace libsolve;

struct LvHbaScaledOptions {
  double tolerance = 1e-6;
  int max_iterations = 1100;
  int first_finish = 200;
  bool finish = true;
  std::string search = "auto";
  int max_pieces = 400;
  int descents = 2;
  ComponentSpec descent = "implicit-differentiation";
  ComponentSpec linear_solver = minres();
  ComponentSpec program_solver = "sketch-newton";
  static ComponentSpec minres();
  static void describe(Fields<LvHbaScaledOptions>& f);
};

/// "lv-hba-scaled": see README.md.
class LvHbaScaled final : public BilevelSolver {
 public:
  using Options = LvHbaScaledOptions;
  LvHbaScaled(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  Report solve(BilevelProgram& problem, Monitor& monitor) override;
  using BilevelSolver::solve;

 private:
  Options options_;
  Context context_;
};

}  // namespace lv_hba
