#pragma once

#include <array>

#include "tsallis_inf.hpp"

namespace tuning {

struct ChebCbOptions {
  double exploration = 30.0;
  double smoothness = 8.0;
  static void describe(Fields<ChebCbOptions>& f) {
    using O = ChebCbOptions;
    f.add("exploration", &O::exploration, Range::above(0.0),
          "gamma: larger plays what looks best more often");
    f.add("smoothness", &O::smoothness, Range::above(0.0),
          "L: coefficient j of a cost's Chebyshev series is at most L / j mean costs");
  }
};

/// ChebCB (Khodak et al. 2024, algorithm 3): the cost of each arm is a Chebyshev series of the
/// context, fitted by least squares with coefficients in a box; arms are drawn by inverse gaps
/// (Foster, Rakhlin, "Beyond UCB", ICML 2020).
///   y_i(c) = sum over j < 6 of theta_ij T_j(u),  u the context scaled to [-1, 1],
///   theta_i = argmin sum over rounds that played i of (y_i(c_t) - cost_t)^2, |theta_ij| <= L s / j
///             for j >= 1, s the mean cost,
///   p_i = 1 / (d + eta (y_i - y*) / s) for i other than the best, the rest to the best,
///   eta = gamma sqrt(d t / R_t),  R_t = 1 + sum of ((y_i - cost) / s)^2 as predicted.
/// Differs from the paper: eta follows the measured error R_t instead of a bound on it, and each arm is
/// played once first. One round costs O(6 d + 6^2) operations, and touches little memory: the series of all
/// arms in one piece, and the sums of the arm that was played.
class ChebCb final : public Tuner {
 public:
  using Options = ChebCbOptions;
  ChebCb(const Options& options, const Context& context)
      : options_(options), stream_(context.seed, "tuning::chebcb") {}
  void begin(const TuningSpace& space) override;
  double choose(const TuningSituation& situation) override;
  void observe(double cost) override;
  std::vector<Field> state() const override;
  void restore(const StateSource& state, const Problem& problem) override;

  static constexpr size_t terms = 6;
  using Series = std::array<double, terms>;

 private:
  struct Sums {
    double rounds = 0.0;
    std::array<Series, terms> gram = {};  ///< of phi phi^T
    Series moment = {};                   ///< of cost phi
  };
  void fit(const Sums& arm, Series& theta) const;
  double mean_cost() const { return rounds_ > 0.0 ? sum_ / rounds_ : 1.0; }
  Options options_;
  RandomStream stream_;
  TuningSpace space_;
  std::vector<Sums> arms_;
  std::vector<Series> theta_;
  std::vector<double> predicted_;
  size_t unplayed_ = 0;
  Series phi_ = {};
  double rounds_ = 0.0;
  double sum_ = 0.0;
  double error_ = 1.0;  ///< R_t
  std::uint64_t draws_ = 0;
  size_t arm_ = 0;
};

/// T_0(u), ..., T_(n-1)(u).
template <class Array>
void chebyshev_polynomials(double u, Array& out) {
  out[0] = 1.0;
  if (out.size() > 1) out[1] = u;
  for (size_t j = 2; j < out.size(); ++j) out[j] = 2.0 * u * out[j - 1] - out[j - 2];
}

}  // namespace tuning
