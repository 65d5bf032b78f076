#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/learn/weights.hpp>
#include <vector>

#include "experts.hpp"

namespace hard_constraint_experts {

struct NetworkOptions {
  int functions = 16;
  int hidden = 32;
  int layers = 2;

  static void describe(Fields<NetworkOptions>& f) {
    using O = NetworkOptions;
    f.add("functions", &O::functions, Range::closed(2, 64), "N basis functions");
    f.add("hidden", &O::hidden, Range::closed(2, 256), "units of a hidden layer");
    f.add("layers", &O::layers, Range::closed(1, 8), "hidden layers");
  }
};

/// b(x, t; problem): a network with a(z) = z / sqrt(1 + z^2) in its hidden layers and a linear last
/// one, at each node by itself. Inputs, all in [-1, 1]: 2 x - 1, 2 t / T - 1, the initial value,
/// and how far the fronts from both ends have come, s = 2 y / sqrt(y^2 + 4 D (t + T / 200) / R(1))
/// - 1 with y the distance to an end, log(1 + 200 t / T) / log(201) * 2 - 1 (in an infinite medium the solution is a function of y^2 / t
/// alone). Differs from the paper: a Fourier neural operator on the whole grid there.
class BasisNetwork {
 public:
  static constexpr int num_inputs = 6;
  /// Glorot and Bengio's uniform weights, biases 0.
  BasisNetwork(const NetworkOptions& options, std::uint64_t seed);
  explicit BasisNetwork(const Weights& weights);

  const NetworkOptions& options() const { return options_; }
  std::vector<float>& parameters() { return parameters_; }
  const std::vector<float>& parameters() const { return parameters_; }

  /// All functions at all nodes of the grid.
  void evaluate(const SorptionGrid& grid, const Basis& basis) const;
  /// Adds dL/dparameters for `by_basis` = dL/dbasis. Sums do not depend on the number of threads.
  void add_gradient(const SorptionGrid& grid, const Basis& by_basis,
                    std::vector<double>& gradient) const;

  /// "layer0/weight" [output][input], "layer0/bias", ...
  std::vector<NamedArray> arrays() const;
  void take(const Weights& arrays);
  Weights weights() const;

 private:
  int width(int layer) const;
  std::size_t first(int layer) const;  ///< parameter of a layer: weights, then biases
  int num_layers() const { return options_.layers + 1; }
  std::vector<double> in_double() const { return {parameters_.begin(), parameters_.end()}; }

  NetworkOptions options_;
  std::vector<float> parameters_;
};

/// What a network has seen: one medium for one time, initial values from low to high.
struct TrainedRange {
  Sorption law = {};
  double final_time = 0.0;
  double initial_low = 0.0;
  double initial_high = 0.0;

  /// "trained_range": D, K, exponent, T, low, high.
  NamedArray array() const;
  /// InputError where the weights have none.
  static TrainedRange of(const Weights& weights);
  /// "u(x, 0) = 0.9 (trained: 0 to 0.2), ..."; empty within.
  std::string what_differs(const SorptionGrid& grid) const;
};

/// Products of Chebyshev's polynomials in 2 x - 1 and 2 t / T - 1, `in_space` x `in_time` of them.
void evaluate_chebyshev(const SorptionGrid& grid, int in_space, int in_time, const Basis& basis);

}  // namespace hard_constraint_experts
