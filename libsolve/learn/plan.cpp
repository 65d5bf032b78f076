#include <algorithm>
#include <cmath>
#include <libsolve/learn/plan.hpp>

namespace libsolve::learn {

namespace {

bool is_convolution(const Layer& l) {
  return l.kind == Layer::Kind::convolution;
}

/// Layers that read tensor t, as input or as skip.
int num_readers(const Plan& plan, int t) {
  int count = 0;
  for (const Layer& l : plan.layers) count += (l.input == t ? 1 : 0) + (l.skip == t ? 1 : 0);
  return count;
}

template <class T>
struct Kernel {
  std::vector<T> weights;
  std::vector<T> biases;
};

template <class T>
std::vector<Kernel<T>> split(const Network<T>& n) {
  std::vector<Kernel<T>> kernels(n.plan.layers.size());
  for (size_t l = 0; l < kernels.size(); ++l) {
    const int layer = static_cast<int>(l);
    const auto begin =
        n.parameters.begin() + static_cast<std::ptrdiff_t>(n.plan.first_parameter(layer));
    const auto middle = begin + static_cast<std::ptrdiff_t>(n.plan.num_weights(layer));
    kernels[l].weights.assign(begin, middle);
    if (n.plan.layers[l].has_bias)
      kernels[l].biases.assign(middle, middle + n.plan.layers[l].channels);
  }
  return kernels;
}

/// second after first, first of any width and linear, second 1 x 1 x 1.
template <class T>
Kernel<T> product(const Kernel<T>& first, int inputs, int middle, int taps, const Kernel<T>& second,
                  int outputs) {
  Kernel<T> k;
  k.weights.assign(size_t(outputs) * size_t(inputs) * size_t(taps), T(0));
  for (int o = 0; o < outputs; ++o)
    for (int m = 0; m < middle; ++m)
      for (int e = 0; e < inputs * taps; ++e)
        k.weights[size_t(o) * size_t(inputs * taps) + size_t(e)] +=
            second.weights[size_t(o * middle + m)] *
            first.weights[size_t(m) * size_t(inputs * taps) + size_t(e)];
  k.biases = second.biases;
  if (!first.biases.empty()) {
    k.biases.resize(size_t(outputs), T(0));
    for (int o = 0; o < outputs; ++o)
      for (int m = 0; m < middle; ++m)
        k.biases[size_t(o)] += second.weights[size_t(o * middle + m)] * first.biases[size_t(m)];
  }
  return k;
}

}  // namespace

int Plan::add(Layer layer) {
  layers.push_back(std::move(layer));
  return static_cast<int>(layers.size());
}
int Plan::channels_of(int tensor) const {
  return tensor == 0 ? 1 : layers[size_t(tensor - 1)].channels;
}
int Plan::level_of(int tensor) const {
  return tensor == 0 ? 0 : layers[size_t(tensor - 1)].level;
}
int Plan::num_levels() const {
  int levels = 1;
  for (const Layer& l : layers) levels = std::max(levels, l.level + 1);
  return levels;
}
int Plan::taps(const Layer& layer) const {
  int taps = 1;
  for (int a = 0; a < dimension; ++a) taps *= layer.width;
  return taps;
}
std::size_t Plan::num_weights(int layer) const {
  const Layer& l = layers[size_t(layer)];
  return is_convolution(l) ? size_t(l.channels) * size_t(channels_of(l.input)) * size_t(taps(l))
                           : 0;
}
std::size_t Plan::first_parameter(int layer) const {
  std::size_t first = 0;
  for (int l = 0; l < layer; ++l)
    first += num_weights(l) + (layers[size_t(l)].has_bias ? size_t(layers[size_t(l)].channels) : 0);
  return first;
}
std::size_t Plan::num_parameters() const {
  return first_parameter(static_cast<int>(layers.size()));
}
bool Plan::has_bias() const {
  return std::any_of(layers.begin(), layers.end(), [](const Layer& l) { return l.has_bias; });
}
bool Plan::is_linear() const {
  return !has_bias() &&
         std::none_of(layers.begin(), layers.end(), [](const Layer& l) { return l.has_relu; });
}
double Plan::multiply_adds_per_cell() const {
  double sum = 0.0;
  for (size_t l = 0; l < layers.size(); ++l)
    sum += static_cast<double>(num_weights(static_cast<int>(l))) *
           std::pow(0.5, dimension * layers[l].level);
  return sum;
}
std::vector<PaddedGrid> Plan::grids(std::array<int, 3> cells) const {
  std::vector<PaddedGrid> all = {PaddedGrid(dimension, cells)};
  while (static_cast<int>(all.size()) < num_levels()) all.push_back(all.back().coarser());
  return all;
}

template <class T>
Network<T> fused(const Network<T>& network) {
  Plan plan = network.plan;
  std::vector<Kernel<T>> kernels = split(network);
  for (size_t l = 0; l < plan.layers.size(); ++l) {
    Layer& layer = plan.layers[l];
    if (!is_convolution(layer) || layer.has_relu || layer.skip != layer.input) continue;
    // x + conv(x): the unit matrix is added in the middle of the kernel.
    const int taps = plan.taps(layer);
    for (int c = 0; c < layer.channels; ++c)
      kernels[l].weights[size_t((c * layer.channels + c) * taps + taps / 2)] += T(1);
    layer.skip = -1;
  }
  for (size_t l = 1; l < plan.layers.size(); ++l) {
    Layer& layer = plan.layers[l];
    Layer& before = plan.layers[l - 1];
    if (!is_convolution(layer) || layer.width != 1 || layer.input != static_cast<int>(l) ||
        !is_convolution(before) || before.has_relu || before.skip >= 0 ||
        num_readers(plan, layer.input) != 1)
      continue;
    kernels[l] = product(kernels[l - 1], plan.channels_of(before.input), before.channels,
                         plan.taps(before), kernels[l], layer.channels);
    layer.width = before.width;
    layer.input = before.input;
    layer.has_bias = !kernels[l].biases.empty();
    plan.layers.erase(plan.layers.begin() + static_cast<std::ptrdiff_t>(l - 1));
    kernels.erase(kernels.begin() + static_cast<std::ptrdiff_t>(l - 1));
    for (Layer& other : plan.layers) {  // tensor l is gone
      if (other.input > static_cast<int>(l)) --other.input;
      if (other.skip > static_cast<int>(l)) --other.skip;
    }
    --l;
  }
  Network<T> result;
  result.plan = std::move(plan);
  for (const Kernel<T>& k : kernels) {
    result.parameters.insert(result.parameters.end(), k.weights.begin(), k.weights.end());
    result.parameters.insert(result.parameters.end(), k.biases.begin(), k.biases.end());
  }
  return result;
}

template Network<float> fused(const Network<float>&);
template Network<double> fused(const Network<double>&);

}  // namespace libsolve::learn
