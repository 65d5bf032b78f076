#pragma once

#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/registry.hpp>

#include "polish.hpp"

namespace sketch_newton {

struct SketchNewtonOptions {
  double tolerance = 1e-6;
  int max_iterations = 3000;
  double largest_gradient = 100.0;
  double barrier = 0.1;
  int dense_limit = 100;
  std::string inner_solver = "auto";
  std::string order = "ordered";
  double inner_tolerance = 1e-7;
  bool polish = true;
  bool warm_start = true;
  int restarts = 2;
  static void describe(Fields<SketchNewtonOptions>& f);
};

/// "sketch-newton": see README.md.
class SketchNewton final : public ProgramSolver {
 public:
  using Options = SketchNewtonOptions;
  SketchNewton(const Options& options, const Context& context)
      : options_(options), seed_(context.seed) {}
  Report solve(NonlinearProgram& problem, Monitor& monitor) override;
  using ProgramSolver::solve;

 private:
  Options options_;
  std::uint64_t seed_;
};

}  // namespace sketch_newton
