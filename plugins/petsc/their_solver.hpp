#pragma once

#include <libsolve/adapters/petsc.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/linear/verified_solve.hpp>
#include <libsolve/plugin/registry.hpp>
#include <memory>
#include <string>

/// Solvers and preconditioners of PETSc and hypre under our interfaces.
namespace petsc_plugin {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// A x = b by their method. Whatever it says of itself, "converged" is b - A x recomputed by A.
class TheirSolver : public LinearSolver {
 public:
  TheirSolver(std::string name, const StoppingCriteria& stopping,
              std::unique_ptr<petsc::Solver> solver)
      : name_(std::move(name)), stopping_(stopping), solver_(std::move(solver)) {}

  void setup(const LinearSystem& system) final;
  Report solve(LinearSystem& system, Monitor& monitor) final;
  using LinearSolver::solve;

 private:
  std::string name_;
  StoppingCriteria stopping_;
  std::unique_ptr<petsc::Solver> solver_;
  VerifiedSolve frame_;
  PreparedFor prepared_for_;
};

/// z = M r by their preconditioner, inside a method of ours.
class TheirPreconditioner : public Preconditioner {
 public:
  TheirPreconditioner(std::unique_ptr<petsc::Solver> solver, bool is_linear, bool is_symmetric)
      : is_linear_(is_linear), is_symmetric_(is_symmetric), solver_(std::move(solver)) {}

  void setup(const LinearSystem& system) final;
  void apply(const Vector& r, const Vector& z) final { solver_->apply(r, z); }
  bool is_linear() const final { return is_linear_; }
  bool is_symmetric() const final { return is_symmetric_; }
  double memory_bytes() const final { return solver_->preconditioner_memory_bytes(); }
  std::vector<Measure> metrics() const final { return solver_->metrics(); }
  std::vector<std::string> notes() const final { return solver_->notes(); }

 private:
  bool is_linear_;
  bool is_symmetric_;
  std::unique_ptr<petsc::Solver> solver_;
};

}  // namespace petsc_plugin
