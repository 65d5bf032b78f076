#pragma once

#include <array>
#include <optional>

#include "chebcb.hpp"
#include "jacobi_radius.hpp"

namespace tuning {

struct RelaxPriorOptions {
  double dither = 0.04;
  int first_systems = 10;
  bool learn = true;
  static void describe(Fields<RelaxPriorOptions>& f) {
    using O = RelaxPriorOptions;
    f.add("dither", &O::dither, Range::closed(0.0, 0.5),
          "how far from the best guess omega is tried, as a part of 2 - omega, while its correction "
          "is uncertain");
    f.add("first_systems", &O::first_systems, Range::at_least(0),
          "systems that take the formula as it is");
    f.add("learn", &O::learn, "learn a correction of the formula");
  }
};

/// omega for SOR and SSOR from what is computable, and a correction that is learned:
///   omega = w + delta (2 - w),   w = 2 / (1 + sqrt(1 - mu^2))   (Young 1954),
///   k = log(reduction) / log(w - 1), the iterations that w takes asymptotically,
///   log(cost / k) = sum over j < 8 of a_j T_j(u) + delta sum over j < 6 of b_j T_j(u) + c delta^2,
/// u = log k scaled to [-1, 1] for k from 1 to 1100. Coefficients have Gaussian priors (b around 0,
/// c around a curvature of 10) and are updated by Bayesian linear regression after each solve;
/// played is the delta of least predicted cost, plus or minus the dither while the slope is
/// uncertain there; where it is not, one cost in four is learned from. One round costs about 500
/// operations where it learns, 100 where it does not.
class RelaxPrior final : public Tuner {
 public:
  using Options = RelaxPriorOptions;
  RelaxPrior(const Options& options, const Context& context)
      : options_(options), stream_(context.seed, "tuning::relax_prior") {}
  void begin(const TuningSpace& space) override;
  double choose(const TuningSituation& situation) override;
  void observe(double cost) override;
  std::vector<Field> state() const override;
  void restore(const StateSource& state, const Problem& problem) override;
  double extra_products() const override { return radius_.products(); }
  double extra_seconds() const override { return radius_.seconds(); }

 private:
  static constexpr size_t num_base = 8;
  static constexpr size_t num_slope = 6;
  static constexpr size_t num_terms = num_base + num_slope + 1;
  using Terms = std::array<double, num_terms>;
  double curvature() const;
  double slope() const;
  double slope_deviation() const;

  Options options_;
  /// mu of the system at hand; 0 where its operator is not positive definite.
  double radius_of(const TuningSituation& situation);

  RandomStream stream_;
  TuningSpace space_;
  JacobiRadius radius_;
  /// mu of a choice whose cost is not known yet: a run that was stopped there goes on with it.
  std::optional<double> pending_;
  bool is_restored_ = false;
  std::array<double, num_base> phi_ = {};
  Terms mean_ = {};
  std::array<Terms, num_terms> covariance_ = {};
  double delta_ = 0.0;
  bool is_certain_ = false;  ///< of the slope at the system at hand
  double expected_ = 1.0;  ///< k
  std::uint64_t rounds_ = 0;
};

}  // namespace tuning
