#pragma once

#include <libsolve/pde/evolution.hpp>
#include <libsolve/pde/step_solver.hpp>
#include <vector>

#include "torus.hpp"
#include "transport_operator.hpp"

namespace advection {

struct AdvectionData {
  int size = 32;  ///< cells along each side of the unit square
  int steps = 16;
  double final_time = 1.0 / 32.0;
  double velocity_cost = 10.0;             ///< alpha
  std::vector<double> initial = {};        ///< density y_0, one value a cell, x fastest
  std::vector<double> target = {};         ///< density d at the end
  std::vector<double> reference = {};      ///< u_r: for each step x components, then y components
  std::shared_ptr<LinearSolver> solver = nullptr;  ///< of systems with TransportOperator
};

/// Density y carried by velocities u_n on the unit square with opposite sides joined: with dt = T / N and
/// the mean over neighbours A (Lax, Friedrichs),
///   c_n = y_n + dt div(y_n u_n) - A y_{n-1},     m = (u_1, ..., u_N),
///   J = 1/2 |y_N - d|^2 + alpha T dt h^2 / 2 sum_n y_n^T |u_n - u_{r,n}|^2,
/// |.| over cells: what TAO's example hyperbolic.c states (Haber, Hanson, 2007). Each step forward or
/// back is one system that is not symmetric, by `solver`.
class AdvectionEvolution final : public Evolution {
 public:
  explicit AdvectionEvolution(const AdvectionData& data);
  ~AdvectionEvolution() override;

  const Partition& state_partition() const override { return states_; }
  const Partition& parameter_partition() const override { return parameters_; }
  int num_steps() const override { return steps_; }
  bool is_linear() const override { return false; }
  void initial_state(const Vector& y0) const override;

  void residual(int n, const Point& at, const Vector& out) override;
  void solve_step(int n, const Vector& before, const Vector& m, const Vector& y) override;
  void apply_state(int n, const Point& at, const Vector& v, const Vector& out) override;
  void apply_state_adjoint(int n, const Point& at, const Vector& p, const Vector& out) override;
  void solve_tangent(int n, const Point& at, const Vector& r, const Vector& v) override;
  void solve_adjoint(int n, const Point& at, const Vector& r, const Vector& p) override;
  void apply_before(int n, const Point& at, const Vector& v, const Vector& out) override;
  void apply_before_adjoint(int n, const Point& at, const Vector& p, const Vector& out) override;
  void apply_parameter(int n, const Point& at, const Vector& q, const Vector& out) override;
  void add_parameter_adjoint(int n, const Point& at, const Vector& p, const Vector& out) override;
  void add_second_derivative(int n, const Point& at, const Vector& p, const Triple& along,
                             const Triple& out) override;

  double step_cost(int n, const Vector& y, const Vector& m) override;
  void step_cost_gradient(int n, const Vector& y, const Vector& m, const Vector& out_y,
                          const Vector& out_m) override;
  void step_cost_hessian(int n, const Vector& y, const Vector& m, const Vector& v, const Vector& q,
                         const Vector& out_y, const Vector& out_m) override;
  double parameter_cost(const Vector&) override { return 0.0; }
  void add_parameter_cost_gradient(const Vector&, const Vector&) override {}
  void add_parameter_cost_hessian(const Vector&, const Vector&, const Vector&) override {}

  std::vector<int> shown_steps() const override { return {(steps_ + 1) / 2, steps_}; }
  std::vector<Field> fields(const std::vector<Vector>& states, const std::vector<Vector>& adjoints,
                            const Vector& m) const override;
  std::vector<Field> data_fields() const override;

  /// u_r.
  const Vector& reference() const noexcept { return reference_; }
  const StepSolver& step_solver() const noexcept { return solver_; }
  std::vector<Measure> work_counts() const override { return solver_.work_counts(); }
  std::string fault() const override { return solver_.fault(); }

 private:
  double* velocity(const Vector& m, int n) const;
  Grid grid(int layers) const;

  int steps_;
  double dt_, energy_;
  Torus torus_;
  Partition states_, parameters_;
  Vector initial_, target_, reference_, rhs_;
  std::shared_ptr<TransportOperator> C_, Ct_;
  StepSolver solver_;
};

}  // namespace advection
