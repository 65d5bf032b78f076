/// \file
/// Small dense strictly convex quadratic programs.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace libsolve::detail {

/// min 1/2 x^T H x + g^T x  subject to  low_i <= a_i . x <= high_i, by the dual active-set method
/// (Goldfarb, Idnani, A numerically stable dual method for solving strictly convex quadratic
/// programs, Math. Program. 27, 1983). Finite; the systems are factorised anew at each change of
/// the active set, which suits some hundred variables at most.
class ConvexQp {
 public:
  std::vector<double> H, g;              ///< n x n (symmetric), n; where H is not positive definite
                                         ///< enough is added to its diagonal
  std::vector<double> x;                 ///< the solution
  std::vector<double> multipliers = {};  ///< one for each constraint, > 0 at high, < 0 at low

  /// H = 0, g = 0, no constraints, n variables.
  void start(std::size_t n);
  void add(std::span<const double> a, double low, double high);
  /// False where no point satisfies the constraints.
  bool solve();

 private:
  struct Active {
    std::size_t constraint;
    double sign;        ///< sign * a . x <= sign * bound
    double multiplier;  ///< >= 0, of that; of any sign for an equality
  };
  bool factorise();
  void apply_inverse(std::vector<double>& b) const;  ///< b <- H^-1 b
  double value(std::size_t i) const;                 ///< a_i . x
  bool most_violated(std::size_t& constraint, double& sign) const;
  bool bring_in(std::size_t constraint, double sign);

  std::size_t n_ = 0;
  std::vector<double> L_, rows_, low_, high_, lengths_;
  std::vector<Active> active_;
  std::vector<std::vector<double>> inverse_rows_;  ///< H^-1 a of the active ones
};

}  // namespace libsolve::detail
