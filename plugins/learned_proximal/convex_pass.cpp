#include "convex_pass.hpp"

#include <algorithm>
#include <libsolve/learn/convolution_gradient.hpp>

#include "softplus.hpp"

namespace learned_proximal {

namespace {

// Rows of cells, each in a function of its own: loops inside of others are not vectorised.

/// a becomes g(a) - rest.
template <class T>
[[gnu::noinline]] void activate(int n, T beta, T rest, T* a, T* slope) {
#pragma omp simd
  for (int i = 0; i < n; ++i) {
    T g, s;
    softplus<T>(a[i], beta, g, s);
    a[i] = g - rest;
    slope[i] = s;
  }
}

template <class T>
[[gnu::noinline]] double sum_of(int n, const T* z) {
  double sum = 0.0;
#pragma omp simd reduction(+ : sum)
  for (int i = 0; i < n; ++i) sum += static_cast<double>(z[i]);
  return sum;
}

template <class T>
[[gnu::noinline]] double sum_of_products(int n, const T* a, const T* b) {
  double sum = 0.0;
#pragma omp simd reduction(+ : sum)
  for (int i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

/// y = a b; y may be b.
template <class T>
[[gnu::noinline]] void multiply(int n, const T* a, const T* b, T* y) {
#pragma omp simd
  for (int i = 0; i < n; ++i) y[i] = a[i] * b[i];
}

/// y = s a.
template <class T>
[[gnu::noinline]] void scale(int n, T s, const T* a, T* y) {
#pragma omp simd
  for (int i = 0; i < n; ++i) y[i] = s * a[i];
}

/// lambda becomes mu = slope lambda + beta (1 - slope) da delta; returns the sum of mu - rest_slope
/// lambda.
template <class T>
[[gnu::noinline]] double curve(int n, T beta, T rest_slope, const T* slope, const T* da,
                               const T* delta, T* lambda) {
  double sum = 0.0;
#pragma omp simd reduction(+ : sum)
  for (int i = 0; i < n; ++i) {
    const T mu = slope[i] * lambda[i] + beta * (T(1) - slope[i]) * da[i] * delta[i];
    sum += static_cast<double>(mu - rest_slope * lambda[i]);
    lambda[i] = mu;
  }
  return sum;
}

}  // namespace

template <class T>
PackedNetwork<T>::PackedNetwork(const ConvexNetwork& network) : network_(network) {
  const auto C = static_cast<std::size_t>(network.channels());
  for (int k = 0; k < network.layers(); ++k) {
    for (int i = 0; i < 2; ++i) packed_.emplace_back(9 * C);
    for (int i = 0; i < 2; ++i) packed_.emplace_back(k > 0 ? 9 * C * C : 0);
  }
  for (auto* v : {&biases_, &rest_, &rest_slope_})
    v->resize(C * static_cast<std::size_t>(network.layers()));
  readout_.resize(C);
}

template <class T>
void PackedNetwork<T>::set(const std::vector<float>& parameters) {
  const std::vector<T> p(parameters.begin(), parameters.end());
  const int C = network_.channels();
  for (int k = 0; k < network_.layers(); ++k) {
    const auto pack = [&](int which, std::size_t first, int inputs) {
      learn::detail::pack_weights(p.data() + first, inputs, C, 1, 3, 3, which % 2 == 1,
                                  packed_[static_cast<std::size_t>(4 * k + which)].data());
    };
    pack(0, network_.input_weights(k), 1);
    pack(1, network_.input_weights(k), 1);
    if (k > 0) pack(2, network_.hidden_weights(k), C);
    if (k > 0) pack(3, network_.hidden_weights(k), C);
    std::copy_n(p.begin() + static_cast<std::ptrdiff_t>(network_.biases(k)), C,
                biases_.begin() + k * C);
  }
  for (std::size_t i = 0; i < biases_.size(); ++i)
    softplus<T>(biases_[i], static_cast<T>(network_.options().beta), rest_[i], rest_slope_[i]);
  std::copy_n(p.begin() + static_cast<std::ptrdiff_t>(network_.readout_weights()), C,
              readout_.begin());
}

template <class T>
ConvexPass<T>::ConvexPass(const PackedNetwork<T>& packed, int nx, int ny)
    : packed_(&packed),
      channels_(packed.network().channels()),
      layers_(packed.network().layers()),
      nx_(nx),
      ny_(ny),
      margin_(layers_),
      grid_(2, {nx + 2 * margin_, ny + 2 * margin_, 1}) {
  const auto cells = static_cast<std::size_t>(grid_.channel());
  const std::size_t all = cells * static_cast<std::size_t>(channels_);
  for (int k = 0; k < layers_; ++k) {
    Layer layer;
    for (auto* t : {&layer.z, &layer.slope, &layer.delta, &layer.da, &layer.dz, &layer.mu})
      t->assign(all, T(0));
    layer.bias_gradient.resize(static_cast<std::size_t>(channels_));
    layer_.push_back(std::move(layer));
  }
  for (auto* t : {&x_, &v_, &out_}) t->assign(cells, T(0));
}

template <class T>
void ConvexPass<T>::put(const double* picture, std::vector<T>& tensor) const {
  for (int j = 0; j < ny_; ++j) {
    T* const row = tensor.data() + grid_.at(margin_, margin_ + j, 0);
    const double* const from = picture + std::ptrdiff_t{j} * nx_;
    for (int i = 0; i < nx_; ++i) row[i] = static_cast<T>(from[i]);
  }
}

template <class T>
void ConvexPass<T>::get(const std::vector<T>& tensor, double factor, const double* x,
                        double* picture) const {
  for (int j = 0; j < ny_; ++j) {
    const T* const row = tensor.data() + grid_.at(margin_, margin_ + j, 0);
    const std::ptrdiff_t first = std::ptrdiff_t{j} * nx_;
    for (int i = 0; i < nx_; ++i)
      picture[first + i] = static_cast<double>(row[i]) + factor * x[first + i];
  }
}

template <class T>
void ConvexPass<T>::convolve(const T* weights, const T* biases, int inputs, int outputs,
                             const std::vector<T>& x, bool adds, std::vector<T>& y) const {
  learn::detail::Convolution<T> a;
  a.grid = grid_;
  a.inputs = inputs;
  a.outputs = outputs;
  a.x = x.data();
  a.weights = weights;
  a.biases = biases;
  a.s = adds ? y.data() : nullptr;
  a.y = y.data();
  learn::detail::convolve(a, 0, 1);
}

template <class T>
template <class Row>
void ConvexPass<T>::for_rows(const Row& row) const {
  for (int c = 0; c < channels_; ++c)
    for (int j = 0; j < grid_.cells[1]; ++j) row(c, c * grid_.channel() + grid_.at(0, j, 0));
}

template <class T>
double ConvexPass<T>::value(const double* x) {
  const ConvexNetwork& net = packed_->network();
  const int n = grid_.cells[0];
  const T beta = static_cast<T>(net.options().beta);
  put(x, x_);
  picture_.assign(x, x + std::ptrdiff_t{nx_} * ny_);
  for (int k = 0; k < layers_; ++k) {
    Layer& l = layer_[static_cast<std::size_t>(k)];
    convolve(packed_->input(k), packed_->biases(k), 1, channels_, x_, false, l.z);
    if (k > 0)
      convolve(packed_->hidden(k), nullptr, channels_, channels_,
               layer_[static_cast<std::size_t>(k - 1)].z, true, l.z);
    for_rows([&](int c, std::ptrdiff_t at) {
      activate(n, beta, packed_->rest(k, c), l.z.data() + at, l.slope.data() + at);
    });
  }
  const T* const z = layer_.back().z.data();
  double psi = 0.0;
  for_rows([&](int c, std::ptrdiff_t at) {
    psi += static_cast<double>(packed_->readout(c)) * sum_of(n, z + at);
  });
  const double square = sum_of_products(nx_ * ny_, picture_.data(), picture_.data());
  return psi + 0.5 * net.options().alpha * square;
}

template <class T>
void ConvexPass<T>::gradient(double* f) {
  const ConvexNetwork& net = packed_->network();
  const int n = grid_.cells[0];
  for (int k = layers_ - 1; k >= 0; --k) {
    Layer& l = layer_[static_cast<std::size_t>(k)];
    if (k == layers_ - 1) {
      for_rows([&](int c, std::ptrdiff_t at) {
        scale(n, packed_->readout(c), l.slope.data() + at, l.delta.data() + at);
      });
    } else {
      convolve(packed_->hidden_adjoint(k + 1), nullptr, channels_, channels_,
               layer_[static_cast<std::size_t>(k + 1)].delta, false, l.delta);
      for_rows([&](int, std::ptrdiff_t at) {
        multiply(n, l.slope.data() + at, l.delta.data() + at, l.delta.data() + at);
      });
    }
    convolve(packed_->input_adjoint(k), nullptr, channels_, 1, l.delta, k < layers_ - 1, out_);
  }
  get(out_, net.options().alpha, picture_.data(), f);
}

template <class T>
void ConvexPass<T>::apply_hessian(const double* v, double* Hv) {
  const ConvexNetwork& net = packed_->network();
  const int n = grid_.cells[0];
  const T beta = static_cast<T>(net.options().beta);
  put(v, v_);
  for (int k = 0; k < layers_; ++k) {
    Layer& l = layer_[static_cast<std::size_t>(k)];
    convolve(packed_->input(k), nullptr, 1, channels_, v_, false, l.da);
    if (k > 0)
      convolve(packed_->hidden(k), nullptr, channels_, channels_,
               layer_[static_cast<std::size_t>(k - 1)].dz, true, l.da);
    for_rows([&](int, std::ptrdiff_t at) {
      multiply(n, l.slope.data() + at, l.da.data() + at, l.dz.data() + at);
    });
  }
  for (int k = layers_ - 1; k >= 0; --k) {
    Layer& l = layer_[static_cast<std::size_t>(k)];
    if (k == layers_ - 1)
      std::fill(l.mu.begin(), l.mu.end(), T(0));
    else
      convolve(packed_->hidden_adjoint(k + 1), nullptr, channels_, channels_,
               layer_[static_cast<std::size_t>(k + 1)].mu, false, l.mu);
    std::fill(l.bias_gradient.begin(), l.bias_gradient.end(), 0.0);
    for_rows([&](int c, std::ptrdiff_t at) {
      l.bias_gradient[static_cast<std::size_t>(c)] +=
          curve(n, beta, packed_->rest_slope(k, c), l.slope.data() + at, l.da.data() + at,
                l.delta.data() + at, l.mu.data() + at);
    });
    if (Hv != nullptr)
      convolve(packed_->input_adjoint(k), nullptr, channels_, 1, l.mu, k < layers_ - 1, out_);
  }
  if (Hv != nullptr) get(out_, net.options().alpha, v, Hv);
}

template <class T>
void ConvexPass<T>::add_parameter_gradient(std::vector<T>& gradient) const {
  const ConvexNetwork& net = packed_->network();
  learn::detail::Convolution<T> a;
  a.grid = grid_;
  a.outputs = channels_;
  const auto add = [&](const std::vector<T>& out, const std::vector<T>& in, int inputs,
                       std::size_t weights) {
    a.inputs = inputs;
    a.x = in.data();
    learn::detail::add_parameter_gradients(a, out.data(), gradient.data() + weights,
                                           static_cast<T*>(nullptr));
  };
  for (int k = 0; k < layers_; ++k) {
    const Layer& l = layer_[static_cast<std::size_t>(k)];
    add(l.delta, v_, 1, net.input_weights(k));
    add(l.mu, x_, 1, net.input_weights(k));
    for (std::size_t c = 0; c < l.bias_gradient.size(); ++c)
      gradient[net.biases(k) + c] += static_cast<T>(l.bias_gradient[c]);
    if (k == 0) continue;
    const Layer& before = layer_[static_cast<std::size_t>(k - 1)];
    add(l.delta, before.dz, channels_, net.hidden_weights(k));
    add(l.mu, before.z, channels_, net.hidden_weights(k));
  }
  const Layer& last = layer_.back();
  const int n = grid_.cells[0];
  for_rows([&](int c, std::ptrdiff_t at) {
    gradient[net.readout_weights() + static_cast<std::size_t>(c)] +=
        static_cast<T>(sum_of(n, last.dz.data() + at));
  });
}

template class PackedNetwork<float>;
template class PackedNetwork<double>;
template class ConvexPass<float>;
template class ConvexPass<double>;

}  // namespace learned_proximal
