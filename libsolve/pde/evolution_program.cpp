#include <libsolve/pde/evolution_program.hpp>
#include <libsolve/pde/full_evolution.hpp>
#include <libsolve/pde/reduced_evolution.hpp>

namespace libsolve {

void EvolutionForm::describe(Fields<EvolutionForm>& f) {
  using O = EvolutionForm;
  f.add("formulation", &O::formulation, Choices{{"reduced", "full"}},
        "reduced: in the parameters alone, states eliminated; full: states are variables and the "
        "time steps constraints");
  f.add("checkpoints", &O::checkpoints, Choices{{"auto", "none", "all", "sqrt", "binomial"}},
        "reduced: states kept for the adjoint; auto: none where it looks at no states, else all");
  f.add("slots", &O::slots, Range::closed(1, 1000000), "binomial: states kept at once");
  f.add("checkpoint_folder", &O::checkpoint_folder,
        "where states are kept in HDF5 files, removed afterwards; \"\": in memory");
}

void EvolutionForm::check(const EvolutionForm& form, bool needs_states, const std::string& prefix,
                          const SourceLocation& where, Diagnostics& problems) {
  if (form.checkpoints == "none" && needs_states)
    problems.add(where, prefix + "checkpoints",
                 "\"none\" is for linear equations with costs of the last state alone: the adjoint "
                 "of this problem needs its states; choose auto, all, sqrt or binomial");
}

std::unique_ptr<NonlinearProgram> make_program(
    std::shared_ptr<Evolution> evolution, const EvolutionForm& form,
    std::function<std::shared_ptr<StateStore>()> make_store, const std::vector<double>& start,
    Bounds bounds) {
  if (bounds.size() == 0)
    bounds = {std::vector<double>(start.size(), -INFINITY),
              std::vector<double>(start.size(), INFINITY)};
  if (form.formulation == "reduced")
    return std::make_unique<NonlinearProgram>(
        std::make_shared<ReducedEvolution>(
            std::move(evolution),
            CheckpointChoice{form.checkpoints, form.slots, std::move(make_store)}),
        std::move(bounds), Bounds{}, start);

  const auto functions = std::make_shared<FullEvolution>(std::move(evolution));
  const Vector m("pde::start", functions->evolution().parameter_partition());
  Kokkos::deep_copy(m.view(), Kokkos::View<const double*, Kokkos::HostSpace>(start.data(),
                                                                             start.size()));
  const Vector x = functions->with_states_of(m);
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), x.view());
  const auto states = static_cast<std::size_t>(functions->num_constraints());
  bounds.lower.insert(bounds.lower.begin(), states, -INFINITY);
  bounds.upper.insert(bounds.upper.begin(), states, INFINITY);
  const std::vector<double> zero(states, 0.0);
  return std::make_unique<NonlinearProgram>(
      functions, std::move(bounds), Bounds{zero, zero},
      std::vector<double>(host.data(), host.data() + host.extent(0)));
}

}  // namespace libsolve
