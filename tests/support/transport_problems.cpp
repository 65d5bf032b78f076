#include "transport_problems.hpp"

#include <cmath>
#include <libsolve/core/random.hpp>
#include <libsolve/transport/dense_cost.hpp>
#include <numeric>
#include <tests/support/vectors.hpp>

namespace libsolve::test {

namespace {

using Rows = std::vector<std::vector<double>>;

std::vector<double> normalised(std::vector<double> v) {
  const double total = std::accumulate(v.begin(), v.end(), 0.0);
  for (double& x : v) x /= total;
  return v;
}

std::vector<double> masses(Index n, bool random, std::uint64_t seed, const char* purpose) {
  const RandomStream stream(seed, purpose);
  std::vector<double> v(static_cast<std::size_t>(n), 1.0);
  if (random)
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = stream.uniform(i, 0.5, 1.5);
  return normalised(v);
}

Rows uniform_points(Index n, int dimension, std::uint64_t seed, const char* purpose) {
  const RandomStream stream(seed, purpose);
  const auto d = static_cast<std::size_t>(dimension);
  Rows points(static_cast<std::size_t>(n), std::vector<double>(d));
  for (std::size_t i = 0; i < points.size(); ++i)
    for (std::size_t k = 0; k < d; ++k) points[i][k] = stream.uniform(i * d + k);
  return points;
}

/// The largest cost made 1.
std::unique_ptr<TransportProblem> point_problem(const Rows& x, const Rows& y,
                                                const std::vector<double>& a,
                                                const std::vector<double>& b,
                                                PointCostOptions options, double eta) {
  const DenseBlock px = to_block(x);
  const DenseBlock py = to_block(y);
  options.scale = 1.0 / make_point_cost(px, py, options)->maximum();
  const auto cost = make_point_cost(px, py, options);
  auto problem =
      std::make_unique<TransportProblem>(cost, to_vector(a), to_vector(b), eta * cost->maximum());
  problem->points = PointClouds{px, py, options};
  return problem;
}

/// Ink of a pen of the given width at a distance from its path.
double ink(double distance, double width) {
  const double t = distance / width;
  return std::exp(-t * t);
}

double distance_to_segment(double x, double y, double x0, double y0, double x1, double y1) {
  const double dx = x1 - x0;
  const double dy = y1 - y0;
  const double along = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy);
  const double t = std::min(1.0, std::max(0.0, along));
  return std::hypot(x - x0 - t * dx, y - y0 - t * dy);
}

}  // namespace

DenseBlock to_block(const Rows& rows) {
  const DenseBlock block("test::block", rows.size(), rows.empty() ? 0 : rows[0].size());
  const auto host = Kokkos::create_mirror_view(block);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < rows[i].size(); ++j) host(i, j) = rows[i][j];
  Kokkos::deep_copy(block, host);
  return block;
}

Rows to_host(const DenseBlock& block) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), block);
  Rows rows(host.extent(0), std::vector<double>(host.extent(1)));
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < rows[i].size(); ++j) rows[i][j] = host(i, j);
  return rows;
}

std::unique_ptr<TransportProblem> transport_problem(const Rows& C, const std::vector<double>& a,
                                                    const std::vector<double>& b,
                                                    double regularization) {
  return std::make_unique<TransportProblem>(make_dense_cost(to_block(C)), to_vector(a),
                                            to_vector(b), regularization);
}

std::unique_ptr<TransportProblem> random_assignment(Index n, double eta, std::uint64_t seed) {
  const Rows C = uniform_points(n, n, seed, "test::assignment");
  const std::vector<double> mass = masses(n, false, seed, "test::a");
  auto problem = transport_problem(C, mass, mass, eta);
  problem->text = "uniform random cost, n = " + std::to_string(n);
  return problem;
}

std::unique_ptr<TransportProblem> random_clouds(const CloudCase& c, double eta) {
  auto problem = point_problem(uniform_points(c.n, c.dimension, c.seed, "test::x"),
                               uniform_points(c.m, c.dimension, c.seed, "test::y"),
                               masses(c.n, c.random_masses, c.seed, "test::a"),
                               masses(c.m, c.random_masses, c.seed, "test::b"),
                               {.norm = c.norm, .power = c.power}, eta);
  problem->text = std::to_string(c.dimension) + "D clouds, " + std::to_string(c.n) + " and " +
                  std::to_string(c.m) + " points";
  return problem;
}

std::vector<double> digit_image(Index side, int digit) {
  std::vector<double> image;
  for (Index row = 0; row < side; ++row)
    for (Index column = 0; column < side; ++column) {
      const double x = (column + 0.5) / side;
      const double y = (row + 0.5) / side;
      const double distance =
          digit == 0 ? std::abs(std::hypot((x - 0.5) / 0.7, y - 0.5) - 0.34)
                     : std::min(distance_to_segment(x, y, 0.22, 0.2, 0.76, 0.2),
                                distance_to_segment(x, y, 0.76, 0.2, 0.42, 0.85));
      image.push_back(0.01 + ink(distance, 0.06));
    }
  return normalised(image);
}

std::unique_ptr<TransportProblem> digit_images(Index side, PointNorm norm, double eta) {
  Rows pixels;
  for (Index row = 0; row < side; ++row)
    for (Index column = 0; column < side; ++column)
      pixels.push_back({static_cast<double>(column), static_cast<double>(row)});
  const double power = norm == PointNorm::manhattan ? 1.0 : 2.0;
  auto problem = point_problem(pixels, pixels, digit_image(side, 0), digit_image(side, 7),
                               {.norm = norm, .power = power}, eta);
  problem->text = std::to_string(side * side) + " pixels, " + problem->cost().description();
  return problem;
}

Rows dense_cost(const TransportCost& cost) {
  const DenseBlock block("test::cost", static_cast<std::size_t>(cost.rows().local_size()),
                         static_cast<std::size_t>(cost.num_columns()));
  cost.rows_of(0, block);
  return to_host(block);
}

Rows dense_plan(const TransportProblem& problem) {
  Rows P = dense_cost(problem.cost());
  if (problem.plan()) {
    const Kokkos::HostSpace host;
    const auto first = Kokkos::create_mirror_view_and_copy(host, problem.plan()->row_pointers);
    const auto columns = Kokkos::create_mirror_view_and_copy(host, problem.plan()->columns);
    const auto values = Kokkos::create_mirror_view_and_copy(host, problem.plan()->values);
    for (std::size_t i = 0; i < P.size(); ++i) {
      std::fill(P[i].begin(), P[i].end(), 0.0);
      for (GlobalIndex k = first(i); k < first(i + 1); ++k)
        P[i][static_cast<std::size_t>(columns(k))] += values(k);
    }
    return P;
  }
  const std::vector<double> f = to_host(problem.f());
  const std::vector<double> g = to_host(problem.g());
  for (std::size_t i = 0; i < P.size(); ++i)
    for (std::size_t j = 0; j < P[i].size(); ++j)
      P[i][j] = std::exp((f[i] + g[j] - P[i][j]) / problem.regularization());
  return P;
}

}  // namespace libsolve::test
