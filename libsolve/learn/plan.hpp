#pragma once

#include <array>
#include <cstddef>
#include <libsolve/core/export.hpp>
#include <libsolve/learn/padded_grid.hpp>
#include <string>
#include <vector>

namespace libsolve::learn {

/// One step of a network. Tensor 0 is the input (one channel, level 0), tensor i + 1 what layer i
/// makes; level l has the grid halved l times. S is the tensor `skip`, or nothing.
///   convolution  y_o(c) = act(b_o + sum_i sum_t w_oit x_i(c + t)) + S, t in {-1, 0, 1}^dimension
///   or
///                {0}; zeros beyond the walls; act: identity or max(0, .)
///   pool         y(C) = mean of x over the 2^dimension cells of C (cells beyond the grid are 0)
///   upsample     y(c) = x(C of c) + S
struct Layer {
  enum class Kind { convolution, pool, upsample };
  Kind kind = Kind::convolution;
  std::string name = {};
  int input = 0;
  int skip = -1;
  int channels = 1;  ///< of the result
  int level = 0;     ///< of the result
  int width = 3;     ///< of the kernel along each axis: 3 or 1
  bool has_bias = false;
  bool has_relu = false;
};

/// A network as the list of its layers; the last tensor is the output.
struct LIBSOLVE_EXPORT Plan {
  int dimension = 3;
  std::vector<Layer> layers = {};

  /// Appends a layer and returns its tensor.
  int add(Layer layer);
  int channels_of(int tensor) const;
  int level_of(int tensor) const;
  int num_levels() const;
  /// Entries of one kernel: width^dimension.
  int taps(const Layer& layer) const;
  /// Weights [output channel][input channel][z][y][x] of layer l begin here among the parameters,
  /// its biases follow.
  std::size_t first_parameter(int layer) const;
  std::size_t num_weights(int layer) const;
  std::size_t num_parameters() const;
  /// Without activation and without bias: the network is a linear map.
  bool is_linear() const;
  bool has_bias() const;
  /// Multiply-adds of one application for each cell of the finest grid, convolutions only.
  double multiply_adds_per_cell() const;
  /// The grids of all levels.
  std::vector<PaddedGrid> grids(std::array<int, 3> cells) const;
};

/// A network with its parameters, in the order of Plan.
template <class T>
struct Network {
  Plan plan = {};
  std::vector<T> parameters = {};
};

/// The same map with less work: x + conv(x) becomes one convolution, a 1x1x1 convolution moves into
/// the one before it. Steps with an activation or used twice stay.
template <class T>
LIBSOLVE_EXPORT Network<T> fused(const Network<T>& network);

extern template Network<float> fused(const Network<float>&);
extern template Network<double> fused(const Network<double>&);

}  // namespace libsolve::learn
