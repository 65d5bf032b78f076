#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <libsolve/pde/evolution_adjoint.hpp>

namespace libsolve {

/// Options that sources of problems with a state in time share.
struct LIBSOLVE_EXPORT EvolutionForm {
  std::string formulation = "reduced";
  std::string checkpoints = "auto";
  int slots = 10;
  std::string checkpoint_folder = "";

  static void describe(Fields<EvolutionForm>& f);
  /// Refuses checkpoints "none" where the way back needs states.
  static void check(const EvolutionForm& form, bool needs_states, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// The program in the form asked for: a ReducedEvolution, x = m, or a FullEvolution, x = (y_1, ...,
/// y_N, m), that starts from the states of `start`. `start` and `bounds` are of m, on this rank; no
/// bounds where they are empty. `make_store` as in CheckpointChoice (state_files_in(), where there is
/// a checkpoint_folder).
LIBSOLVE_EXPORT std::unique_ptr<NonlinearProgram> make_program(
    std::shared_ptr<Evolution> evolution, const EvolutionForm& form,
    std::function<std::shared_ptr<StateStore>()> make_store, const std::vector<double>& start,
    Bounds bounds = {});

}  // namespace libsolve
