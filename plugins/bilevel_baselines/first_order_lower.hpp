#pragma once

#include <functional>
#include <libsolve/bilevel/bilevel_program.hpp>

namespace bilevel_baselines {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library
using Numbers = std::vector<double>;

/// The lower level for methods that know gradients, products and the box Y only: its constraints
/// lg <= g <= ug become a quadratic penalty,
///   f_rho = f + rho/2 |g - P(g)|^2,   P the projection onto [lg, ug].
/// Differs from the papers, whose lower levels have no constraints g: the minimiser is off by
/// O(1/rho), and the hypergradient is that of f_rho.
class FirstOrderLower {
 public:
  /// `problem` outlives it.
  FirstOrderLower(const BilevelProgram& problem, double rho);

  Index num_upper() const noexcept { return nx_; }
  Index num_lower() const noexcept { return ny_; }
  double value(std::span<const double> v);
  /// nv values, of f_rho in (x, y); returns f_rho.
  double gradient(std::span<const double> v, std::span<double> out);
  /// f_rho'' d, nv values: of the piece of the penalty that v lies in.
  void hessian_product(std::span<const double> v, std::span<const double> d, std::span<double> out);
  /// y into Y; is_inside[j]: whether the projection left y_j alone.
  void project(std::span<double> y, std::span<char> is_inside = {}) const;
  /// Largest eigenvalue of (f_rho)_yy at v by power iteration, at least 1e-12.
  double curvature(std::span<const double> v);
  std::int64_t gradients() const noexcept { return gradients_; }
  std::int64_t products() const noexcept { return products_; }

 private:
  double excess(std::span<const double> v);  ///< rho/2 |..|^2, with weights_ rho (g - P(g))
  const BilevelProgram* problem_;
  HostAccess at_;
  double rho_;
  Index nx_, ny_;
  Numbers g_, weights_, wide_, rows_, direction_;
  std::int64_t gradients_ = 0, products_ = 0;
};

/// A smooth function of y at fixed x: its value, and its gradient into the second argument (ny).
using SmoothFunction = std::function<double(std::span<const double> y, std::span<double> gradient)>;

/// Minimises over Y by Nesterov's accelerated projected gradient method, with steps 1/L and
/// restarts where the gradient points along the last move (O'Donoghue, Candes, Found. Comput. Math.
/// 15, 2015, section 3.2); L doubles where the descent lemma fails. Ends where |y - P(y - g)| <=
/// tolerance (largest entry) or after max_steps; returns that measure.
struct Accelerated {
  double tolerance = 1e-10;
  int max_steps = 1000;
  double L = 1.0;  ///< a start; what it ended with stays
  std::int64_t steps = 0;
  double minimise(const FirstOrderLower& lower, const SmoothFunction& function,
                  std::span<double> y);
};

}  // namespace bilevel_baselines
