#include "projections.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <numeric>

namespace sliced {

namespace {

std::vector<double> host_values(const VectorView& v) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
  return {host.data(), host.data() + host.extent(0)};
}

std::vector<double> host_values(const DenseBlock& points) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), points);
  std::vector<double> values;
  for (std::size_t i = 0; i < host.extent(0); ++i)
    for (std::size_t d = 0; d < host.extent(1); ++d) values.push_back(host(i, d));
  return values;
}

double dot(const double* u, const double* v, std::size_t d) {
  double sum = 0.0;
  for (std::size_t k = 0; k < d; ++k) sum += u[k] * v[k];
  return sum;
}

/// Places along the line, and their order (by index where they are equal).
struct Projected {
  std::vector<double> place;
  std::vector<std::size_t> order;
  Projected(const std::vector<double>& points, std::size_t count, const double* theta,
            std::size_t d)
      : place(count), order(count) {
    for (std::size_t i = 0; i < count; ++i) place[i] = dot(points.data() + i * d, theta, d);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [this](std::size_t i, std::size_t j) {
      return place[i] < place[j] || (place[i] == place[j] && i < j);
    });
  }
};

double difference_along(const Clouds& c, const double* theta, const Move& move) {
  const double* x = c.x.data() + move.i * c.dimension;
  const double* y = c.y.data() + move.j * c.dimension;
  return dot(x, theta, c.dimension) - dot(y, theta, c.dimension);
}

/// |t|^p and its derivative, p |t|^(p - 1) sign t (0 at 0).
double power_of(double t, double p) {
  return p == 2.0 ? t * t : std::pow(std::abs(t), p);
}
double slope_of(double t, double p) {
  if (t == 0.0) return 0.0;
  return p == 2.0 ? 2.0 * t : std::copysign(p * std::pow(std::abs(t), p - 1.0), t);
}

}  // namespace

Clouds clouds_of(const TransportProblem& problem, const char* method) {
  const auto refuse = [&](const std::string& what) {
    throw Unsupported("the method '" + std::string(method) + "' " + what);
  };
  if (!problem.points)
    refuse("needs the points behind the cost, and '" + problem.text +
           "' has none; use a problem of points ('point-clouds', 'images'), or 'sns'");
  if (problem.points->cost.norm != PointNorm::euclidean)
    refuse("is for the Euclidean norm, and this cost has the Manhattan norm");
  if (!problem.is_balanced())
    refuse("is for the balanced problem; leave marginal_penalty out");
  if (problem.cost().rows().communicator().size() > 1)
    refuse("runs on one rank, and this job has " +
           std::to_string(problem.cost().rows().communicator().size()));
  if (problem.points->cost.power < 1.0)
    refuse("matches quantiles, which is optimal for power >= 1 only");
  return {.dimension = problem.points->x.extent(1),
          .x = host_values(problem.points->x),
          .y = host_values(problem.points->y),
          .a = host_values(problem.a().view()),
          .b = host_values(problem.b().view()),
          .power = problem.points->cost.power,
          .scale = problem.points->cost.scale};
}

std::vector<Move> plan_along(const Clouds& c, const double* theta) {
  const Projected x(c.x, c.n(), theta, c.dimension);
  const Projected y(c.y, c.m(), theta, c.dimension);
  std::vector<Move> plan;
  plan.reserve(c.n() + c.m());
  std::size_t p = 0, q = 0;
  double left = c.a[x.order[0]];
  double room = c.b[y.order[0]];
  for (;;) {
    const bool last_x = p + 1 == c.n();
    const bool last_y = q + 1 == c.m();
    // The last points take what is left, so that rounding of the totals loses no mass.
    const bool row_ends = last_x ? false : (last_y || left <= room);
    const double mass = row_ends ? left : room;
    const double moved = last_x && last_y ? left : mass;
    if (moved > 0.0) plan.push_back({x.order[p], y.order[q], moved});
    if (last_x && last_y) return plan;
    if (row_ends) {
      room -= left;
      left = c.a[x.order[++p]];
    } else {
      left -= room;
      room = c.b[y.order[++q]];
    }
  }
}

double cost_along(const Clouds& c, const double* theta, const std::vector<Move>& plan,
                  double* gradient) {
  double sum = 0.0;
  if (gradient != nullptr) std::fill(gradient, gradient + c.dimension, 0.0);
  for (const Move& move : plan) {
    const double t = difference_along(c, theta, move);
    sum += move.mass * power_of(t, c.power);
    if (gradient == nullptr) continue;
    const double s = c.scale * move.mass * slope_of(t, c.power);
    for (std::size_t d = 0; d < c.dimension; ++d)
      gradient[d] += s * (c.x[move.i * c.dimension + d] - c.y[move.j * c.dimension + d]);
  }
  return c.scale * sum;
}

void add_point_gradient(const Clouds& c, const double* theta, const std::vector<Move>& plan,
                        double weight, std::vector<double>& of_x, std::vector<double>& of_y) {
  for (const Move& move : plan) {
    const double s = weight * c.scale * move.mass *
                     slope_of(difference_along(c, theta, move), c.power);
    for (std::size_t d = 0; d < c.dimension; ++d) {
      of_x[move.i * c.dimension + d] += s * theta[d];
      of_y[move.j * c.dimension + d] -= s * theta[d];
    }
  }
}

