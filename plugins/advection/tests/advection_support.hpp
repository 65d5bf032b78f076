#pragma once

#include <libsolve/optimize/nonlinear_program.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/loader.hpp>

#include "../advection.hpp"

namespace advection::test {

inline const Registry& registry() {
  static const Registry* all = [] {
    auto* made = new Registry;
    load_plugins(*made, {.files = {}, .path = "", .installed_folder = std::nullopt});
    return made;
  }();
  return *all;
}

inline Context context() {
  Context made;
  made.registry = &registry();
  return made;
}

inline std::unique_ptr<NonlinearProgram> make(const AdvectionOptions& options) {
  auto problem = AdvectionSource(options, context()).create();
  return std::unique_ptr<NonlinearProgram>(dynamic_cast<NonlinearProgram*>(problem.release()));
}

inline std::string same_file(const std::string& file) { return file; }

inline Report solve(NonlinearProgram& problem, const std::string& method, double tolerance) {
  ComponentSpec spec(method);
  spec.options.set("tolerance", Value(tolerance));
  return context().make<ProgramSolver>(spec)->solve(problem, Monitor::none());
}

inline double objective(NonlinearProgram& problem) {
  return problem.functions().objective(problem.x().view());
}

}  // namespace advection::test
