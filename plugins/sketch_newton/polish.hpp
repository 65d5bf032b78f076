#pragma once

#include "interior_point.hpp"

namespace sketch_newton {

/// Ends a barrier method's run at a vertex of its active set: bounds whose multiplier is larger
/// than the distance to them are taken as equations, Newton's method solves what is left, and
/// bounds that turn out violated or with a multiplier of the wrong sign are exchanged.
class Polish {
 public:
  Polish(SlackForm& form, std::size_t dense_limit);

  /// From `at` to a point whose KKT residual, in the program's own units, is at most `wanted`;
  /// false where there is none near, and `at` stays. The Newton matrix must have the
  /// inertia of a minimum at each step.
  bool run(Iterate& at, double wanted);

  std::function<bool()> stop = {};  ///< see NewtonSystem::stop
  const KktResidual& residual() const { return residual_; }
  std::int64_t steps() const { return steps_; }
  std::int64_t factorisations() const { return kkt_ ? kkt_->num_factorisations : 0; }
  std::int64_t solves() const { return kkt_ ? kkt_->num_solves : 0; }
  double flops() const { return kkt_ ? kkt_->flops : 0.0; }

 private:
  enum class Side : char { none, lower, upper };
  void prepare();
  bool newton(Iterate& at);
  double stationarity_and_violation(const Iterate& at);
  bool exchange(Iterate& at);
  void set_multipliers(Iterate& at);

  SlackForm& form_;
  std::size_t dense_limit_;
  std::unique_ptr<KktSystem> kkt_;  ///< made at the first run
  std::vector<Side> side_;
  std::vector<char> held_;
  Numbers g_, c_, J_, H_, r_;
  KktResidual residual_;
  std::int64_t steps_ = 0;
};

}  // namespace sketch_newton
