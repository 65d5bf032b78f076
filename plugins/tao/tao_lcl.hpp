#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/registry.hpp>

namespace tao {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct TaoLclOptions {
  double tolerance = 1e-3;
  std::optional<double> tol = std::nullopt;
  std::int64_t max_iterations = 200;
  std::string options = "";

  static void describe(Fields<TaoLclOptions>& f);
};

/// TAO's LCL for parameters of differential equations (ParameterEstimation). The KKT residual of the
/// final point, recomputed, decides.
class TaoLcl final : public ProgramSolver {
 public:
  using Options = TaoLclOptions;
  TaoLcl(const Options& options, const Context&) : options_(options) {}
  /// Unsupported for other programs; BackendError where PETSc cannot be had.
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;

 private:
  Options options_;
};

}  // namespace tao
