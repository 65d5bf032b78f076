#include "convex_network.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>

namespace learned_proximal {

namespace {

constexpr std::size_t taps = 9;

}  // namespace

void ConvexNetworkOptions::describe(Fields<ConvexNetworkOptions>& f) {
  using O = ConvexNetworkOptions;
  f.add("channels", &O::channels, Range::closed(1, 128), "C, of each layer");
  f.add("layers", &O::layers, Range::closed(1, 16), "K; cells up to 2 K apart see each other");
  f.add("beta", &O::beta, Range::above(0.0), "of the softplus log(1 + exp(beta t)) / beta");
  f.add("alpha", &O::alpha, Range::open(0.0, 1.0),
        "of alpha/2 |x|^2: what is left of a perturbation at least; makes the operator invertible");
}

ConvexNetwork::ConvexNetwork(const ConvexNetworkOptions& options) : options_(options) {}

std::size_t ConvexNetwork::input_weights(int k) const {
  const auto C = static_cast<std::size_t>(channels()), at = static_cast<std::size_t>(k);
  return at * (taps + 1) * C + (k > 1 ? (at - 1) * taps * C * C : 0);
}

std::size_t ConvexNetwork::biases(int k) const {
  return input_weights(k) + taps * static_cast<std::size_t>(channels());
}

std::size_t ConvexNetwork::hidden_weights(int k) const {
  return biases(k) + static_cast<std::size_t>(channels());
}

std::size_t ConvexNetwork::readout_weights() const {
  return input_weights(layers());
}

std::size_t ConvexNetwork::num_parameters() const {
  return readout_weights() + static_cast<std::size_t>(channels());
}

double ConvexNetwork::multiply_adds_per_cell() const {
  const double C = channels(), K = layers();
  return 2.0 * static_cast<double>(taps) * (K * C + (K - 1.0) * C * C);
}

std::vector<ConvexNetwork::Part> ConvexNetwork::parts() const {
  const auto C = static_cast<std::size_t>(channels());
  const auto c = static_cast<GlobalIndex>(C);
  std::vector<Part> all;
  for (int k = 0; k < layers(); ++k) {
    const std::string layer = "layer" + std::to_string(k + 1) + "/";
    all.push_back({layer + "input", {c, 1, 3, 3}, input_weights(k), taps * C, false});
    all.push_back({layer + "bias", {c}, biases(k), C, false});
    if (k > 0)
      all.push_back({layer + "hidden", {c, c, 3, 3}, hidden_weights(k), taps * C * C, true});
  }
  all.push_back({"readout", {c}, readout_weights(), C, true});
  return all;
}

std::vector<float> ConvexNetwork::initial_parameters(std::uint64_t seed) const {
  const RandomStream stream(seed, "learned_proximal::parameters");
  std::vector<float> p(num_parameters());
  const auto C = static_cast<std::size_t>(channels());
  for (const Part& part : parts())
    for (std::size_t i = 0; i < part.size; ++i) {
      const std::size_t at = part.first + i;
      double value = 0.0;
      if (part.name == "readout") {
        value = 1.0 / static_cast<double>(C);
      } else if (part.is_positive) {
        // Few are large; those of a channel sum up to about 1.
        const double u = stream.uniform(at);
        value = 2.0 * u * u * u / static_cast<double>(taps * C);
        const std::size_t tap = i % taps, o = i / (taps * C), from = i / taps % C;
        if (tap == taps / 2 && o == from) value += 0.5;
      } else if (part.shape.size() == 1) {
        value = 0.1 * stream.normal(at);
      } else {
        value = stream.normal(at) / std::sqrt(static_cast<double>(taps));
      }
      p[at] = static_cast<float>(value);
    }
  return p;
}

std::vector<float> ConvexNetwork::units() const {
  std::vector<float> units(num_parameters());
  const double C = channels();
  for (const Part& part : parts()) {
    double size = 0.25;
    if (part.is_positive)
      size = part.name == "readout" ? 1.0 / C : 4.0 / (static_cast<double>(taps) * C);
    const double unit = std::exp2(std::round(std::log2(size)));
    for (std::size_t i = part.first; i < part.first + part.size; ++i)
      units[i] = static_cast<float>(unit);
  }
  return units;
}

std::vector<float> ConvexNetwork::turned(const std::vector<float>& parameters, int symmetry) const {
  std::vector<float> result = parameters;
  for (const Part& part : parts()) {
    if (part.shape.size() != 4) continue;
    for (std::size_t kernel = part.first; kernel < part.first + part.size; kernel += taps)
      for (std::size_t y = 0; y < 3; ++y)
        for (std::size_t x = 0; x < 3; ++x) {
          std::size_t a = symmetry % 2 == 0 ? x : 2 - x, b = symmetry / 2 % 2 == 0 ? y : 2 - y;
          if (symmetry >= 4) std::swap(a, b);
          result[kernel + 3 * y + x] = parameters[kernel + 3 * b + a];
        }
  }
  return result;
}

void ConvexNetwork::make_convex(std::vector<float>& parameters) const {
  for (const Part& part : parts())
    if (part.is_positive)
      for (std::size_t i = part.first; i < part.first + part.size; ++i)
        parameters[i] = std::max(parameters[i], 0.0F);
}

std::vector<NamedArray> ConvexNetwork::to_arrays(const std::vector<float>& parameters) const {
  std::vector<NamedArray> arrays;
  for (const Part& part : parts()) {
    const auto first = parameters.begin() + static_cast<std::ptrdiff_t>(part.first);
    arrays.push_back(
        {part.name, part.shape, {first, first + static_cast<std::ptrdiff_t>(part.size)}});
  }
  return arrays;
}

std::vector<float> ConvexNetwork::from_arrays(const Weights& weights) const {
  std::vector<float> p(num_parameters());
  for (const Part& part : parts()) {
    const NamedArray& array = weights.array(part.name, part.shape);
    for (std::size_t i = 0; i < part.size; ++i) {
      if (part.is_positive && array.values[i] < 0.0)
        throw InputError(
            {.file = weights.file.empty() ? "weights" : weights.file, .line = 0, .column = 0},
            "weights/" + part.name,
            "an entry is " + std::to_string(array.values[i]) +
                ", and the network is convex with entries >= 0 only; the file is damaged: "
                "train again with libsolve train");
      p[part.first + i] = static_cast<float>(array.values[i]);
    }
  }
  return p;
}

}  // namespace learned_proximal
