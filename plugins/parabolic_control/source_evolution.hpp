#pragma once

#include <libsolve/linear/stencil_operator.hpp>
#include <libsolve/pde/evolution.hpp>
#include <libsolve/pde/step_solver.hpp>

#include "target_in_time.hpp"

namespace parabolic_control {

/// y_t - Laplace y = u with a control u_n in each time step, m = (u_1, ..., u_N), at the inner nodes of a
/// grid: with A the (2 D + 1)-point Laplacian and B = I + theta dt A,
///   c_n = B y_n - (I - (1 - theta) dt A) y_{n-1} - dt u_n,
///   g_n = w/2 (dt k_n |y_n - y_d(t_n)|^2, and for n = N  kappa |y_N - y_T|^2),  k_n = 1, k_N = 1/2,
///   r = w dt alpha/2 sum_n |u_n|^2.
class SourceEvolution final : public Evolution {
 public:
  struct Data {
    GridPartition nodes;
    double weight = 1.0;  ///< w
    double theta = 0.5;
    double final_time = 1.0;
    int steps = 1;
    bool tracks_all = true;    ///< false: no y_d
    double final_cost = 0.0;   ///< kappa
    double control_cost = 1.0; ///< alpha
    TargetInTime target = {};  ///< y_d
    Vector final_target = {};  ///< y_T
    Vector initial = {};       ///< y_0
    std::shared_ptr<LinearSolver> solver = nullptr;
    int num_pictures = 4;
  };
  explicit SourceEvolution(const Data& data);

  const StepSolver& steps() const noexcept { return solver_; }
  std::vector<Measure> work_counts() const override { return solver_.work_counts(); }
  std::string fault() const override { return solver_.fault(); }

  const Partition& state_partition() const override { return data_.nodes.partition(); }
  const Partition& parameter_partition() const override { return parameter_; }
  int num_steps() const override { return data_.steps; }
  bool is_linear() const override { return true; }
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

  bool has_step_cost(int n) const override { return data_.tracks_all || n == data_.steps; }
  bool has_quadratic_costs() const override { return true; }
  double step_cost(int n, const Vector& y, const Vector& m) override;
  void step_cost_gradient(int n, const Vector& y, const Vector& m, const Vector& out_y,
                          const Vector& out_m) override;
  void step_cost_hessian(int n, const Vector& y, const Vector& m, const Vector& v, const Vector& q,
                         const Vector& out_y, const Vector& out_m) override;
  double parameter_cost(const Vector& m) override;
  void add_parameter_cost_gradient(const Vector& m, const Vector& out) override;
  void add_parameter_cost_hessian(const Vector& m, const Vector& q, const Vector& out) override;

  /// w dt and w times the Euclidean ones: those of L2 (for w = h^D).
  std::shared_ptr<const InnerProduct> parameter_inner_product() const override;
  std::shared_ptr<const InnerProduct> state_inner_product() const override;
  /// Evenly spaced, the last one among them.
  std::vector<int> shown_steps() const override;
  /// "state_N", "control_N", "adjoint_N", "target_N" for the steps N.
  std::vector<Field> fields(const std::vector<Vector>& states, const std::vector<Vector>& adjoints,
                            const Vector& m) const override;

 private:
  /// w times that of |y_n - y_d|^2 / 2 in g_n.
  double tracking_weight(int n) const;
  /// out = (I - (1 - theta) dt A) v.
  void apply_explicit(const Vector& v, const Vector& out) const;
  /// u_n.
  Vector control(const Vector& m, int n) const;

  Data data_;
  double dt_;
  Partition parameter_;
  std::shared_ptr<const StencilOperator> A_, B_;
  StepSolver solver_;
  Vector rhs_, error_;
};

}  // namespace parabolic_control
