#pragma once

#include <cmath>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <libsolve/plugin/loader.hpp>
#include <numbers>

#include "../heat_functions.hpp"
#include "../heat_inversion.hpp"

namespace heat_inversion::test {

inline const Registry& registry() {
  static const Registry* all = [] {
    auto* made = new Registry;
    load_plugins(*made, {.files = {}, .path = "", .installed_folder = std::nullopt});
    return made;
  }();
  return *all;
}

inline std::unique_ptr<NonlinearProgram> make(const HeatInversionOptions& options,
                                              const Communicator& comm = Communicator::self()) {
  Context context;
  context.registry = &registry();
  context.communicator = comm;
  auto problem = HeatInversionSource(options, context).create();
  return std::unique_ptr<NonlinearProgram>(dynamic_cast<NonlinearProgram*>(problem.release()));
}

inline HeatFunctions& functions_of(NonlinearProgram& problem) {
  return dynamic_cast<HeatFunctions&>(problem.functions());
}

}  // namespace heat_inversion::test
