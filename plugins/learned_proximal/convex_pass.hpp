#pragma once

#include <libsolve/learn/padded_grid.hpp>
#include <vector>

#include "convex_network.hpp"

namespace learned_proximal {

/// The parameters of a network in the order that convolutions read them; shared by passes.
template <class T>
class PackedNetwork {
 public:
  explicit PackedNetwork(const ConvexNetwork& network);
  /// Takes other parameters.
  void set(const std::vector<float>& parameters);

  const ConvexNetwork& network() const noexcept { return network_; }
  const T* input(int k) const { return part(k, 0); }
  const T* input_adjoint(int k) const { return part(k, 1); }
  const T* hidden(int k) const { return part(k, 2); }
  const T* hidden_adjoint(int k) const { return part(k, 3); }
  const T* biases(int k) const { return biases_.data() + k * network_.channels(); }
  /// g(b_k) and g'(b_k) of channel c.
  T rest(int k, int c) const {
    return rest_[static_cast<std::size_t>(k * network_.channels() + c)];
  }
  T rest_slope(int k, int c) const {
    return rest_slope_[static_cast<std::size_t>(k * network_.channels() + c)];
  }
  T readout(int c) const { return readout_[static_cast<std::size_t>(c)]; }

 private:
  const T* part(int k, int which) const {
    return packed_[static_cast<std::size_t>(4 * k + which)].data();
  }
  ConvexNetwork network_;
  std::vector<std::vector<T>> packed_;
  std::vector<T> biases_, rest_, rest_slope_, readout_;
};

/// psi and its derivatives at one picture after the other, on one thread of the host. Pictures: nx
/// ny numbers, x fastest. Beyond the picture x is 0, and a margin of K cells has all terms of psi
/// that see it, so shifts of a picture shift grad psi.
///   forward:   a_k, z_k = g(a_k) - g(b_k)
///   gradient:  delta_K = g'(a_K) w, delta_k = g'(a_k) W_{k+1}^T delta_{k+1},
///              grad psi = alpha x + sum_k H_k^T delta_k
///   along v:   da_1 = H_1 v, dz_k = g'(a_k) da_k, da_k = W_k dz_{k-1} + H_k v
///              mu_k = g'(a_k) lambda_k + g''(a_k) da_k zeta_k, where delta_k = g'(a_k) zeta_k,
///              lambda_K = 0, lambda_k = W_{k+1}^T mu_{k+1},
///              psi'' v = alpha v + sum_k H_k^T mu_k
/// and, since <grad psi, v> is the derivative of psi along v,
///   d<grad psi, v> / dH_k = delta_k (x) v + mu_k (x) x,   / dW_k = delta_k (x) dz_{k-1} + mu_k (x)
///   z_{k-1}, / db_k = sum (mu_k - g'(b_k) lambda_k),   / dw = sum dz_K.
template <class T>
class ConvexPass {
 public:
  ConvexPass(const PackedNetwork<T>& packed, int nx, int ny);
  /// Goes on with other parameters of the same network.
  void use(const PackedNetwork<T>& packed) { packed_ = &packed; }

  /// psi(x); first of all.
  double value(const double* x);
  /// grad psi at that x into f, n numbers.
  void gradient(double* f);
  /// psi'' v at that x into Hv, after gradient(); Hv may be null for the sake of the parameters
  /// alone.
  void apply_hessian(const double* v, double* Hv);
  /// Adds the gradient of <grad psi(x), v> by the parameters; after apply_hessian().
  void add_parameter_gradient(std::vector<T>& gradient) const;

 private:
  /// One layer's tensors.
  struct Layer {
    std::vector<T> z, slope, delta, da, dz, mu;
    std::vector<double> bias_gradient;
  };
  void put(const double* picture, std::vector<T>& tensor) const;
  /// The tensor + factor x.
  void get(const std::vector<T>& tensor, double factor, const double* x, double* picture) const;
  /// y = b + conv(x), or y += conv(x).
  void convolve(const T* weights, const T* biases, int inputs, int outputs, const std::vector<T>& x,
                bool adds, std::vector<T>& y) const;
  /// Rows of cells of all channels: row(channel, first entry).
  template <class Row>
  void for_rows(const Row& row) const;

  const PackedNetwork<T>* packed_;
  int channels_, layers_, nx_, ny_, margin_;
  learn::PaddedGrid grid_;
  std::vector<Layer> layer_;
  std::vector<T> x_, v_, out_;
  std::vector<double> picture_;
};

extern template class PackedNetwork<float>;
extern template class PackedNetwork<double>;
extern template class ConvexPass<float>;
extern template class ConvexPass<double>;

}  // namespace learned_proximal
