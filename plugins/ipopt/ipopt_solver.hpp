#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/registry.hpp>

namespace ipopt {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct IpoptOptions {
  double tolerance = 1e-6;
  std::optional<double> tol = std::nullopt;
  std::int64_t max_iterations = 3000;
  std::string linear_solver = "auto";
  std::string hessian = "exact";
  bool warm_start = true;
  int print_level = 0;
  std::vector<std::string> options = {};

  static void describe(Fields<IpoptOptions>& f);
};

/// Ipopt (Waechter and Biegler 2006) on programs with entries; the final point's KKT residual is
/// recomputed from the program and decides. Multipliers of fixed variables, which Ipopt takes out
/// of the problem, are z = -(f' + J^T lambda).
///
/// One solve at a time in a process, the others wait: MUMPS keeps state in global variables.
class IpoptSolver final : public ProgramSolver {
 public:
  using Options = IpoptOptions;
  IpoptSolver(const Options& options, const Context&) : options_(options) {}
  /// Unsupported for a program without entries (with hessian = "limited-memory" those of J do);
  /// InputError for options that Ipopt refuses.
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;

 private:
  Options options_;
};

}  // namespace ipopt
