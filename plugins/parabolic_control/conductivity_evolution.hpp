#pragma once

#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/pde/evolution.hpp>
#include <libsolve/pde/log_diffusion.hpp>
#include <libsolve/pde/step_solver.hpp>

namespace parabolic_control {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// y_t = div(e^m grad y) in an insulated square or cube, seen at points: with A(m) by LogDiffusion (without
/// the mean), implicit Euler steps,
///   c_n = y_n + dt A(m) y_n - y_{n-1},
///   g_n = 1/2 |Q y_n - d_n|^2 for the steps that data are taken at,
///   r = h^D alpha/2 (|grad m|^2 + beta |m|^2), differences between cells.
/// One rank.
class ConductivityEvolution final : public Evolution {
 public:
  struct Data {
    int dimension = 3;
    Index cells = 8;
    double final_time = 1.0;
    int steps = 8;
    double alpha = 1.0;
    double beta = 0.01;
    std::shared_ptr<const CsrMatrix> Q = nullptr;
    Vector initial = {};  ///< y_0
    Vector truth = {};    ///< of m, for results
    std::shared_ptr<LinearSolver> solver = nullptr;
    std::shared_ptr<LinearSolver> product_solver = nullptr;  ///< another one, for the product of m's space
  };
  explicit ConductivityEvolution(const Data& data);

  const Grid& grid() const noexcept { return A_.grid(); }
  const StepSolver& steps() const noexcept { return solver_; }
  std::vector<Measure> work_counts() const override { return solver_.work_counts(); }
  std::string fault() const override { return solver_.fault(); }
  /// Q y_1, ..., Q y_N of a run with m.
  std::vector<Vector> observe(const Vector& m);
  /// d_1, ..., d_N; no entries for steps without data.
  void set_data(std::vector<Vector> data) { d_ = std::move(data); }

  const Partition& state_partition() const override { return cells_; }
  const Partition& parameter_partition() const override { return cells_; }
  int num_steps() const override { return data_.steps; }
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

  bool has_step_cost(int n) const override;
  bool has_quadratic_costs() const override { return true; }
  double step_cost(int n, const Vector& y, const Vector& m) override;
  void step_cost_gradient(int n, const Vector& y, const Vector& m, const Vector& out_y,
                          const Vector& out_m) override;
  void step_cost_hessian(int n, const Vector& y, const Vector& m, const Vector& v, const Vector& q,
                         const Vector& out_y, const Vector& out_m) override;
  double parameter_cost(const Vector& m) override;
  void add_parameter_cost_gradient(const Vector& m, const Vector& out) override;
  void add_parameter_cost_hessian(const Vector& m, const Vector& q, const Vector& out) override;

  /// That of r with alpha = 1 (and beta = 1 in place of 0), in which the regularization is well
  /// conditioned; h^D times the Euclidean one.
  std::shared_ptr<const InnerProduct> parameter_inner_product() const override;
  std::shared_ptr<const InnerProduct> state_inner_product() const override;
  /// "parameter" m, "state" y_N and "adjoint" p_N.
  std::vector<Field> fields(const std::vector<Vector>& states, const std::vector<Vector>& adjoints,
                            const Vector& m) const override;
  /// "true_parameter" and "initial".
  std::vector<Field> data_fields() const override;

 private:
  /// A_ and B_ are those of this m.
  void set_parameter(const Vector& m);
  double volume() const;
  Field field(const char* name, const Vector& values, const char* text) const;

  Data data_;
  double dt_;
  LogDiffusion A_;
  Partition cells_;
  std::shared_ptr<const StencilOperator> B_;  ///< I + dt A(m)
  std::shared_ptr<const StencilOperator> R_;  ///< h^D alpha (Grad^T Grad + beta)
  StepSolver solver_;
  bool has_parameter_ = false;
  Vector m_, work_, seen_;
  std::vector<Vector> d_;
};

}  // namespace parabolic_control
