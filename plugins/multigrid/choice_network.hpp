/// \file
/// The network that foresees what each setting of the cycle costs on an operator.
#pragma once

#include <libsolve/learn/weights.hpp>
#include <vector>

#include "features.hpp"
#include "settings.hpp"

namespace multigrid {

/// With features f, scaled to g_i = (f_i - mean_i) / deviation_i,
///   c = W2 tanh(W1 g + b1) + b2,
/// c_s about the logarithm of (set-up + steps to 1e-8) in seconds with setting s over that of the best
/// setting, at most `largest_excess`. `hidden` units; arrays row by row.
class ChoiceNetwork {
 public:
  static constexpr const char* name = "learned-multigrid";
  static constexpr int hidden = 48;
  static constexpr double largest_excess = 1.5;
  using Costs = std::array<double, num_settings>;

  ChoiceNetwork() = default;
  /// Random first weights.
  explicit ChoiceNetwork(std::uint64_t seed);
  /// InputError where they are of another network, list of settings or number of features.
  explicit ChoiceNetwork(const libsolve::Weights& weights);

  [[nodiscard]] Costs operator()(const Features& f) const;
  /// Adds the gradient of sum_s weight_s (c_s - target_s)^2 / 2 to `gradient`, ordered as
  /// parameters(); returns that sum.
  double add_gradient(const Features& f, const Costs& target, const Costs& weight,
                      std::vector<double>& gradient) const;

  [[nodiscard]] std::vector<double>& parameters() { return parameters_; }
  [[nodiscard]] const std::vector<double>& parameters() const { return parameters_; }
  /// Means and deviations of the features of the operators trained on.
  void scale_by(const std::vector<Features>& all);
  [[nodiscard]] const Features& deviation() const { return deviation_; }

  /// Network, settings, arrays; the operator is the caller's to fill in.
  [[nodiscard]] libsolve::Weights weights() const;

  static constexpr int num_parameters =
      hidden * num_features + hidden + num_settings * hidden + num_settings;

 private:
  struct Layers {
    const double *w1, *b1, *w2, *b2;
  };
  [[nodiscard]] Layers layers() const;
  [[nodiscard]] Features scaled(const Features& f) const;

  std::vector<double> parameters_ = std::vector<double>(num_parameters, 0.0);
  Features mean_{}, deviation_{};
};

}  // namespace multigrid
