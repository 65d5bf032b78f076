#pragma once

#include <array>
#include <functional>
#include <libsolve/core/monitor.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <vector>

#include "sorption.hpp"

namespace hard_constraint_experts {

/// R(u) u_t = D u_xx on (0, 1) x (0, T], u(x, 0) = initial, u(0, t) = 1, u(1, t) = -D u_x(1, t), on
/// nodes x_i = i h, i = 0, ..., size, and times t_n = n dt, n = 0, ..., steps. Unknowns are the
/// inner nodes of t_1, ..., t_N, x fastest; equation (n, i) is
///   c = M(u_n,i) - M(u_n-1,i) - r (u_n,i-1 - 2 u_n,i + u_n,i+1),   r = dt D / h^2,
/// with u_n,0 = 1 and u_n,size = outflow u_n,size-1: mass is conserved to the digit.
struct SorptionGrid {
  Sorption law = {};
  int size = 128;
  int steps = 100;
  double final_time = 500.0;
  double initial = 0.1;

  int inner() const { return size - 1; }
  std::size_t unknowns() const {
    return static_cast<std::size_t>(inner()) * static_cast<std::size_t>(steps);
  }
  double width() const { return 1.0 / size; }
  double time_step() const { return final_time / steps; }
  double coupling() const { return time_step() * law.diffusivity * size * size; }
  double outflow() const {
    const double q = law.diffusivity * size;
    return q / (1.0 + q);
  }
  /// Place of (n, i), 1 <= n <= steps, 1 <= i < size, among unknowns and equations.
  std::size_t at(int n, int i) const {
    return static_cast<std::size_t>(n - 1) * static_cast<std::size_t>(inner()) +
           static_cast<std::size_t>(i - 1);
  }
  /// Place of (n, i) among all nodes, n = 0, ..., steps, i = 0, ..., size.
  std::size_t node(int n, int i) const {
    return static_cast<std::size_t>(n) * static_cast<std::size_t>(size + 1) +
           static_cast<std::size_t>(i);
  }
  std::size_t num_nodes() const { return node(steps + 1, 0); }
  /// u at any node, from the unknowns.
  double value(const double* u, int n, int i) const {
    if (n == 0) return initial;
    if (i == 0) return 1.0;
    return i == size ? outflow() * u[at(n, size - 1)] : u[at(n, i)];
  }
  /// dc/du of equation (n, i) by u_n,i-1, u_n,i, u_n,i+1; by u_n-1,i it is -R.
  std::array<double, 3> row(int i, double u) const {
    const double r = coupling();
    double middle = law.retardation(u) + 2.0 * r;
    if (i == size - 1) middle -= r * outflow();
    return {i > 1 ? -r : 0.0, middle, i < size - 1 ? -r : 0.0};
  }
};

/// All c of the unknowns u.
void residual(const SorptionGrid& grid, const double* u, double* c);
/// y = (dc/du)^T w.
void apply_adjoint(const SorptionGrid& grid, const double* u, const double* w, double* y);
/// Solve (dc/du) x = b and (dc/du)^T x = b in place: a tridiagonal system a time, forward or back.
void solve_linear(const SorptionGrid& grid, const double* u, double* b);
void solve_adjoint(const SorptionGrid& grid, const double* u, double* b);
/// out_k = (w^T c)'' v: diagonal, (w_k - w_after) R'(u_k) v_k.
void apply_curvature(const SorptionGrid& grid, const double* u, const double* w, const double* v,
                     double* out);

/// c_n of u_n = `u` (inner nodes, as c) and M(u_n-1) = `mass_before`; M(u_n) in `mass`, which may
/// be `mass_before`. Returns the largest |entry|, NaN where one is not finite.
double step_residual(const SorptionGrid& grid, const double* u, const double* mass_before,
                     double* c, double* mass);
/// What rounding leaves of c where u fulfils the equations to its last digits: 4 eps (max R + 4 r)
/// max(1, largest |u|), u of `count` values. Grows like size^2.
double rounding_level(const SorptionGrid& grid, const double* u, std::size_t count);

struct TimeSteppingOptions {
  double tolerance = 1e-10;
  int newton_steps = 50;
};

/// How far step_through_time() came.
struct TimeStepping {
  int times = 0;         ///< n of the last time solved
  int newton_steps = 0;  ///< of all times together
  Verdict verdict = Verdict::proceed;
  bool at_rounding =
      false;              ///< some |c_n| could not be made smaller than rounding, above tolerance
  bool failed = false;    ///< the time after `times` was not solved,
  double residual = 0.0;  ///< and |c_n| there, NaN or infinity where it is not finite
};

/// Called when time n is solved to |c_n| = `residual`, with M(u_n); whether to go on.
using AfterStep = std::function<Verdict(int n, double residual, const double* mass)>;

/// Newton's method for c_n = 0, one time step after another: u_n from u_n-1, each to |c_n| <=
/// tolerance (largest entry) or to its rounding_level(), where it no longer falls by half. Times
/// that were not solved keep what `u` has there.
TimeStepping step_through_time(const SorptionGrid& grid, const TimeSteppingOptions& options,
                               double* u, const AfterStep& after = {});
/// The same for all times: the number of Newton steps, -1 where a time was not solved.
int step_through_time(const SorptionGrid& grid, double tolerance, double* u);

/// The equations of a SorptionGrid as a program: f = 0, c(u) = 0. On the host.
class SorptionProgram final : public HostProgramFunctions {
 public:
  explicit SorptionProgram(const SorptionGrid& grid);
  const SorptionGrid& grid() const noexcept { return grid_; }

  Index num_variables() const override { return static_cast<Index>(grid_.unknowns()); }
  Index num_constraints() const override { return num_variables(); }
  bool has_entries() const override { return true; }
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }
  /// "concentration" at all nodes and times, boundaries included.
  std::vector<Field> fields(const ConstVectorView& x, const ConstVectorView& lambda) const override;

 protected:
  double host_objective(In) override { return 0.0; }
  void host_gradient(In x, Out g) override;
  void host_constraints(In x, Out c) override;
  void host_jacobian(In x, Out values) override;
  void host_hessian(In x, double sigma, In lambda, Out values) override;

 private:
  SorptionGrid grid_;
  SparsePattern jacobian_, hessian_;
};

}  // namespace hard_constraint_experts
