#include "beta.hpp"

#include <cmath>

namespace sequences {

namespace {

/// Places of the stream that one variate may use; each trial takes two and succeeds with > 95 %.
constexpr std::uint64_t places = 128;

double gamma_variate(const libsolve::RandomStream& stream, std::uint64_t first, double shape) {
  // Gamma(s) = Gamma(s + 1) U^(1/s)
  const double boost = shape < 1.0 ? std::pow(1.0 - stream.uniform(first), 1.0 / shape) : 1.0;
  const double d = (shape < 1.0 ? shape + 1.0 : shape) - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (std::uint64_t k = first + 1; k + 1 < first + places / 2; k += 2) {
    const double z = stream.normal(k);
    const double v = std::pow(1.0 + c * z, 3);
    if (v <= 0.0) continue;
    const double u = 1.0 - stream.uniform(k + 1);
    if (std::log(u) < 0.5 * z * z + d - d * v + d * std::log(v)) return d * v * boost;
  }
  return d * boost;  // after 31 refusals: probability below 1e-40
}

}  // namespace

double beta_variate(const libsolve::RandomStream& stream, std::uint64_t index, double a, double b) {
  const double x = gamma_variate(stream, places * index, a);
  const double y = gamma_variate(stream, places * index + places / 2, b);
  return x / (x + y);
}

}  // namespace sequences