double cost_in_space(const Clouds& c, const std::vector<Move>& plan) {
  double sum = 0.0;
  for (const Move& move : plan) {
    double square = 0.0;
    for (std::size_t d = 0; d < c.dimension; ++d) {
      const double t = c.x[move.i * c.dimension + d] - c.y[move.j * c.dimension + d];
      square += t * t;
    }
    sum += move.mass * (c.power == 2.0 ? square : std::pow(square, 0.5 * c.power));
  }
  return c.scale * sum;
}

SparseEntries entries_of(const std::vector<Move>& plan, std::size_t n) {
  std::vector<Move> sorted = plan;
  std::sort(sorted.begin(), sorted.end(), [](const Move& u, const Move& v) {
    return u.i < v.i || (u.i == v.i && u.j < v.j);
  });
  SparseEntries entries;
  entries.row_pointers = {"sliced::row_pointers", n + 1};
  entries.columns = {"sliced::columns", sorted.size()};
  entries.values = VectorView("sliced::values", sorted.size());
  const auto first = Kokkos::create_mirror_view(entries.row_pointers);
  const auto columns = Kokkos::create_mirror_view(entries.columns);
  const auto values = Kokkos::create_mirror_view(entries.values);
  for (std::size_t k = 0; k < sorted.size(); ++k) {
    columns(k) = static_cast<Index>(sorted[k].j);
    values(k) = sorted[k].mass;
    ++first(sorted[k].i + 1);
  }
  for (std::size_t i = 0; i < n; ++i) first(i + 1) += first(i);
  Kokkos::deep_copy(entries.row_pointers, first);
  Kokkos::deep_copy(entries.columns, columns);
  Kokkos::deep_copy(entries.values, values);
  return entries;
}

namespace {

/// Normal numbers from `first` on, of length 1.
std::vector<double> normal_direction(const RandomStream& stream, std::uint64_t first,
                                     std::size_t dimension) {
  std::vector<double> v(dimension);
  for (std::size_t d = 0; d < dimension; ++d) v[d] = stream.normal(first + d);
  const double length = std::sqrt(dot(v.data(), v.data(), dimension));
  for (double& t : v) t /= length;
  return v;
}

}  // namespace

std::vector<double> uniform_direction(const RandomStream& stream, std::uint64_t k,
                                      std::size_t dimension) {
  return normal_direction(stream, k * dimension, dimension);
}

std::vector<double> von_mises_fisher_direction(const RandomStream& stream, std::uint64_t k,
                                               const std::vector<double>& location,
                                               double concentration) {
  const std::size_t d = location.size();
  // Places of the stream for direction k: d for the part across, the rest for trials.
  constexpr std::uint64_t trials = 1000;
  const std::uint64_t first = k * (d + 3 * trials);
  std::vector<double> across = normal_direction(stream, first, d);
  const double along = dot(across.data(), location.data(), d);
  for (std::size_t i = 0; i < d; ++i) across[i] -= along * location[i];
  const double length = std::sqrt(dot(across.data(), across.data(), d));
  double w = 0.0;  // cosine of the angle to the location
  if (d == 1) {
    // Two directions, with odds exp(2 kappa).
    w = stream.uniform(first + d) < 1.0 / (1.0 + std::exp(-2.0 * concentration)) ? 1.0 : -1.0;
    return {w * location[0]};
  }
  const double e = static_cast<double>(d) - 1.0;
  const double b = e / (2.0 * concentration + std::sqrt(4.0 * concentration * concentration + e * e));
  const double x0 = (1.0 - b) / (1.0 + b);
  const double c = concentration * x0 + e * std::log(1.0 - x0 * x0);
  for (std::uint64_t t = 0; t < trials; ++t) {
    // Beta(e / 2, e / 2) through the cosine of a uniform direction in e + 1 dimensions would need e
    // numbers: one uniform and one normal do (Ulrich's formula for symmetric beta variates).
    const double u = 1.0 - stream.uniform(first + d + 3 * t);
    const double angle = 6.283185307179586 * stream.uniform(first + d + 3 * t + 1);
    const double s = e > 1.0 ? std::sqrt(1.0 - std::pow(u, 2.0 / (e - 1.0))) * std::cos(angle)
                             : std::cos(angle);
    const double z = 0.5 * (1.0 + s);
    w = (1.0 - (1.0 + b) * z) / (1.0 - (1.0 - b) * z);
    const double v = 1.0 - stream.uniform(first + d + 3 * t + 2);
    if (concentration * w + e * std::log(1.0 - x0 * w) - c >= std::log(v)) break;
  }
  const double across_part = std::sqrt(std::max(0.0, 1.0 - w * w)) / length;
  std::vector<double> theta(d);
  for (std::size_t i = 0; i < d; ++i) theta[i] = w * location[i] + across_part * across[i];
  return theta;
}

Estimate estimate_of(const std::vector<double>& values) {
  const double count = static_cast<double>(values.size());
  double mean = 0.0;
  for (const double v : values) mean += v / count;
  double square = 0.0;
  for (const double v : values) square += (v - mean) * (v - mean);
  return {mean, values.size() < 2 ? 0.0 : std::sqrt(square / (count - 1.0) / count)};
}

}  // namespace sliced
