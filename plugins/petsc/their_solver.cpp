#include "their_solver.hpp"

#include <chrono>
#include <libsolve/core/errors.hpp>

namespace petsc_plugin {

namespace {
double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
}  // namespace

void TheirSolver::setup(const LinearSystem& system) {
  const LinearOperator& A = system.A();
  if (A.num_rows() != A.num_columns())
    throw Unsupported("method '" + name_ + "' needs a square operator, got " + A.description() +
                      " (" + std::to_string(A.num_rows()) + " x " +
                      std::to_string(A.num_columns()) + "); use lsmr for least squares");
  prepared_for_.run(system, [&] {
    solver_->setup(system);
    frame_.allocate(system);
  });
}

Report TheirSolver::solve(LinearSystem& system, Monitor& monitor) {
  if (auto refused = prepared_for_.ensure(system, monitor, [&] { setup(system); })) return *refused;
  const double setup_seconds = prepared_for_.take_seconds();
  (void)solver_->take_counts();
  monitor.begin_phase("solve");
  const auto start = std::chrono::steady_clock::now();
  Report report = frame_.solve(
      system, stopping_.relative_tolerance, stopping_.absolute_tolerance, stopping_.max_iterations,
      monitor,
      [this](const InnerTask& task, SolveWatch& watch) { return solver_->solve(task, watch); });
  report.seconds = {{"setup", setup_seconds, "s"}, {"solve", seconds_since(start), "s"}};
  const petsc::Solver::Counts counts = solver_->take_counts();
  report.counts = {{"operator_applications",
                    report.value("operator_applications") + counts.operator_applications, ""},
                   {"preconditioner_applications", counts.preconditioner_applications, ""}};
  double bytes[2] = {frame_.work_bytes() + solver_->memory_bytes(),
                     solver_->preconditioner_memory_bytes()};
  system.b().communicator().sum(bytes);
  report.metrics = {{"memory_bytes", bytes[0], "B"},
                    {"preconditioner_memory_bytes", bytes[1], "B"}};
  for (Measure& m : solver_->metrics()) report.metrics.push_back(std::move(m));
  for (std::string& note : solver_->notes()) report.notes.push_back(std::move(note));
  return report;
}

void TheirPreconditioner::setup(const LinearSystem& system) {
  const LinearOperator& A = system.A();
  if (A.num_rows() != A.num_columns())
    throw Unsupported("a preconditioner of PETSc's needs a square operator, got " +
                      A.description() + " (" + std::to_string(A.num_rows()) + " x " +
                      std::to_string(A.num_columns()) + "); use jacobi or none");
  solver_->setup_preconditioner(system);
}

}  // namespace petsc_plugin
