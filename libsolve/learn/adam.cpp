#include <cmath>
#include <libsolve/learn/adam.hpp>

namespace libsolve::learn {

namespace {
constexpr double decay_m = 0.9;
constexpr double decay_v = 0.999;
constexpr double smallest_root = 1e-8;
constexpr double pi = 3.14159265358979323846;
}  // namespace

Adam::Adam(const AdamOptions& options, std::size_t num_parameters)
    : options_(options), m_(num_parameters, 0.0), v_(num_parameters, 0.0) {}

double Adam::rate(std::int64_t k) const {
  const AdamOptions& o = options_;
  const double at = static_cast<double>(k + 1);
  if (k < o.warm_up) return o.learning_rate * at / o.warm_up;
  const double begin = o.decay_begin * o.steps;
  if (at <= begin || o.steps <= begin) return o.learning_rate;
  const double t = std::min((at - begin) / (o.steps - begin), 1.0);
  return o.learning_rate * (o.decay_to + (1.0 - o.decay_to) * 0.5 * (1.0 + std::cos(pi * t)));
}

double Adam::step(std::int64_t k, const std::vector<double>& gradient,
                  std::vector<float>& parameters) {
  double squared = 0.0;
  for (const double g : gradient) squared += g * g;
  const double norm = std::sqrt(squared);
  if (!std::isfinite(norm)) return norm;
  const double factor = norm > options_.clip ? options_.clip / norm : 1.0;
  const double r = rate(k);
  const double unbias_m = 1.0 / (1.0 - std::pow(decay_m, static_cast<double>(k + 1)));
  const double unbias_v = 1.0 / (1.0 - std::pow(decay_v, static_cast<double>(k + 1)));
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double g = factor * gradient[i];
    m_[i] = decay_m * m_[i] + (1.0 - decay_m) * g;
    v_[i] = decay_v * v_[i] + (1.0 - decay_v) * g * g;
    const double change = r * unbias_m * m_[i] / (std::sqrt(unbias_v * v_[i]) + smallest_root);
    parameters[i] = static_cast<float>(parameters[i] - change);
  }
  return norm;
}

std::vector<NamedArray> Adam::state() const {
  const std::vector<GlobalIndex> shape = {static_cast<GlobalIndex>(m_.size())};
  return {{"adam/m", shape, m_}, {"adam/v", shape, v_}};
}

void Adam::resume(const Weights& state) {
  const std::vector<GlobalIndex> shape = {static_cast<GlobalIndex>(m_.size())};
  m_ = state.array("adam/m", shape).values;
  v_ = state.array("adam/v", shape).values;
}

}  // namespace libsolve::learn
