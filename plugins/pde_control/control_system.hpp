#pragma once

#include <libsolve/core/monitor.hpp>
#include <libsolve/core/vector.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/pde/q1_control.hpp>
#include <libsolve/pde/q1_control_operator.hpp>
#include <memory>

#include "points.hpp"

namespace pde_control {

/// Counted in every result. Here no equation is solved for itself: the first three stay 0 in
/// methods of the full space.
struct SolveCounts {
  std::int64_t state_solves = 0;
  std::int64_t adjoint_solves = 0;
  std::int64_t incremental_solves = 0;
  std::int64_t v_cycles = 0;  ///< over one function
  std::int64_t collective_v_cycles = 0;
  std::int64_t krylov_iterations = 0;
  std::int64_t setups = 0;
  void add_to(Report& report) const;
};

/// A program that offers Q1Control and the reduced system of its conditions of optimality, with
/// u = lambda / alpha where controls are free:
///   K (y, q) = (b, s d),  K = Q1ControlOperator,  lambda = s q.
/// Works on x and the multipliers of the program.
class ControlSystem {
 public:
  /// Throws Unsupported, naming `method`, where the program has no such structure.
  ControlSystem(NonlinearProgram& program, const std::string& method);

  NonlinearProgram& program() const noexcept { return *program_; }
  const Q1Control& control() const noexcept { return *control_; }
  const NodeGrid& grid() const noexcept { return control_->nodes(); }
  bool has_bounds() const noexcept { return has_bounds_; }
  /// The lumped masses of the inner nodes.
  VectorView lumped_mass() const;

  /// Of free controls; W = M, or the lumped mass.
  std::shared_ptr<Q1ControlOperator> make_operator() const;
  /// Makes u and lambda agree (the multipliers say where they are known, else the controls), and
  /// r = (f, s g), what (y, q) leave in the first and third condition.
  void start(const Vector& r);
  /// r at the current point, from the program's functions.
  void residual(const Vector& r);
  /// (y, q) += z, then lambda = s q, u = lambda / alpha.
  void add(const Vector& z);
  /// Norm of the data: r at y = 0, q = 0, u = 0.
  double data_norm();

  /// sqrt(|f|^2 + |s g|^2 + |s h|^2) / data_norm, h the residual of the second condition and the
  /// bounds (alpha N u - N lambda + z / w): recomputed from the program's functions.
  double relative_residual();

 private:
  NonlinearProgram* program_;
  const Q1Control* control_;
  Index n_;
  double s_;
  bool has_bounds_;
  double data_norm_ = -1.0;
  VectorView gradient_, adjoint_, constraints_;
};

/// Verified measures, "relative_kkt_residual" first; "converged" above `tolerance` becomes
/// "stagnated".
void verify_control(ControlSystem& system, double tolerance, Report& report);

/// A part of a vector over the nodes: entries [which n, (which + 1) n).
VectorView part_of(const VectorView& v, Index n, int which);

}  // namespace pde_control
