#pragma once

#include <array>
#include <optional>

#include "chebcb.hpp"

namespace tuning {

/// The Jacobi radius mu = rho(I - D^-1 A) of operators that differ by a context, at the price of
/// few products with A.
///   lambda = v^T A v / v^T D v,   mu = (1 - lambda) max(1, (largest - 1) / (1 - smallest)),
/// v an approximate eigenvector of the smallest eigenvalue of D^-1 A from a few Lanczos steps. The
/// two forms are followed over the context as straight lines through two of the contexts met; a
/// third one checks them, then ones ever further apart. Where a line does not do, the forms are
/// computed for every system. v is found anew when a system is harder than any before.
class JacobiRadius {
 public:
  void begin() { *this = JacobiRadius(); }
  /// For the operator of `system`. Throws Unsupported where it offers no diagonal.
  double estimate(double context, const LinearSystem& system);
  /// Something has changed: the next estimate begins with a new vector.
  void doubt() { is_doubted_ = true; }
  /// Products with A so far.
  double products() const { return products_; }
  std::vector<Field> state() const;
  void restore(const StateSource& state, const LinearSystem& system);

 private:
  struct Forms {
    double context = 0.0;
    double vAv = 0.0;
    double vDv = 0.0;
    double lambda() const { return vAv / vDv; }
  };
  Forms measure(double context, const LinearSystem& system);
  void find_vector(const LinearSystem& system);
  Forms predict(double context) const;
  bool is_near(double context) const;
  void keep(const Forms& forms);

  void take_diagonal(const LinearSystem& system);
  /// v and work vectors for these systems, zero.
  void make_vector(const LinearSystem& system);
  const Vector& v() const { return v_.values; }

  Field v_;   ///< no storage: none yet
  Vector d_;  ///< diagonal of A, or its inverse
  Vector q_;
  double asymmetry_ = 1.0;  ///< (largest - 1) / (1 - smallest) of D^-1 A; 1 for red-black orders
  double hardest_ = 2.0;  ///< smallest lambda that v was found for
  std::array<Forms, 2> line_ = {};
  int points_ = 0;
  double gap_ = 1.0;   ///< systems between checks
  double until_ = 0.0;  ///< the next check
  double products_ = 0.0;
  bool is_trusted_ = false;
  bool is_doubted_ = false;
};

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
/// uncertain there. One round costs about 500 operations.
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

 private:
  static constexpr size_t num_base = 8;
  static constexpr size_t num_slope = 6;
  static constexpr size_t num_terms = num_base + num_slope + 1;
  using Terms = std::array<double, num_terms>;
  double curvature() const;
  double slope() const;
  double slope_deviation() const;

  Options options_;
  RandomStream stream_;
  TuningSpace space_;
  JacobiRadius radius_;
  std::array<double, num_base> phi_ = {};
  Terms mean_ = {};
  std::array<Terms, num_terms> covariance_ = {};
  double delta_ = 0.0;
  double expected_ = 1.0;  ///< k
  std::uint64_t rounds_ = 0;
};

}  // namespace tuning
