#include "cloud_generator.hpp"

#include <cmath>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/transport/plan_marginals.hpp>
#include <numbers>

namespace transport_sources {

const std::vector<std::string>& distributions() {
  static const std::vector<std::string> names = {"uniform", "gaussian", "ring", "blobs"};
  return names;
}

namespace {

constexpr double pen = 0.05;  // width of rings and blobs
constexpr std::uint64_t num_centres = 5;

/// One coordinate of a point; `at` counts coordinates of all points.
struct Draw {
  RandomStream main, noise;
  std::string kind;
  std::uint64_t dimension;

  double operator()(std::uint64_t point, std::uint64_t axis) const {
    const std::uint64_t at = point * dimension + axis;
    if (kind == "uniform") return main.uniform(at);
    if (kind == "gaussian") return main.normal(at);
    if (kind == "ring") {
      const double angle = 2.0 * std::numbers::pi * main.uniform(point);
      const double on_circle = axis == 0 ? std::cos(angle) : axis == 1 ? std::sin(angle) : 0.0;
      return on_circle + pen * noise.normal(at);
    }
    const auto centre = static_cast<std::uint64_t>(main.uniform(point) * num_centres);
    // Centres come from places of the stream that no point uses.
    constexpr std::uint64_t beyond = std::uint64_t{1} << 62;
    return main.uniform(beyond + centre * dimension + axis) + pen * noise.normal(at);
  }
};

}  // namespace

DenseBlock random_points(const std::string& distribution, const Partition& rows, int dimension,
                         std::uint64_t seed, const std::string& purpose,
                         const std::vector<double>& shift) {
  const Draw draw{RandomStream(seed, purpose), RandomStream(seed, purpose + "::noise"),
                  distribution, static_cast<std::uint64_t>(dimension)};
  const DenseBlock points(purpose, static_cast<std::size_t>(rows.local_size()),
                          static_cast<std::size_t>(dimension));
  const auto host = Kokkos::create_mirror_view(points);
  for (std::size_t i = 0; i < host.extent(0); ++i)
    for (std::size_t d = 0; d < host.extent(1); ++d)
      host(i, d) = draw(static_cast<std::uint64_t>(rows.first_row()) + i, d) +
                   (d < shift.size() ? shift[d] : 0.0);
  Kokkos::deep_copy(points, host);
  return points;
}

Vector random_masses(const Partition& rows, std::uint64_t seed, const std::string& purpose) {
  const Vector v(purpose, rows);
  fill_uniform(v, RandomStream(seed, purpose), 0.5, 1.5);
  scale(1.0 / detail::total_of(v), v);
  return v;
}

}  // namespace transport_sources
