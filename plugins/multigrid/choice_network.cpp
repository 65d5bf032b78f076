#include "choice_network.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>

namespace multigrid {
namespace {

libsolve::Value names_of_settings() {
  std::vector<std::string> names;
  for (int s = 0; s < num_settings; ++s) names.push_back(setting(s).name);
  return libsolve::detail::to_value(names);
}

constexpr int in = num_features, mid = ChoiceNetwork::hidden, out = num_settings;
constexpr int b1_at = mid * in, w2_at = b1_at + mid, b2_at = w2_at + out * mid;

}  // namespace

ChoiceNetwork::ChoiceNetwork(std::uint64_t seed) {
  const libsolve::RandomStream stream(seed, "multigrid::first_weights");
  for (int i = 0; i < b1_at; ++i) parameters_[i] = stream.normal(i) / std::sqrt(double(in));
  for (int i = w2_at; i < b2_at; ++i) parameters_[i] = 0.3 * stream.normal(i) / std::sqrt(double(mid));
  deviation_.fill(1.0);
}

ChoiceNetwork::ChoiceNetwork(const libsolve::Weights& w) {
  libsolve::require_network(w, name);
  const libsolve::Value* settings = w.options.find("settings");
  if (settings == nullptr || settings->to_text() != names_of_settings().to_text())
    throw libsolve::InputError(
        {.file = w.file, .line = 0, .column = 0}, "settings",
        "are " + (settings == nullptr ? std::string("missing") : settings->to_text()) +
            ", this libsolve chooses between " + names_of_settings().to_text() +
            "; train the weights again: libsolve train data/learned/learned-multigrid.toml");
  const auto read = [&](const char* array, const std::vector<libsolve::GlobalIndex>& shape,
                        double* to) {
    const auto& values = w.array(array, shape).values;
    std::copy(values.begin(), values.end(), to);
  };
  read("hidden/weight", {mid, in}, parameters_.data());
  read("hidden/bias", {mid}, parameters_.data() + b1_at);
  read("cost/weight", {out, mid}, parameters_.data() + w2_at);
  read("cost/bias", {out}, parameters_.data() + b2_at);
  read("features/mean", {in}, mean_.data());
  read("features/deviation", {in}, deviation_.data());
}

libsolve::Weights ChoiceNetwork::weights() const {
  libsolve::Weights w;
  w.network = name;
  w.options.set("hidden", mid);
  w.options.set("features", in);
  w.options.set("settings", names_of_settings());
  const auto at = [&](int first, int count) {
    return std::vector<double>(parameters_.begin() + first, parameters_.begin() + first + count);
  };
  w.arrays = {{"hidden/weight", {mid, in}, at(0, mid * in)},
              {"hidden/bias", {mid}, at(b1_at, mid)},
              {"cost/weight", {out, mid}, at(w2_at, out * mid)},
              {"cost/bias", {out}, at(b2_at, out)},
              {"features/mean", {in}, {mean_.begin(), mean_.end()}},
              {"features/deviation", {in}, {deviation_.begin(), deviation_.end()}}};
  return w;
}

ChoiceNetwork::Layers ChoiceNetwork::layers() const {
  const double* p = parameters_.data();
  return {p, p + b1_at, p + w2_at, p + b2_at};
}

Features ChoiceNetwork::scaled(const Features& f) const {
  Features g;
  for (int i = 0; i < in; ++i) g[i] = std::clamp((f[i] - mean_[i]) / deviation_[i], -4.0, 4.0);
  return g;
}

void ChoiceNetwork::scale_by(const std::vector<Features>& all) {
  for (int i = 0; i < in; ++i) {
    double sum = 0, squares = 0;
    for (const Features& f : all) sum += f[i];
    mean_[i] = sum / double(all.size());
    for (const Features& f : all) squares += (f[i] - mean_[i]) * (f[i] - mean_[i]);
    deviation_[i] = std::max(0.02, std::sqrt(squares / double(all.size())));
  }
}

ChoiceNetwork::Costs ChoiceNetwork::operator()(const Features& f) const {
  const Layers l = layers();
  const Features g = scaled(f);
  Costs c;
  std::copy(l.b2, l.b2 + out, c.begin());
  for (int h = 0; h < mid; ++h) {
    double a = l.b1[h];
    for (int i = 0; i < in; ++i) a += l.w1[h * in + i] * g[i];
    const double t = std::tanh(a);
    for (int s = 0; s < out; ++s) c[s] += l.w2[s * mid + h] * t;
  }
  return c;
}

double ChoiceNetwork::add_gradient(const Features& f, const Costs& target, const Costs& weight,
                                   std::vector<double>& gradient) const {
  const Layers l = layers();
  const Features g = scaled(f);
  std::array<double, mid> t{}, back{};
  Costs c;
  std::copy(l.b2, l.b2 + out, c.begin());
  for (int h = 0; h < mid; ++h) {
    double a = l.b1[h];
    for (int i = 0; i < in; ++i) a += l.w1[h * in + i] * g[i];
    t[h] = std::tanh(a);
    for (int s = 0; s < out; ++s) c[s] += l.w2[s * mid + h] * t[h];
  }
  double loss = 0;
  for (int s = 0; s < out; ++s) {
    const double gap = c[s] - target[s];
    loss += 0.5 * weight[s] * gap * gap;
    const double d = weight[s] * gap;
    gradient[b2_at + s] += d;
    for (int h = 0; h < mid; ++h) {
      gradient[w2_at + s * mid + h] += d * t[h];
      back[h] += d * l.w2[s * mid + h];
    }
  }
  for (int h = 0; h < mid; ++h) {
    const double d = back[h] * (1 - t[h] * t[h]);
    gradient[b1_at + h] += d;
    for (int i = 0; i < in; ++i) gradient[h * in + i] += d * g[i];
  }
  return loss;
}

}  // namespace multigrid
