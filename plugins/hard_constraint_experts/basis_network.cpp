#include "basis_network.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/options.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/text.hpp>

namespace hard_constraint_experts {

namespace {

/// Nodes that go through the network together; rows of arrays [unit][node].
constexpr int block = 32;
/// Parts of the grid with sums of their own.
constexpr int num_parts = 16;

using Row = double[block];

/// z = W x + b.
[[gnu::noinline]] void affine(const double* W, const double* bias, int inputs, int outputs,
                              const Row* x, Row* z) {
  for (int o = 0; o < outputs; ++o) {
    double* const out = z[o];
    for (int p = 0; p < block; ++p) out[p] = bias[o];
    for (int i = 0; i < inputs; ++i) {
      const double weight = W[o * inputs + i];
      const double* const in = x[i];
      for (int p = 0; p < block; ++p) out[p] += weight * in[p];
    }
  }
}

/// z becomes a(z), slope a'(z) = (1 + z^2)^(-3/2).
[[gnu::noinline]] void activate(int units, Row* z, Row* slope) {
  for (int o = 0; o < units; ++o) {
    double *const v = z[o], *const s = slope[o];
    for (int p = 0; p < block; ++p) {
      const double inverse = 1.0 / std::sqrt(1.0 + v[p] * v[p]);
      v[p] *= inverse;
      s[p] = inverse * inverse * inverse;
    }
  }
}

/// dz: derivatives by z = W x + b; adds those by W and b, and puts those by x into dx (null: none).
[[gnu::noinline]] void affine_adjoint(const double* W, int inputs, int outputs, const Row* x,
                                      const Row* dz, double* dW, double* dbias, Row* dx) {
  for (int o = 0; o < outputs; ++o) {
    const double* const d = dz[o];
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (int p = 0; p < block; ++p) sum += d[p];
    dbias[o] += sum;
    for (int i = 0; i < inputs; ++i) {
      const double* const in = x[i];
      double product = 0.0;
#pragma omp simd reduction(+ : product)
      for (int p = 0; p < block; ++p) product += d[p] * in[p];
      dW[o * inputs + i] += product;
    }
  }
  if (dx == nullptr) return;
  for (int i = 0; i < inputs; ++i) {
    double* const out = dx[i];
    for (int p = 0; p < block; ++p) out[p] = 0.0;
    for (int o = 0; o < outputs; ++o) {
      const double weight = W[o * inputs + i];
      const double* const d = dz[o];
      for (int p = 0; p < block; ++p) out[p] += weight * d[p];
    }
  }
}

[[gnu::noinline]] void times(int units, const Row* slope, Row* d) {
  for (int o = 0; o < units; ++o)
    for (int p = 0; p < block; ++p) d[o][p] *= slope[o][p];
}

struct Inputs {
  SorptionGrid grid;
  double spread;
  explicit Inputs(const SorptionGrid& g)
      : grid(g), spread(4.0 * g.law.diffusivity / g.law.retardation(1.0)) {}
  double front(double distance, double t) const {
    return 2.0 * distance /
               std::sqrt(distance * distance + spread * (t + grid.final_time / 200.0)) -
           1.0;
  }
  /// Of nodes first, ..., those beyond `end` as the last.
  void operator()(std::size_t first, std::size_t end, Row* x) const {
    const auto nodes = static_cast<std::size_t>(grid.size + 1);
    for (int p = 0; p < block; ++p) {
      const std::size_t node = std::min(first + static_cast<std::size_t>(p), end - 1);
      const double place = static_cast<double>(node % nodes) * grid.width();
      const double t = static_cast<double>(node / nodes) * grid.time_step();
      x[0][p] = 2.0 * place - 1.0;
      x[1][p] = 2.0 * t / grid.final_time - 1.0;
      x[2][p] = 2.0 * grid.initial - 1.0;
      x[3][p] = front(place, t);
      x[4][p] = front(1.0 - place, t);
      x[5][p] = 2.0 * std::log1p(200.0 * t / grid.final_time) / std::log(201.0) - 1.0;
    }
  }
};

/// Values of all layers for one block; tensor 0 is the input.
struct Pass {
  std::vector<int> widths;
  std::vector<std::vector<double>> values, slopes, changes;
  explicit Pass(const std::vector<int>& w) : widths(w) {
    for (const int width : w) {
      const auto entries = static_cast<std::size_t>(width) * block;
      values.emplace_back(entries);
      slopes.emplace_back(entries);
      changes.emplace_back(entries);
    }
  }
  static Row* rows(std::vector<double>& v) { return reinterpret_cast<Row*>(v.data()); }

