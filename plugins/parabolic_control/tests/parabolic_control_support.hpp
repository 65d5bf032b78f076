#pragma once

#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/pde/full_evolution.hpp>
#include <libsolve/pde/reduced_evolution.hpp>
#include <libsolve/plugin/loader.hpp>

#include "../parabolic_control.hpp"

namespace parabolic_control::test {

inline const Registry& registry() {
  static const Registry* all = [] {
    auto* made = new Registry;
    load_plugins(*made, {.files = {}, .path = "", .installed_folder = std::nullopt});
    return made;
  }();
  return *all;
}

inline Context context_of(const Communicator& comm = Communicator::self()) {
  Context context;
  context.registry = &registry();
  context.communicator = comm;
  return context;
}

inline std::unique_ptr<NonlinearProgram> make(const ParabolicControlOptions& options,
                                              const Communicator& comm = Communicator::self()) {
  auto problem = ParabolicControlSource(options, context_of(comm)).create();
  return std::unique_ptr<NonlinearProgram>(dynamic_cast<NonlinearProgram*>(problem.release()));
}

inline Evolution& evolution_of(NonlinearProgram& problem) {
  if (auto* full = dynamic_cast<FullEvolution*>(&problem.functions())) return full->evolution();
  return dynamic_cast<ReducedEvolution&>(problem.functions()).evolution();
}

inline Report solve(NonlinearProgram& problem, const ComponentSpec& method) {
  const Context context = context_of(problem.communicator());
  return context.make<ProgramSolver>(method)->solve(problem, Monitor::none());
}

inline ComponentSpec newton_cg(double tolerance) {
  ComponentSpec spec("newton-cg");
  spec.options.set("tolerance", Value(tolerance));
  return spec;
}

inline double objective(NonlinearProgram& problem) {
  return problem.functions().objective(problem.x().view());
}

/// m of a size that suits the source.
inline Vector random_parameter(const Evolution& evolution, std::uint64_t seed) {
  const Vector m("m", evolution.parameter_partition());
  fill_uniform(m, RandomStream(seed, "test"));
  return m;
}

}  // namespace parabolic_control::test
