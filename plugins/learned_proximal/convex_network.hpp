#pragma once

#include <array>
#include <libsolve/core/options.hpp>
#include <libsolve/learn/weights.hpp>
#include <string>
#include <vector>

namespace learned_proximal {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// Who reads the weights, and what they were trained on.
inline constexpr const char* network_kind = "learned-proximal";
inline constexpr const char* pictures_kind = "pictures";

struct ConvexNetworkOptions {
  int channels = 16;
  int layers = 4;
  double beta = 20.0;
  double alpha = 0.01;

  static void describe(Fields<ConvexNetworkOptions>& f);
};

inline constexpr int num_symmetries = 8;

/// A convex function psi of a picture x (Fang, Buchanan, Sulam 2024, section 3, after Amos, Xu,
/// Kolter, Input convex neural networks, ICML 2017), K layers of C channels, all maps 3 x 3
/// convolutions:
///   z_1 = g(H_1 x + b_1),   z_k = g(W_k (z_{k-1} - g(b_{k-1})) + H_k x + b_k),   W_k >= 0, g
///   softplus, psi(x) = sum over channels and cells of w (z_K - g(b_K)) + alpha/2 |x|^2,   w >= 0,
/// the sum over all cells of the plane, x = 0 beyond the picture; its terms are 0 further than K
/// cells away. Convex, since g is convex and does not fall, and sums with weights >= 0 keep both.
/// grad psi - alpha x is bounded, so R is bounded below for alpha < 1. Differs from the paper: what
/// layers pass on is z_k less its value where x = 0, which biases b_k make up for, so that nothing
/// of a picture's surroundings has to be known; all layers have stride 1.
class ConvexNetwork {
 public:
  explicit ConvexNetwork(const ConvexNetworkOptions& options);

  const ConvexNetworkOptions& options() const noexcept { return options_; }
  int channels() const noexcept { return options_.channels; }
  int layers() const noexcept { return options_.layers; }

  // Where the parameters of layer k = 0 ... K - 1 begin: H_k [C][3][3], b_k [C], W_k [C][C][3][3]
  // (k > 0), then w [C].
  std::size_t input_weights(int k) const;
  std::size_t biases(int k) const;
  std::size_t hidden_weights(int k) const;
  std::size_t readout_weights() const;
  std::size_t num_parameters() const;
  /// Multiply-adds of grad psi for each cell.
  double multiply_adds_per_cell() const;

  /// Random parameters; W_k and w positive.
  std::vector<float> initial_parameters(std::uint64_t seed) const;
  /// What each parameter is measured in by an optimiser, powers of two near those of the first
  /// ones.
  std::vector<float> units() const;
  /// Those of psi(T x), T one of the `num_symmetries` turns and mirror images of the square; 0: psi
  /// itself.
  std::vector<float> turned(const std::vector<float>& parameters, int symmetry) const;
  /// max(0, .) of W_k and w.
  void make_convex(std::vector<float>& parameters) const;

  std::vector<NamedArray> to_arrays(const std::vector<float>& parameters) const;
  /// InputError where the arrays do not fit the network or have negative W_k or w.
  std::vector<float> from_arrays(const Weights& weights) const;

 private:
  struct Part {
    std::string name;
    std::vector<GlobalIndex> shape;
    std::size_t first, size;
    bool is_positive;
  };
  std::vector<Part> parts() const;

  ConvexNetworkOptions options_;
};

}  // namespace learned_proximal
