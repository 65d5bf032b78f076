#include <cmath>
#include <libsolve/core/random.hpp>
#include <libsolve/learn/network_weights.hpp>

namespace libsolve::learn {

namespace {

std::vector<GlobalIndex> weight_shape(const Plan& plan, const Layer& layer) {
  std::vector<GlobalIndex> shape = {layer.channels, plan.channels_of(layer.input)};
  shape.insert(shape.end(), static_cast<size_t>(plan.dimension), layer.width);
  return shape;
}

}  // namespace

Network<float> initial_network(const Plan& plan, std::uint64_t seed) {
  Network<float> network;
  network.plan = plan;
  network.parameters.assign(plan.num_parameters(), 0.0f);
  const RandomStream stream(seed, "initial_weights");
  for (size_t l = 0; l < plan.layers.size(); ++l) {
    const Layer& layer = plan.layers[l];
    const size_t count = plan.num_weights(static_cast<int>(l));
    const double fans = plan.taps(layer) * (layer.channels + plan.channels_of(layer.input));
    const double bound = std::sqrt(6.0 / fans);
    const size_t first = plan.first_parameter(static_cast<int>(l));
    for (size_t i = first; i < first + count; ++i)
      network.parameters[i] = static_cast<float>(stream.uniform(i, -bound, bound));
  }
  return network;
}

std::vector<NamedArray> to_arrays(const Network<float>& network) {
  std::vector<NamedArray> arrays;
  const Plan& plan = network.plan;
  for (size_t l = 0; l < plan.layers.size(); ++l) {
    const Layer& layer = plan.layers[l];
    if (layer.kind != Layer::Kind::convolution) continue;
    const auto first = network.parameters.begin() +
                       static_cast<std::ptrdiff_t>(plan.first_parameter(static_cast<int>(l)));
    const auto end = first + static_cast<std::ptrdiff_t>(plan.num_weights(static_cast<int>(l)));
    arrays.push_back({layer.name + "/weight", weight_shape(plan, layer), {first, end}});
    if (layer.has_bias)
      arrays.push_back({layer.name + "/bias", {layer.channels}, {end, end + layer.channels}});
  }
  return arrays;
}

Network<float> from_arrays(const Plan& plan, const Weights& weights) {
  Network<float> network;
  network.plan = plan;
  for (const Layer& layer : plan.layers) {
    if (layer.kind != Layer::Kind::convolution) continue;
    for (const double v : weights.array(layer.name + "/weight", weight_shape(plan, layer)).values)
      network.parameters.push_back(static_cast<float>(v));
    if (!layer.has_bias) continue;
    for (const double v : weights.array(layer.name + "/bias", {layer.channels}).values)
      network.parameters.push_back(static_cast<float>(v));
  }
  return network;
}

}  // namespace libsolve::learn
