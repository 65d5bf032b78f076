#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/registry.hpp>

namespace tao {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct TaoOptions {
  double tolerance = 1e-6;
  std::optional<double> tol = std::nullopt;
  std::int64_t max_iterations = 1000;
  std::string algorithm = "almm";
  std::string options = "";

  static void describe(Fields<TaoOptions>& f);
};

/// TAO's solvers for general constraints, on programs with entries. The KKT residual of the final
/// point, recomputed, decides.
class TaoMethod final : public ProgramSolver {
 public:
  using Options = TaoOptions;
  TaoMethod(const Options& options, const Context&) : options_(options) {}
  /// Unsupported for a program without entries; BackendError where PETSc cannot be had.
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;

 private:
  Options options_;
};

}  // namespace tao
