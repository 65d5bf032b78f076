#pragma once

#include <cmath>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <memory>
#include <span>
#include <vector>

namespace sketch_newton {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

using Numbers = std::vector<double>;
using In = std::span<const double>;
using Out = std::span<double>;

/// What the solver works on, min f(w) subject to c(w) = 0 and lower <= w <= upper, on the host; n
/// variables w, m equations. Hessians are those of f + lambda^T c, lower triangle.
class Form {
 public:
  virtual ~Form() = default;
  std::size_t n = 0, m = 0;
  Numbers lower, upper;
  SparsePattern jacobian_pattern, hessian_pattern;

  virtual double objective(In w) = 0;
  virtual void gradient(In w, Out g) = 0;
  virtual void constraints(In w, Out c) = 0;
  virtual void jacobian(In w, Out values) = 0;
  virtual void hessian(In w, In lambda, Out values) = 0;
  /// Told when the barrier parameter changes; true where the objective changes with it.
  virtual bool set_barrier(double) { return false; }
  /// Of lambda^T c alone.
  virtual void constraint_hessian(In w, In lambda, Out values) = 0;

  /// r += J^T lambda for the values of the Jacobian.
  void add_jacobian_adjoint(In jacobian, In lambda, Out r) const;
  bool has_lower(std::size_t i) const { return lower[i] > -INFINITY; }
  bool has_upper(std::size_t i) const { return upper[i] < INFINITY; }
};

/// A nonlinear program in that form: fixed variables are parameters, constraints without bounds are
/// left out, every inequality gets a slack, c_i(x) - s_i = 0 with cl <= s <= cu; f and the c_i are
/// scaled so that their gradients at the start are at most `largest_gradient`.
class SlackForm final : public Form {
 public:
  SlackForm(const NonlinearProgram& problem, double largest_gradient);

  double objective(In w) override;
  void gradient(In w, Out g) override;
  void constraints(In w, Out c) override;
  void jacobian(In w, Out values) override;
  void hessian(In w, In lambda, Out values) override {
    weighted_hessian(w, f_scale_, lambda, values);
  }
  void constraint_hessian(In w, In lambda, Out values) override {
    weighted_hessian(w, 0.0, lambda, values);
  }

  /// w with the given x and slacks s = c(x), not yet inside of bounds.
  Numbers from_x(In x);
  /// Multipliers of the form for those of the program.
  Numbers from_multipliers(In multipliers) const;
  /// z of the program's variables, and lambda for the slacks, by sign.
  void bound_multipliers(In z, In lambda, Out zl, Out zu) const;
  /// The whole x, with fixed variables.
  Numbers x_of(In w) const;
  /// The program's multipliers for those of the form: lambda of its constraints, z (signed) of its
  /// variables' bounds; those of fixed variables are what stationarity leaves for them.
  void multipliers_of(In w, In lambda, In z, Numbers& multipliers, Numbers& bound_multipliers);
  /// KKT residual of the program at w, in its own units, with multipliers as given.
  KktResidual kkt_residual(In w, In lambda, In z);

  const NonlinearProgram& problem() const { return *problem_; }
  double objective_scale() const { return f_scale_; }
  const std::vector<std::size_t>& rows() const { return rows_; }

 private:
  const Numbers& whole(In w);
  void weighted_hessian(In w, double sigma, In lambda, Out values);

  const NonlinearProgram* problem_;
  HostAccess at_;
  std::vector<std::size_t> free_;      ///< variables that are not fixed
  std::vector<std::size_t> rows_;      ///< constraints kept
  std::vector<std::ptrdiff_t> slack_;  ///< of each kept row, -1: equality
  std::vector<Index> jacobian_from_;   ///< entries kept of the program's Jacobian
  std::vector<Index> hessian_from_;
  bool as_it_is_ = false;  ///< values of derivatives are the program's
  double f_scale_ = 1.0;
  Numbers c_scale_;                     ///< of kept rows
  Numbers x_, g_, c_, J_, H_, lambda_;  ///< work, of the program's size
};

/// Least violation near a point, the restoration phase of Waechter and Biegler (2006), section 3.3:
///   min rho sum(p + q) + zeta/2 |D (w - w_r)|^2   subject to c(w) - p + q = 0, p, q >= 0,
/// over (w, p, q), D = diag(min(1, 1/|w_r|)).
class FeasibilityForm final : public Form {
 public:
  FeasibilityForm(Form& of, In w_r, double zeta);
  double objective(In w) override;
  void gradient(In w, Out g) override;
  void constraints(In w, Out c) override;
  void jacobian(In w, Out values) override;
  void hessian(In w, In lambda, Out values) override;
  void constraint_hessian(In w, In lambda, Out values) override { hessian(w, lambda, values); }
  /// zeta = sqrt(mu) once mu is small: with the first one the distance would outweigh large
  /// violations at the end. Differs from the paper, where it falls from the start: most
  /// restorations end before.
  bool set_barrier(double mu) override {
    if (mu > 1e-4) return false;
    zeta_ = std::sqrt(mu);
    return true;
  }
  /// (w_r, p, q) with p and q on the central path for mu.
  Numbers start(double mu);

 private:
  Form& of_;
  Numbers w_r_, D2_;
  double zeta_;
  static constexpr double rho_ = 1000.0;
  std::size_t inner_hessian_ = 0;
  std::vector<std::size_t> diagonal_;
};

}  // namespace sketch_newton
