#include "bures_wasserstein.hpp"

#include <chrono>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <numeric>

namespace sliced {

void BuresWassersteinOptions::describe(Fields<BuresWassersteinOptions>& f) {
  f.add("relative_tolerance", &BuresWassersteinOptions::relative_tolerance, Range::above(0.0),
        "of the dual value recomputed from the problem, compared with the closed form");
}

Gaussian gaussian_of(const std::vector<double>& points, const std::vector<double>& masses,
                     std::size_t dimension) {
  const std::size_t d = dimension;
  const double total = std::accumulate(masses.begin(), masses.end(), 0.0);
  Gaussian g{std::vector<double>(d, 0.0), std::vector<double>(d * d, 0.0)};
  for (std::size_t i = 0; i < masses.size(); ++i)
    for (std::size_t k = 0; k < d; ++k) g.mean[k] += masses[i] / total * points[i * d + k];
  for (std::size_t i = 0; i < masses.size(); ++i)
    for (std::size_t k = 0; k < d; ++k)
      for (std::size_t l = 0; l < d; ++l)
        g.covariance[k * d + l] += masses[i] / total * (points[i * d + k] - g.mean[k]) *
                                   (points[i * d + l] - g.mean[l]);
  return g;
}

namespace {

/// scale * (|p'|^2 - p'^T M p' + 2 sign p'^T shift + constant) for every point p, p' = p - mean.
void store_potential(const Vector& potential, const std::vector<double>& points,
                     const Gaussian& gaussian, const std::vector<double>& M,
                     const std::vector<double>& shift, double sign, double constant, double scale) {
  const std::size_t d = gaussian.mean.size();
  const auto host = Kokkos::create_mirror_view(potential.view());
  std::vector<double> p(d);
  for (std::size_t i = 0; i < host.extent(0); ++i) {
    for (std::size_t k = 0; k < d; ++k) p[k] = points[i * d + k] - gaussian.mean[k];
    double value = constant;
    for (std::size_t k = 0; k < d; ++k) {
      double row = 0.0;
      for (std::size_t l = 0; l < d; ++l) row += M[k * d + l] * p[l];
      value += p[k] * (p[k] - row + 2.0 * sign * shift[k]);
    }
    host(i) = scale * value;
  }
  Kokkos::deep_copy(potential.view(), host);
}

}  // namespace

Report BuresWasserstein::solve(TransportProblem& problem, Monitor& monitor) {
  const auto begin = std::chrono::steady_clock::now();
  const Clouds clouds = clouds_of(problem, "bures-wasserstein");
  if (clouds.power != 2.0)
    throw Unsupported("the method 'bures-wasserstein' is for |x - y|^2, and this cost has power " +
                      format_number(clouds.power));
  monitor.begin_phase("solve");
  const Gaussian x = gaussian_of(clouds.x, clouds.a, clouds.dimension);
  const Gaussian y = gaussian_of(clouds.y, clouds.b, clouds.dimension);
  const double mass = std::accumulate(clouds.a.begin(), clouds.a.end(), 0.0);
  const double bound = mass * clouds.scale * bures_wasserstein_squared(x, y);
  const GaussianMap map = map_between(x, y);
  std::vector<double> shift(clouds.dimension);
  double shift_squared = 0.0;
  for (std::size_t k = 0; k < shift.size(); ++k) {
    shift[k] = x.mean[k] - y.mean[k];
    shift_squared += shift[k] * shift[k];
  }
  store_potential(problem.f(), clouds.x, x, map.forward, shift, 1.0, shift_squared, clouds.scale);
  store_potential(problem.g(), clouds.y, y, map.backward, shift, -1.0, 0.0, clouds.scale);
  problem.set_plan(std::nullopt);
  Report report;
  report.measures = problem.verify();
  double dual = std::nan("");
  for (const Measure& m : report.measures)
    if (m.name == "dual_value") dual = m.value;
  // Both are 0 up to rounding where the Gaussians are equal.
  const double rounding = 1e-12 * mass * problem.cost().maximum();
  const bool proven = dual >= bound * (1.0 - options_.relative_tolerance) - rounding;
  report.status = proven ? Status::converged
                  : std::isfinite(dual) && std::isfinite(bound) ? Status::stagnated
                                                                : Status::non_finite;
  report.reason = "dual value " + format_number(dual) + (proven ? " proves" : " does not prove") +
                  " the bound " + format_number(bound) + " of the Gaussians";
  const Sample samples[] = {{"dual_value", dual}, {"bures_wasserstein_squared", bound}};
  report.iterations = 1;
  const Verdict verdict = monitor.observe(1, samples);
  (void)verdict;  // there is nothing left to stop
  report.metrics = {{"bures_wasserstein_squared", bound, "cost"}};
  report.seconds = {
      {"solve", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), "s"}};
  return report;
}

}  // namespace sliced
