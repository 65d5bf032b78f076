#include "colours.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <libsolve/core/random.hpp>
#include <limits>
#include <numeric>

namespace transport_sources {

namespace {

/// `count` of the numbers 0 ... total - 1 in random order (the first steps of Fisher and Yates).
std::vector<std::size_t> drawn(std::size_t total, std::size_t count,
                               const libsolve::RandomStream& stream) {
  std::vector<std::size_t> order(total);
  std::iota(order.begin(), order.end(), std::size_t{0});
  count = std::min(count, total);
  for (std::size_t k = 0; k < count; ++k) {
    const auto other = k + static_cast<std::size_t>(stream.uniform(k) * static_cast<double>(total - k));
    std::swap(order[k], order[std::min(other, total - 1)]);
  }
  order.resize(count);
  return order;
}

/// The colour nearest to each pixel.
void assign(const std::vector<double>& pixels, const std::vector<double>& centres,
            std::vector<int>& nearest) {
  using Policy = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>;
  const std::size_t count = centres.size() / 3;
  Kokkos::parallel_for("transport_sources::nearest_colour", Policy(0, nearest.size()),
                       [&](const std::size_t i) {
                         double best = std::numeric_limits<double>::infinity();
                         for (std::size_t k = 0; k < count; ++k) {
                           double s = 0.0;
                           for (std::size_t d = 0; d < 3; ++d) {
                             const double t = pixels[3 * i + d] - centres[3 * k + d];
                             s += t * t;
                           }
                           if (s < best) {
                             best = s;
                             nearest[i] = static_cast<int>(k);
                           }
                         }
                       });
}

/// One step of Lloyd's algorithm.
void step(const std::vector<double>& pixels, Palette& palette) {
  std::vector<int> nearest(pixels.size() / 3);
  assign(pixels, palette.points, nearest);
  std::vector<double> sums(palette.points.size(), 0.0), counts(palette.masses.size(), 0.0);
  for (std::size_t i = 0; i < nearest.size(); ++i) {
    const auto k = static_cast<std::size_t>(nearest[i]);
    counts[k] += 1.0;
    for (std::size_t d = 0; d < 3; ++d) sums[3 * k + d] += pixels[3 * i + d];
  }
  Palette next;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] == 0.0) continue;
    for (std::size_t d = 0; d < 3; ++d) next.points.push_back(sums[3 * k + d] / counts[k]);
    next.masses.push_back(counts[k] / static_cast<double>(nearest.size()));
  }
  palette = next;
}

}  // namespace

Palette palette_of(const Image& image, int count, int steps, std::uint64_t seed,
                   const std::string& purpose) {
  constexpr std::size_t most_pixels = 50000;
  const std::size_t total = image.values.size() / static_cast<std::size_t>(image.channels);
  const auto order = drawn(total, std::max<std::size_t>(most_pixels, static_cast<std::size_t>(count)),
                           libsolve::RandomStream(seed, purpose));
  std::vector<double> pixels;
  for (const std::size_t k : order)
    for (int d = 0; d < 3; ++d)
      pixels.push_back(image.values[k * image.channels + (image.channels == 3 ? d : 0)]);
  const std::size_t colours = std::min(order.size(), static_cast<std::size_t>(count));
  Palette palette;
  palette.points.assign(pixels.begin(), pixels.begin() + static_cast<std::ptrdiff_t>(3 * colours));
  palette.masses.assign(colours, 1.0 / static_cast<double>(colours));
  for (int k = 0; k < steps; ++k) step(pixels, palette);
  return palette;
}

}  // namespace transport_sources
