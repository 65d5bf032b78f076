#include <algorithm>
#include <libsolve/learn/convolution_gradient.hpp>
#include <libsolve/learn/detail/resampling.hpp>
#include <libsolve/learn/training_pass.hpp>

namespace libsolve::learn {

namespace {

/// dst += src over a tensor.
template <class T>
void accumulate(const std::vector<T>& src, std::vector<T>& dst) {
  const T* const s = src.data();
  T* const d = dst.data();
  const std::ptrdiff_t n = static_cast<std::ptrdiff_t>(dst.size());
#pragma omp simd
  for (std::ptrdiff_t i = 0; i < n; ++i) d[i] += s[i];
}

}  // namespace

template <class T>
TrainingPass<T>::TrainingPass(const Plan& plan, std::array<int, 3> cells)
    : plan_(plan), grids_(plan.grids(cells)) {
  size_t most_packed = 0, most_cells = 0;
  for (int t = 0; t <= static_cast<int>(plan_.layers.size()); ++t) {
    const size_t size = size_t(plan_.channels_of(t)) * size_t(grid_of(t).channel());
    tensors_.emplace_back(size, T(0));
    gradients_.emplace_back(size, T(0));
    most_cells = std::max(most_cells, size);
  }
  for (size_t l = 0; l < plan_.layers.size(); ++l) {
    const Layer& layer = plan_.layers[l];
    activations_.emplace_back(layer.has_relu && layer.skip >= 0 ? tensors_[l + 1].size() : 0, T(0));
    most_packed = std::max(most_packed, plan_.num_weights(static_cast<int>(l)));
  }
  packed_.resize(most_packed);
  before_activation_.assign(most_cells, T(0));
}

template <class T>
const T* TrainingPass<T>::forward(const std::vector<T>& parameters) {
  for (auto& g : gradients_) std::fill(g.begin(), g.end(), T(0));
  for (size_t l = 0; l < plan_.layers.size(); ++l) {
    const Layer& layer = plan_.layers[l];
    const PaddedGrid& from = grid_of(layer.input);
    const PaddedGrid& to = grid_of(static_cast<int>(l) + 1);
    const T* const x = tensors_[size_t(layer.input)].data();
    const T* const s = layer.skip >= 0 ? tensors_[size_t(layer.skip)].data() : nullptr;
    T* const y = tensors_[l + 1].data();
    if (layer.kind == Layer::Kind::convolution) {
      detail::Convolution<T> a;
      a.grid = to;
      a.inputs = plan_.channels_of(layer.input);
      a.outputs = layer.channels;
      a.width = layer.width;
      a.x = x;
      const T* const w = parameters.data() + plan_.first_parameter(static_cast<int>(l));
      detail::pack_weights(w, a.inputs, a.outputs, a.extent(2), a.extent(1), a.extent(0), false,
                           packed_.data());
      a.weights = packed_.data();
      a.biases = layer.has_bias ? w + plan_.num_weights(static_cast<int>(l)) : nullptr;
      a.has_relu = layer.has_relu;
      const bool keeps = !activations_[l].empty();
      a.s = keeps ? nullptr : s;
      a.y = keeps ? activations_[l].data() : y;
      detail::convolve(a, 0, to.cells[2]);
      if (keeps) {
        tensors_[l + 1] = tensors_[size_t(layer.skip)];
        accumulate(activations_[l], tensors_[l + 1]);
      }
      continue;
    }
    for (int c = 0; c < layer.channels; ++c) {
      const T* const xc = x + c * from.channel();
      T* const yc = y + c * to.channel();
      if (layer.kind == Layer::Kind::pool)
        detail::pool(from, to, xc, yc, 0, to.cells[2]);
      else
        detail::upsample(to, from, xc, s != nullptr ? s + c * to.channel() : nullptr, yc, 0,
                         to.cells[2]);
    }
  }
  return tensors_.back().data();
}

template <class T>
void TrainingPass<T>::back_through_convolution(int l, const std::vector<T>& parameters,
                                               std::vector<T>& gradient) {
  const Layer& layer = plan_.layers[size_t(l)];
  const std::vector<T>& gy = gradients_[size_t(l + 1)];
  const T* g = gy.data();
  if (layer.has_relu) {
    const std::vector<T>& y =
        activations_[size_t(l)].empty() ? tensors_[size_t(l + 1)] : activations_[size_t(l)];
    const std::ptrdiff_t n = static_cast<std::ptrdiff_t>(gy.size());
    T* const out = before_activation_.data();
    for (std::ptrdiff_t i = 0; i < n; ++i) out[i] = y[size_t(i)] > T(0) ? gy[size_t(i)] : T(0);
    g = out;
  }
  detail::Convolution<T> a;
  a.grid = grid_of(l + 1);
  a.inputs = plan_.channels_of(layer.input);
  a.outputs = layer.channels;
  a.width = layer.width;
  a.x = tensors_[size_t(layer.input)].data();
  const size_t first = plan_.first_parameter(l);
  detail::add_parameter_gradients(
      a, g, gradient.data() + first,
      layer.has_bias ? gradient.data() + first + plan_.num_weights(l) : nullptr);

  detail::pack_weights(parameters.data() + first, a.inputs, a.outputs, a.extent(2), a.extent(1),
                       a.extent(0), true, packed_.data());
  detail::Convolution<T> adjoint;
  adjoint.grid = a.grid;
  adjoint.inputs = a.outputs;
  adjoint.outputs = a.inputs;
  adjoint.width = a.width;
  adjoint.x = g;
  adjoint.weights = packed_.data();
  adjoint.y = gradients_[size_t(layer.input)].data();
  adjoint.s = adjoint.y;
  detail::convolve(adjoint, 0, adjoint.grid.cells[2]);
}

template <class T>
void TrainingPass<T>::backward(const std::vector<T>& parameters, std::vector<T>& gradient) {
  for (int l = static_cast<int>(plan_.layers.size()) - 1; l >= 0; --l) {
    const Layer& layer = plan_.layers[size_t(l)];
    if (layer.skip >= 0) accumulate(gradients_[size_t(l + 1)], gradients_[size_t(layer.skip)]);
    if (layer.kind == Layer::Kind::convolution) {
      back_through_convolution(l, parameters, gradient);
      continue;
    }
    const PaddedGrid& from = grid_of(layer.input);
    const PaddedGrid& to = grid_of(l + 1);
    for (int c = 0; c < layer.channels; ++c) {
      const T* const gy = gradients_[size_t(l + 1)].data() + c * to.channel();
      T* const gx = gradients_[size_t(layer.input)].data() + c * from.channel();
      if (layer.kind == Layer::Kind::pool)
        detail::add_pool_gradient(from, to, gy, gx);
      else
        detail::add_upsample_gradient(to, from, gy, gx);
    }
  }
}

template class TrainingPass<float>;
template class TrainingPass<double>;

}  // namespace libsolve::learn
