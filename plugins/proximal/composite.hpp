#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/optimize/composite_functions.hpp>
#include <libsolve/plugin/registry.hpp>

namespace proximal {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct CompositeOptions {
  ComponentSpec smooth = {};
  ComponentSpec regularizer = "total-variation";
  double weight = 1.0;
  ComponentSpec state_solver = default_state_solver();

  static ComponentSpec default_state_solver();
  static void describe(Fields<CompositeOptions>& f);
};

/// min f(x) + weight R(x): the program of another problem source, and a regulariser by name. Programs of
/// ParameterEstimation, whose states are constraints, go in as functions of the parameter alone
/// (ReducedEstimation).
class CompositeSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = NonlinearProgram::class_name;
  using Options = CompositeOptions;
  CompositeSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

}  // namespace proximal