  void forward(const std::vector<double>& parameters, const std::vector<std::size_t>& first) {
    for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
      const double* const W = parameters.data() + first[l];
      affine(W, W + widths[l] * widths[l + 1], widths[l], widths[l + 1], rows(values[l]),
             rows(values[l + 1]));
      if (l + 2 < widths.size()) activate(widths[l + 1], rows(values[l + 1]), rows(slopes[l + 1]));
    }
  }
  void backward(const std::vector<double>& parameters, const std::vector<std::size_t>& first,
                double* gradient) {
    for (std::size_t l = widths.size() - 1; l-- > 0;) {
      const double* const W = parameters.data() + first[l];
      double* const dW = gradient + first[l];
      affine_adjoint(W, widths[l], widths[l + 1], rows(values[l]), rows(changes[l + 1]), dW,
                     dW + widths[l] * widths[l + 1], l == 0 ? nullptr : rows(changes[l]));
      if (l > 0) times(widths[l], rows(slopes[l]), rows(changes[l]));
    }
  }
};

/// body(part, pass, first node, end) for all blocks.
template <class Body>
void for_blocks(const SorptionGrid& grid, const std::vector<int>& widths, const Body& body) {
  const std::size_t nodes = grid.num_nodes();
  const std::size_t blocks = (nodes + block - 1) / block;
  const Inputs inputs(grid);
  Kokkos::parallel_for(
      "hard_constraint_experts::network",
      Kokkos::RangePolicy<Host>(Host(), 0, num_parts, Kokkos::ChunkSize(1)), [&](int part) {
        Pass pass(widths);
        const auto p = static_cast<std::size_t>(part);
        for (std::size_t b = p * blocks / num_parts; b < (p + 1) * blocks / num_parts; ++b) {
          const std::size_t begin = b * block, end = std::min(nodes, begin + block);
          inputs(begin, end, Pass::rows(pass.values[0]));
          body(part, pass, begin, end);
        }
      });
  Host().fence();
}

}  // namespace

BasisNetwork::BasisNetwork(const NetworkOptions& options, std::uint64_t seed) : options_(options) {
  parameters_.resize(first(num_layers()));
  const RandomStream stream(seed, "hard_constraint_experts::weights");
  for (int l = 0; l < num_layers(); ++l) {
    const double bound = std::sqrt(6.0 / (width(l) + width(l + 1)));
    const std::size_t begin = first(l), count = static_cast<std::size_t>(width(l) * width(l + 1));
    for (std::size_t p = begin; p < begin + count; ++p)
      parameters_[p] = static_cast<float>(stream.uniform(p, -bound, bound));
  }
}

BasisNetwork::BasisNetwork(const Weights& weights) {
  require_network(weights, "hard-constraint-experts");
  Diagnostics problems;
  options_ = parse_options<NetworkOptions>(weights.options, "weights.options.",
                                           "the weights " + weights.file, problems);
  problems.throw_if_any();
  parameters_.resize(first(num_layers()));
  take(weights);
}

int BasisNetwork::width(int layer) const {
  if (layer == 0) return num_inputs;
  return layer == num_layers() ? options_.functions : options_.hidden;
}

std::size_t BasisNetwork::first(int layer) const {
  std::size_t sum = 0;
  for (int l = 0; l < layer; ++l) sum += static_cast<std::size_t>((width(l) + 1) * width(l + 1));
  return sum;
}

void BasisNetwork::evaluate(const SorptionGrid& grid, const Basis& basis) const {
  std::vector<int> widths;
  std::vector<std::size_t> firsts;
  for (int l = 0; l <= num_layers(); ++l) {
    widths.push_back(width(l));
    firsts.push_back(first(l));
  }
  const std::vector<double> parameters = in_double();
  for_blocks(grid, widths, [&](int, Pass& pass, std::size_t begin, std::size_t end) {
    pass.forward(parameters, firsts);
    const Row* const out = Pass::rows(pass.values.back());
    for (std::size_t node = begin; node < end; ++node)
      for (int l = 0; l < options_.functions; ++l) basis(node, l) = out[l][node - begin];
  });
}

