#pragma once

#include "first_order_lower.hpp"
#include "lower_tracker.hpp"

namespace bilevel_baselines {

struct UnrolledOptions {
  double tolerance = 1e-6;
  std::int64_t max_iterations = 1000;
  int steps = 100;
  int backward_steps = 100;
  std::string iteration = "inertial";
  double constraint_penalty = 100.0;
  int memory = 20;
  ComponentSpec lower_solver = default_lower_solver();
  static void describe(Fields<UnrolledOptions>& f);
};

/// K steps of the lower level's projected gradient method from y_0, x fixed,
///   y_{k+1} = P_Y(w_k - f_y(x, w_k) / L),   w_k = y_k + beta_k (y_k - y_{k-1}),
/// beta = 0 ("gradient") or Nesterov's (t_k - 1) / t_{k+1} ("inertial"), and the gradient of
/// H(x, y_K) in x by reverse mode through the last `backward` of them (Shaban, Cheng, Hatch, Boots,
/// Truncated back-propagation for bilevel optimization, AISTATS 2019, Algorithm 1; all of them: the
/// reverse-hypergradient of Franceschi, Donini, Frasconi, Pontil, ICML 2017, Algorithm 1). Stores
/// the last `backward` points w_k.
class UnrolledIteration {
 public:
  UnrolledIteration(FirstOrderLower& lower, int steps, int backward, bool is_inertial);
  /// Curvature L at v; fixed until the next call, so that y_K is a smooth function of x but for the
  /// kinks of P_Y.
  void set_step(std::span<const double> v);
  /// y_K into the y of v, which is y_0 on entry.
  void forward(std::span<double> v);
  /// gradient (nx) += what comes through y_K: H_y (ny) is the gradient of H in y_K.
  void backward(std::span<const double> H_y, std::span<double> gradient);

 private:
  FirstOrderLower* lower_;
  int steps_, backward_;
  bool is_inertial_;
  double L_ = 1.0;
  std::vector<Numbers> points_;            ///< v at w_k, a ring of `backward_`
  std::vector<std::vector<char>> inside_;  ///< where P_Y left y_{k+1} alone
  std::vector<double> momentum_;           ///< beta_k
};

/// "unrolled": projected limited-memory BFGS on F(x, y_K(x)). y_0 is the y_K of the iterate before.
class Unrolled final : public BilevelSolver {
 public:
  using Options = UnrolledOptions;
  Unrolled(const Options& options, const Context& context) : options_(options), context_(context) {}
  Report solve(BilevelProgram& problem, Monitor& monitor) override;
  using BilevelSolver::solve;

 private:
  Options options_;
  Context context_;
};

}  // namespace bilevel_baselines
