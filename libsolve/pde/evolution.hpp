#pragma once

#include <libsolve/core/component.hpp>
#include <libsolve/optimize/inner_product.hpp>
#include <memory>
#include <string>
#include <vector>

namespace libsolve {

/// An optimization problem with a state in time, after discretisation. States y_1, ..., y_N follow one
/// after another from a given y_0 and from the variables m that are looked for (controls of all steps,
/// coefficients, an initial state):
///   c_n(y_{n-1}, y_n, m) = 0,  n = 1, ..., N,      min J = sum_n g_n(y_n, m) + r(m).
/// What methods make of it: a program in m alone, states eliminated (reduced_evolution.hpp), or
/// one in (y_1, ..., y_N, m) with the c_n as constraints (full_evolution.hpp).
///
/// The vectors of a call do not alias. Outputs are overwritten; those of functions named add_... are
/// added to. What cannot be evaluated or solved is NaN. On several ranks every call is collective.
class LIBSOLVE_EXPORT Evolution {
 public:
  /// Where c_n or its derivatives are taken.
  struct Point {
    const Vector& before;  ///< y_{n-1}
    const Vector& y;       ///< y_n
    const Vector& m;
  };
  virtual ~Evolution();

  virtual const Partition& state_partition() const = 0;      ///< of one y_n
  virtual const Partition& parameter_partition() const = 0;  ///< of m
  virtual int num_steps() const = 0;
  /// All c_n are affine in (y_{n-1}, y_n, m) together: derivatives depend on n alone, and `before` and
  /// `y` of a Point may have no entries (but for residual()).
  virtual bool is_linear() const = 0;
  virtual void initial_state(const Vector& y0) const = 0;

  /// out = c_n.
  virtual void residual(int n, const Point& at, const Vector& out) = 0;
  /// y with c_n(before, y, m) = 0, from the y given.
  virtual void solve_step(int n, const Vector& before, const Vector& m, const Vector& y) = 0;

  /// With C = dc_n/dy_n: out = C v, out = C^T p, and the solutions of C v = r, C^T p = r, from the v or
  /// p given.
  virtual void apply_state(int n, const Point& at, const Vector& v, const Vector& out) = 0;
  virtual void apply_state_adjoint(int n, const Point& at, const Vector& p, const Vector& out) = 0;
  virtual void solve_tangent(int n, const Point& at, const Vector& r, const Vector& v) = 0;
  virtual void solve_adjoint(int n, const Point& at, const Vector& r, const Vector& p) = 0;
  /// With E = dc_n/dy_{n-1}: out = E v, out = E^T p.
  virtual void apply_before(int n, const Point& at, const Vector& v, const Vector& out) = 0;
  virtual void apply_before_adjoint(int n, const Point& at, const Vector& p, const Vector& out) = 0;
  /// With D = dc_n/dm: out = D q, out += D^T p (all of m).
  virtual void apply_parameter(int n, const Point& at, const Vector& q, const Vector& out) = 0;
  virtual void add_parameter_adjoint(int n, const Point& at, const Vector& p,
                                     const Vector& out) = 0;

  /// A direction in (y_{n-1}, y_n, m), or a functional on it.
  struct Triple {
    const Vector& before;
    const Vector& y;
    const Vector& m;
  };
  /// out += (p^T c_n)'' along, in all three parts. The default does nothing: for is_linear().
  virtual void add_second_derivative(int n, const Point& at, const Vector& p, const Triple& along,
                                     const Triple& out);

  /// false: g_n = 0, and the three functions below are not called for n. States are kept for the way
  /// back where some n < num_steps() has costs.
  virtual bool has_step_cost(int n) const;
  /// All g_n and r are quadratic: second derivatives do not look at y_n and m, and `y` may have no
  /// entries there. The default is false.
  virtual bool has_quadratic_costs() const;
  /// g_n; out_y = dg_n/dy_n, out_m += dg_n/dm; and both of g_n'' (v, q). Of a g_n(y_n) alone, m and q
  /// are not looked at and out_m is left as it is.
  virtual double step_cost(int n, const Vector& y, const Vector& m) = 0;
  virtual void step_cost_gradient(int n, const Vector& y, const Vector& m, const Vector& out_y,
                                  const Vector& out_m) = 0;
  virtual void step_cost_hessian(int n, const Vector& y, const Vector& m, const Vector& v,
                                 const Vector& q, const Vector& out_y, const Vector& out_m) = 0;
  /// r, out += r', out += r'' q.
  virtual double parameter_cost(const Vector& m) = 0;
  virtual void add_parameter_cost_gradient(const Vector& m, const Vector& out) = 0;
  virtual void add_parameter_cost_hessian(const Vector& m, const Vector& q, const Vector& out) = 0;

  /// Of the spaces of m and of a state; null: Euclidean.
  virtual std::shared_ptr<const InnerProduct> parameter_inner_product() const;
  virtual std::shared_ptr<const InnerProduct> state_inner_product() const;
  /// For results: `states` are y_0, ..., y_N as far as shown_steps() asks for them, in its order (0, ...,
  /// N; the default is N alone), `adjoints` the multipliers p_n of c_n of the same steps (p_0 has no
  /// entries), for L = J + sum_n p_n^T c_n.
  virtual std::vector<int> shown_steps() const;
  virtual std::vector<Field> fields(const std::vector<Vector>& states,
                                    const std::vector<Vector>& adjoints, const Vector& m) const;
  virtual std::vector<Field> data_fields() const;

  /// For reports: what the steps took inside, by name, and why one was not solved, where that was so
  /// (StepSolver has both). The defaults have nothing.
  virtual std::vector<Measure> work_counts() const;
  virtual std::string fault() const;
};

}  // namespace libsolve
