#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "kkt_system.hpp"

namespace sketch_newton {

/// Primal and dual variables of a Form; zl, zu >= 0 belong to the bounds.
struct Iterate {
  Numbers w, lambda;
  Numbers zl, zu;     ///< empty where there are no bounds at all
  Numbers z() const;  ///< zu - zl
};

struct InteriorPointSettings {
  double tolerance = 1e-9;  ///< of the scaled optimality error of the form
  double mu = 0.1;          ///< barrier parameter at the start
  double least_mu = 1e-10;  ///< at which it ends

  std::int64_t max_iterations = 3000;
  std::size_t dense_limit = 150;
  /// Makes what solves Newton systems of the form itself (restoration phases have factors); none:
  /// KktSystem.
  std::function<std::unique_ptr<NewtonSystem>(const Form&)> make_system = {};
  std::function<bool()> stop = {};  ///< see NewtonSystem::stop
  bool has_multipliers = false;     ///< the start's multipliers are used
  double push = 1e-2;               ///< of the start away from bounds
};

/// A primal-dual barrier method with a filter line search: Waechter and Biegler, On the
/// implementation of an interior-point filter line-search algorithm for large-scale nonlinear
/// programming, Math. Program. 2006; sections and equations below are theirs. Newton systems are
/// solved by KktSystem.
class InteriorPoint {
 public:
  enum class End { converged, max_iterations, stopped, infeasible, unbounded, non_finite, stuck };

  /// Called with each iterate; true ends the run with End::stopped.
  using Watch = std::function<bool(const InteriorPoint&)>;

  InteriorPoint(Form& form, const InteriorPointSettings& settings, Watch watch,
                bool is_restoration = false);

  End run(Iterate start);

  const Iterate& iterate() const { return at_; }
  double mu() const { return mu_; }
  double objective() const { return f_; }
  double violation() const { return theta_; }  ///< |c|_1
  double violation_max() const;                ///< |c|_inf
  double error(double mu) const;               ///< eq. (5)
  std::int64_t iterations() const { return iterations_; }
  const std::string& why() const { return why_; }
  std::int64_t factorisations() const { return kkt_->num_factorisations + other_factorisations_; }
  std::int64_t solves() const { return kkt_->num_solves + other_solves_; }
  double flops() const { return kkt_->flops + other_flops_; }
  std::int64_t restorations() const { return restorations_; }
  std::int64_t corrections() const { return corrections_; }
  /// Steps with dc > 0: rows of the Jacobian that depend on each other.
  std::int64_t dual_shifts() const { return dual_shifts_; }
  double shift() const { return dw_; }
  /// Of the last step: step lengths and the number of trials.
  double alpha() const { return alpha_; }
  Form& form() { return form_; }
  /// Whether (theta, phi) is acceptable to the filter and better than the current point; for the
  /// restoration phase.
  bool accepts(double theta, double phi) const;
  double barrier_objective(In w, double f) const;

 private:
  struct Entry {
    double theta, phi;
  };

  bool evaluate_first();
  bool evaluate_derivatives();
  void least_squares_multipliers();
  void push_inside(Numbers& w) const;
  bool update_mu();
  bool compute_step();
  bool factor_with_right_inertia();
  bool is_stopped() const { return settings_.stop && settings_.stop(); }
  double longest_primal(In dw) const;
  double longest_dual() const;
  bool line_search();
  void augment_filter();
  bool acceptable_to_filter(double theta, double phi) const;
  bool try_step(In dw, double alpha, bool& is_f_type, double slope);
  bool second_order_correction(double alpha_max, double slope);
  bool soft_restoration();
  bool restore(End& end);
  void take_dual_step(double alpha_primal, double alpha_dual);
  void reset_bound_multipliers();
  Numbers barrier_gradient() const;
  Numbers newton_rhs() const;
  void dual_residual(Out r) const;
  double slope_of(In dw) const;

  Form& form_;
  InteriorPointSettings settings_;
  Watch watch_;
  bool is_restoration_;
  std::unique_ptr<NewtonSystem> kkt_;
  Numbers lower_, upper_;  ///< relaxed a little; empty where there are no bounds at all
  Iterate at_;
  Numbers g_, c_, J_, H_, sigma_;
  Numbers dw_step_, dlambda_, dzl_, dzu_;
  Numbers trial_w_, trial_c_;
  double f_ = 0.0, trial_f_ = 0.0, trial_theta_ = 0.0, trial_phi_ = 0.0;
  double theta_ = 0.0, phi_ = 0.0, mu_ = 0.1, tau_ = 0.99;
  double theta_max_ = 0.0, theta_min_ = 0.0, least_theta_ = INFINITY;
  std::int64_t least_theta_at_ = 0;
  double dw_ = 0.0, dw_last_ = 0.0, forced_shift_ = 0.0, dc_ = 0.0, alpha_ = 0.0, alpha_dual_ = 0.0;
  std::vector<Entry> filter_;
  std::int64_t iterations_ = 0, restorations_ = 0, corrections_ = 0;
  std::int64_t other_factorisations_ = 0, other_solves_ = 0;
  double other_flops_ = 0.0;
  int tiny_steps_ = 0, soft_left_ = 0, retries_ = 0, restored_ = 0;
  std::int64_t dual_shifts_ = 0;
  bool degenerate_ = false, bounded_ = false, not_finite_ = false;
  std::string why_;
};

}  // namespace sketch_newton
