#include "network.hpp"

namespace dcdm {

using learn::Layer;
using learn::Plan;

void NetworkOptions::describe(Fields<NetworkOptions>& f) {
  using O = NetworkOptions;
  f.add("network", &O::network, Choices{{"u-net", "published-64", "published-128"}},
        "ours, described by the next three, or the paper's for training at 64^3 or 128^3 (16 "
        "channels, ReLU, biases)");
  f.add("channels", &O::channels, Range::closed(1, 64), "channels of the u-net, on every level");
  f.add("levels", &O::levels, Range::closed(1, 8),
        "grids of the u-net, each of half the resolution");
  f.add("activation", &O::activation, Choices{{"none", "relu"}},
        "none: a linear map; relu: max(0, .) after each residual convolution, with biases");
  f.add("normalisation", &O::normalisation, Choices{{"rms", "norm"}},
        "the network sees r scaled to root mean square 1 over open cells, or to norm 1 (as "
        "published); a linear network does not care");
}

namespace {

/// Appends layers that share channels and activation.
class Builder {
 public:
  Builder(Plan& plan, int channels, bool bias, bool relu)
      : plan_(plan), channels_(channels), bias_(bias), relu_(relu) {}

  /// A 3x3x3 convolution of tensor x plus tensor `skip`.
  int convolve(const std::string& name, int x, int skip = -1, bool activated = true) {
    return plan_.add({.kind = Layer::Kind::convolution,
                      .name = name,
                      .input = x,
                      .skip = skip,
                      .channels = channels_,
                      .level = plan_.level_of(x),
                      .width = 3,
                      .has_bias = bias_,
                      .has_relu = relu_ && activated});
  }
  /// Twice x + act(conv(x)).
  int two_residual(const std::string& name, int x) {
    const int y = convolve(name + "0", x, x);
    return convolve(name + "1", y, y);
  }
  int pool(const std::string& name, int x) {
    return plan_.add({.kind = Layer::Kind::pool,
                      .name = name,
                      .input = x,
                      .channels = channels_,
                      .level = plan_.level_of(x) + 1});
  }
  int upsample(const std::string& name, int x, int skip) {
    return plan_.add({.kind = Layer::Kind::upsample,
                      .name = name,
                      .input = x,
                      .skip = skip,
                      .channels = channels_,
                      .level = plan_.level_of(x) - 1});
  }
  void finish(int x) {
    plan_.add({.kind = Layer::Kind::convolution,
               .name = "out",
               .input = x,
               .channels = 1,
               .level = plan_.level_of(x),
               .width = 1,
               .has_bias = bias_,
               .has_relu = false});
  }

 private:
  Plan& plan_;
  int channels_;
  bool bias_;
  bool relu_;
};

void add_u_net(Plan& plan, const NetworkOptions& o) {
  const bool relu = o.activation == "relu";
  Builder net(plan, o.channels, relu, relu);
  int x = net.convolve("in", 0, -1, false);
  x = net.convolve("down0", x, x);
  std::vector<int> kept;
  for (int level = 1; level < o.levels; ++level) {
    const std::string l = std::to_string(level);
    kept.push_back(x);
    x = net.two_residual("down" + l + "_", net.pool("pool" + l, x));
  }
  if (o.levels > 1) {
    x = net.two_residual("bottom_", x);
    x = net.two_residual("up" + std::to_string(o.levels - 1) + "_", x);
  }
  for (int level = o.levels - 2; level >= 0; --level) {
    const std::string l = std::to_string(level);
    x = net.two_residual("up" + l + "_", net.upsample("upsample" + l, x, kept[size_t(level)]));
  }
  net.finish(x);
}

/// The networks of the paper's code: pairs of convolutions of which the second is added to what the
/// first started from.
void add_published(Plan& plan, bool larger) {
  Builder net(plan, 16, true, true);
  const int first = net.convolve("first", 0, -1, false);
  int a = net.convolve("fine0", first);
  int b = net.convolve("fine1", a);
  const int fine_pairs = larger ? 2 : 1, coarse_pairs = larger ? 5 : 3, up_pairs = larger ? 3 : 2;
  for (int k = 0; k < fine_pairs; ++k) {
    a = net.convolve("fine" + std::to_string(2 + 2 * k), b, a);
    b = net.convolve("fine" + std::to_string(3 + 2 * k), a);
  }
  int c = net.pool("pool", b);
  for (int k = 0; k < coarse_pairs; ++k) {
    const int d = net.convolve("coarse" + std::to_string(2 * k), c);
    c = net.convolve("coarse" + std::to_string(2 * k + 1), d, c);
  }
  int u = net.upsample("upsample", c, b);
  for (int k = 0; k < up_pairs; ++k) {
    const int d = net.convolve("up" + std::to_string(2 * k), u);
    u = net.convolve("up" + std::to_string(2 * k + 1), d, u);
  }
  net.finish(u);
}

}  // namespace

Plan make_plan(const NetworkOptions& options, int dimension) {
  Plan plan;
  plan.dimension = dimension;
  if (options.network == "u-net")
    add_u_net(plan, options);
  else
    add_published(plan, options.network == "published-128");
  return plan;
}

}  // namespace dcdm
