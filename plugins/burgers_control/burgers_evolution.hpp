#pragma once

#include <cstdint>
#include <libsolve/pde/evolution.hpp>
#include <vector>

#include "line.hpp"
#include "tridiagonal.hpp"

namespace burgers_control {

/// Values of functions at the size + 1 nodes, ends included, one row of nodes after the other.
struct BurgersData {
  int size = 64;  ///< cells of (0, 1)
  int steps = 64;
  double final_time = 1.0;
  double theta = 0.5;
  double viscosity = 0.01;
  double control_cost = 0.05;  ///< alpha
  double weight = 1.0;         ///< of J
  std::vector<double> initial = {};  ///< y_0
  std::vector<double> target = {};   ///< y_d at t_0, ..., t_N
  std::vector<double> force = {};    ///< f at t_{n-1} + theta dt, n = 1, ..., N
};

/// y_t + y y_x - nu y_xx = f + u on (0, 1), y = 0 at both ends: with linear elements (mass M, stiffness
/// K, B(y)_i = int y y_x phi_i) and steps dt,
///   c_n = M (y_n - y_{n-1}) + dt theta (nu K y_n + B(y_n))
///         + dt (1 - theta) (nu K y_{n-1} + B(y_{n-1})) - dt (M u_n + F_n),
/// m = (u_1, ..., u_N), u_n the control between t_{n-1} and t_n, at inner nodes (the best one is
/// zero at the ends, as the adjoint is); J = weight (1/2 |y - y_d|^2 + alpha/2 |u|^2), the norms over time and
/// place: exact in place for the nodes' interpolants, in time |u|^2 too, |y - y_d|^2 by the trapezoidal
/// rule for theta = 1/2 (the term of t_0 included), else by right end points.
/// Each step is solved by Newton's method with a tridiagonal matrix, in one thread.
class BurgersEvolution final : public Evolution {
 public:
  explicit BurgersEvolution(const BurgersData& data);
  ~BurgersEvolution() override;

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

  bool has_quadratic_costs() const override { return true; }
  double step_cost(int n, const Vector& y, const Vector& m) override;
  void step_cost_gradient(int n, const Vector& y, const Vector& m, const Vector& out_y,
                          const Vector& out_m) override;
  void step_cost_hessian(int n, const Vector& y, const Vector& m, const Vector& v, const Vector& q,
                         const Vector& out_y, const Vector& out_m) override;
  double parameter_cost(const Vector& m) override;
  void add_parameter_cost_gradient(const Vector& m, const Vector& out) override;
  void add_parameter_cost_hessian(const Vector& m, const Vector& q, const Vector& out) override;

  /// dt M for each u_n, and M, times the weight.
  std::shared_ptr<const InnerProduct> parameter_inner_product() const override;
  std::shared_ptr<const InnerProduct> state_inner_product() const override;
  std::vector<int> shown_steps() const override;
  /// "state", "control", "adjoint" p (the best u is p / alpha) over place and time.
  std::vector<Field> fields(const std::vector<Vector>& states, const std::vector<Vector>& adjoints,
                            const Vector& m) const override;
  std::vector<Field> data_fields() const override;

  std::int64_t newton_iterations() const noexcept { return newton_iterations_; }
  std::vector<Measure> work_counts() const override {
    return {{"newton_iterations", static_cast<double>(newton_iterations_)}};
  }

 private:
  /// u_n in m.
  double* control(const Vector& m, int n) const;
  const double* target(int n) const;
  double tracking_weight(int n) const;
  /// dt times the share of the step's ends.
  double rate_new() const { return dt_ * theta_; }
  double rate_before() const { return dt_ * (1.0 - theta_); }
  double control_weight() const { return weight_ * alpha_ * dt_; }
  void factor(const Vector& y);

  int steps_;
  double dt_, theta_, nu_, alpha_, weight_;
  Line line_;
  Partition states_, parameters_;
  Vector initial_;
  VectorView target_, load_;  ///< N + 1 rows of n + 2; N rows of n: int f phi_i
  VectorView work_;
  Tridiagonal matrix_;
  Vector r_, s_;
  double start_cost_ = 0.0;
  std::int64_t newton_iterations_ = 0;
};

}  // namespace burgers_control
