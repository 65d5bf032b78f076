#include "pictures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <libsolve/core/random.hpp>
#include <numbers>
#include <string>

namespace learned_proximal {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

namespace {

constexpr int most_shapes = 6;
constexpr std::uint64_t numbers_per_picture = 128, numbers_per_shape = 16;
/// Of the shapes.
constexpr double patterned_part = 0.05;
constexpr int points_along_a_cell = 4;

/// Where a, b of its own axes are, is the point in it?
struct Shape {
  enum class Kind { disc, ring, rectangle, triangle, half_plane };
  Kind kind = Kind::disc;
  double x = 0.0, y = 0.0;          ///< centre, in sides of the picture
  double cosine = 1.0, sine = 0.0;  ///< of its turn
  double width = 0.0, height = 0.0;
  double value = 0.0;
  double other = 0.0, period = 0.0;  ///< stripes of `value` and `other`; 0: none
  bool has_checks = false;

  double value_at(double px, double py) const {
    if (period == 0.0) return value;
    const double a = cosine * (px - x) + sine * (py - y);
    const double b = cosine * (py - y) - sine * (px - x);
    const double along = std::floor(a / period), across = has_checks ? std::floor(b / period) : 0.0;
    return std::fmod(std::abs(along + across), 2.0) < 0.5 ? value : other;
  }
  bool holds(double px, double py) const {
    const double a = cosine * (px - x) + sine * (py - y);
    const double b = cosine * (py - y) - sine * (px - x);
    const double square = a * a + b * b;
    switch (kind) {
      case Kind::disc:
        return square < width * width;
      case Kind::ring:
        return square < width * width && square > 0.25 * width * width;
      case Kind::rectangle:
        return std::abs(a) < width && std::abs(b) < height;
      case Kind::triangle:
        return b > -0.5 * width && 1.7320508 * a + b < width && -1.7320508 * a + b < width;
      case Kind::half_plane:
        return a < 0.0;
    }
    return false;
  }
};

Shape shape_of(const RandomStream& stream, std::uint64_t first, int size) {
  const auto number = [&](std::uint64_t i, double low, double high) {
    return stream.uniform(first + i, low, high);
  };
  Shape s;
  const double kind = number(0, 0.0, 1.0);
  s.kind = kind < 0.25   ? Shape::Kind::disc
           : kind < 0.35 ? Shape::Kind::ring
           : kind < 0.7  ? Shape::Kind::rectangle
           : kind < 0.9  ? Shape::Kind::triangle
                         : Shape::Kind::half_plane;
  s.x = number(1, 0.0, 1.0);
  s.y = number(2, 0.0, 1.0);
  // One half along the axes, as pictures made by people are.
  const double turn =
      number(3, 0.0, 1.0) < 0.5 ? 0.5 * std::floor(number(4, 0.0, 4.0)) : number(4, 0.0, 2.0);
  s.cosine = std::cos(std::numbers::pi * turn);
  s.sine = std::sin(std::numbers::pi * turn);
  s.width = std::exp(number(5, std::log(0.06), std::log(0.4)));
  s.height = std::exp(number(6, std::log(0.06), std::log(0.4)));
  s.value = number(7, 0.0, 1.0);
  if (number(8, 0.0, 1.0) < patterned_part) {
    s.other = number(9, 0.0, 1.0);
    s.period = number(10, 1.0, 5.0) / size;
    s.has_checks = number(11, 0.0, 1.0) < 0.3;
  }
  return s;
}

/// The part of cell (i, j) that lies in the shape. All or nothing where the corners and the middle
/// are; else by counting points.
double covered(const Shape& shape, int i, int j, int size) {
  const double h = 1.0 / size;
  int corners = shape.holds((i + 0.5) * h, (j + 0.5) * h) ? 1 : 0;
  for (int c = 0; c < 4; ++c) corners += shape.holds((i + c % 2) * h, (j + c / 2) * h) ? 1 : 0;
  if (corners == 0 || corners == 5) return corners == 0 ? 0.0 : 1.0;
  int hit = 0;
  constexpr int per_cell = points_along_a_cell * points_along_a_cell;
  for (int p = 0; p < per_cell; ++p) {
    const double a = i + (p % points_along_a_cell + 0.5) / points_along_a_cell;
    const double b = j + (p / points_along_a_cell + 0.5) / points_along_a_cell;
    hit += shape.holds(a * h, b * h) ? 1 : 0;
  }
  return static_cast<double>(hit) / per_cell;
}

/// Means over 2 r + 1 cells along one axis, zeros beyond the picture; `stride` along it, `other`
/// across.
void box_filter(int n, int r, int stride, int other, std::vector<double>& picture) {
  std::vector<double> line(static_cast<std::size_t>(n));
  for (int row = 0; row < n; ++row) {
    double* const cells = picture.data() + std::ptrdiff_t{row} * other;
    double sum = 0.0;
    for (int i = -r; i < n; ++i) {
      if (i + r < n) sum += cells[std::ptrdiff_t{i + r} * stride];
      if (i - r - 1 >= 0) sum -= cells[std::ptrdiff_t{i - r - 1} * stride];
      if (i >= 0) line[static_cast<std::size_t>(i)] = sum / (2 * r + 1);
    }
    for (int i = 0; i < n; ++i)
      cells[std::ptrdiff_t{i} * stride] = line[static_cast<std::size_t>(i)];
  }
}

/// B x: means over squares of 2 r + 1 cells, twice.
void smooth(int n, int r, std::vector<double>& picture) {
  for (int twice = 0; twice < 2; ++twice) {
    box_filter(n, r, 1, n, picture);
    box_filter(n, r, n, 1, picture);
  }
}

}  // namespace

void Pictures::draw(std::uint64_t number, std::vector<double>& picture) const {
  const RandomStream stream(seed_, std::string(purpose_) + "::shapes");
  const std::uint64_t first = number * numbers_per_picture;
  const double background = stream.uniform(first) < 0.5 ? 0.0 : stream.uniform(first + 1);
  picture.assign(static_cast<std::size_t>(size_) * static_cast<std::size_t>(size_), background);
  const int shapes = 1 + static_cast<int>(stream.uniform(first + 2) * most_shapes);
  for (int k = 0; k < shapes; ++k) {
    const Shape shape =
        shape_of(stream, first + numbers_per_shape * static_cast<std::uint64_t>(k + 1), size_);
    for (int j = 0; j < size_; ++j)
      for (int i = 0; i < size_; ++i) {
        const double part = covered(shape, i, j, size_);
        double& cell = picture[static_cast<std::size_t>(j) * static_cast<std::size_t>(size_) +
                               static_cast<std::size_t>(i)];
        cell += part * (shape.value_at((i + 0.5) / size_, (j + 0.5) / size_) - cell);
      }
  }
}

void Pictures::add_noise(std::uint64_t number, double sigma, double sharpened,
                         std::vector<double>& picture) const {
  const std::string purpose = purpose_;
  const RandomStream choice(seed_, purpose + "::sharpening");
  const std::uint64_t first = number * numbers_per_shape;
  if (choice.uniform(first) < sharpened) {
    std::vector<double> smoothed = picture;
    smooth(size_, 1 + static_cast<int>(choice.uniform(first + 1) * 2.0), smoothed);
    const double t = choice.uniform(first + 2);
    for (std::size_t i = 0; i < picture.size(); ++i) picture[i] += t * (picture[i] - smoothed[i]);
  }
  const RandomStream stream(seed_, purpose + "::noise");
  for (std::size_t i = 0; i < picture.size(); ++i)
    picture[i] += sigma * stream.normal(number * picture.size() + i);
}

}  // namespace learned_proximal
