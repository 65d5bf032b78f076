#pragma once

#include <libsolve/bilevel/bilevel_solver.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/registry.hpp>

namespace lv_hba {

using namespace libsolve;

struct LvHbaOptions {
  double alpha = 0.008;
  double beta = 0.02;
  double eta = 0.01;
  double gamma1 = 10.0;
  double gamma2 = 10.0;
  double c0 = 0.025;
  double p = 0.3;
  double r = 1e6;
  int iterations = 1500;
  double tolerance = 1e-6;
  ComponentSpec lower_solver = "sketch-newton";
  static void describe(Fields<LvHbaOptions>& f);
};

/// "lv-hba": see README.md.
class LvHba final : public BilevelSolver {
 public:
  using Options = LvHbaOptions;
  LvHba(const Options& options, const Context& context) : options_(options), context_(context) {}
  Report solve(BilevelProgram& problem, Monitor& monitor) override;
  using BilevelSolver::solve;

 private:
  Options options_;
  Context context_;
};

/// The problem's own iteration where it has one, else the general one with the projection onto C;
/// `solver` projects where constraints are general.
std::shared_ptr<LvHbaIteration> make_iteration(const BilevelProgram& problem,
                                               std::unique_ptr<ProgramSolver> solver = nullptr);

/// The state of an iteration as arrays of the host.
struct IterationState {
  std::vector<double> v = {}, theta = {}, lambda = {};
  explicit IterationState(const BilevelProgram& problem);
  void take(LvHbaIteration& iteration);
  bool is_finite() const;

 private:
  VectorView v_, theta_, lambda_;
};

}  // namespace lv_hba