void BasisNetwork::add_gradient(const SorptionGrid& grid, const Basis& by_basis,
                                std::vector<double>& gradient) const {
  std::vector<int> widths;
  std::vector<std::size_t> firsts;
  for (int l = 0; l <= num_layers(); ++l) {
    widths.push_back(width(l));
    firsts.push_back(first(l));
  }
  const std::vector<double> parameters = in_double();
  std::vector<std::vector<double>> parts(num_parts, std::vector<double>(parameters.size(), 0.0));
  for_blocks(grid, widths, [&](int part, Pass& pass, std::size_t begin, std::size_t end) {
    pass.forward(parameters, firsts);
    Row* const change = Pass::rows(pass.changes.back());
    for (int l = 0; l < options_.functions; ++l)
      for (std::size_t p = 0; p < block; ++p)
        change[l][p] = begin + p < end ? by_basis(begin + p, l) : 0.0;
    pass.backward(parameters, firsts, parts[static_cast<std::size_t>(part)].data());
  });
  for (const auto& part : parts)
    for (std::size_t p = 0; p < part.size(); ++p) gradient[p] += part[p];
}

std::vector<NamedArray> BasisNetwork::arrays() const {
  std::vector<NamedArray> all;
  for (int l = 0; l < num_layers(); ++l) {
    const std::string name = "layer" + std::to_string(l);
    const auto* const W = parameters_.data() + first(l);
    const int count = width(l) * width(l + 1);
    all.push_back({name + "/weight", {width(l + 1), width(l)}, {W, W + count}});
    all.push_back({name + "/bias", {width(l + 1)}, {W + count, W + count + width(l + 1)}});
  }
  return all;
}

void BasisNetwork::take(const Weights& from) {
  for (int l = 0; l < num_layers(); ++l) {
    const std::string name = "layer" + std::to_string(l);
    auto* to = parameters_.data() + first(l);
    for (const double v : from.array(name + "/weight", {width(l + 1), width(l)}).values)
      *to++ = static_cast<float>(v);
    for (const double v : from.array(name + "/bias", {width(l + 1)}).values)
      *to++ = static_cast<float>(v);
  }
}

Weights BasisNetwork::weights() const {
  Weights w;
  w.network = "hard-constraint-experts";
  w.options = options_to_value(options_);
  w.arrays = arrays();
  return w;
}

NamedArray TrainedRange::array() const {
  return {"trained_range",
          {6},
          {law.diffusivity, law.capacity(), law.exponent, final_time, initial_low, initial_high}};
}

TrainedRange TrainedRange::of(const Weights& weights) {
  const std::vector<double>& v = weights.array("trained_range", {6}).values;
  TrainedRange range;
  range.law.diffusivity = v[0];
  range.law.freundlich *= v[1] / range.law.capacity();
  range.law.exponent = v[2];
  range.final_time = v[3];
  range.initial_low = v[4];
  range.initial_high = v[5];
  return range;
}

std::string TrainedRange::what_differs(const SorptionGrid& grid) const {
  std::string text;
  const auto add = [&](const char* name, double value, double trained) {
    if (std::abs(value - trained) <= 1e-6 * std::abs(trained)) return;
    text += (text.empty() ? "" : ", ") + std::string(name) + " = " + format_number(value) +
            " (trained: " + short_number(trained) + ")";
  };
  if (!(grid.initial >= initial_low && grid.initial <= initial_high))
    text = "u(x, 0) = " + format_number(grid.initial) + " (trained: " + format_number(initial_low) +
           " to " + format_number(initial_high) + ")";
  add("D", grid.law.diffusivity, law.diffusivity);
  add("K", grid.law.capacity(), law.capacity());
  add("n_f", grid.law.exponent, law.exponent);
  add("T", grid.final_time, final_time);
  return text;
}

void evaluate_chebyshev(const SorptionGrid& grid, int in_space, int in_time, const Basis& basis) {
  const auto polynomial = [](int degree, double x) {
    double before = 1.0, now = x;
    for (int k = 1; k < degree; ++k) {
      const double next = 2.0 * x * now - before;
      before = now;
      now = next;
    }
    return degree == 0 ? 1.0 : now;
  };
  for (int n = 0; n <= grid.steps; ++n)
    for (int i = 0; i <= grid.size; ++i) {
      const std::size_t node = grid.node(n, i);
      const double x = 2.0 * i / grid.size - 1.0, t = 2.0 * n / grid.steps - 1.0;
      for (int b = 0; b < in_time; ++b)
        for (int a = 0; a < in_space; ++a)
          basis(node, b * in_space + a) = polynomial(a, x) * polynomial(b, t);
    }
}

}  // namespace hard_constraint_experts
