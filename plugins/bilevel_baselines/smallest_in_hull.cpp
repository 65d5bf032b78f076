#include "smallest_in_hull.hpp"

#include <algorithm>
#include <cmath>

namespace bilevel_baselines {

namespace {

constexpr int most_exchanges = 20000;
constexpr double exact = 1e-14;

}  // namespace

/// The nearest to 0 that the normal cone makes of an entry of the combination.
double GradientHull::with_cone(std::size_t k, double sum) const {
  switch (sides_[k]) {
    case Side::lower:
      return std::min(sum, 0.0);
    case Side::upper:
      return std::max(sum, 0.0);
    case Side::fixed:
      return 0.0;
    case Side::inside:
      break;
  }
  return sum;
}

void GradientHull::add(std::span<const double> gradient) {
  gradients_.emplace_back(gradient.begin(), gradient.end());
  const std::vector<double>& g = gradients_.back();
  std::vector<double> row;
  for (std::size_t i = 0; i < gradients_.size(); ++i) {
    double s = 0.0;
    for (std::size_t k = 0; k < g.size(); ++k)
      if (sides_[k] == Side::inside) s += g[k] * gradients_[i][k];
    row.push_back(s);
    if (i + 1 < gradients_.size()) products_[i].push_back(s);
  }
  products_.push_back(std::move(row));
}

std::vector<double> GradientHull::smallest() const {
  const std::size_t m = gradients_.size(), n = sides_.size();
  std::vector<std::size_t> at_bound;
  for (std::size_t k = 0; k < n; ++k)
    if (sides_[k] == Side::lower || sides_[k] == Side::upper) at_bound.push_back(k);
  std::vector<double> weights(m, 1.0 / static_cast<double>(m)), inner(m), slopes(m);
  std::vector<double> sums(at_bound.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < m; ++i) {
    double square = products_[i][i];
    for (std::size_t b = 0; b < at_bound.size(); ++b) {
      const double g = gradients_[i][at_bound[b]];
      sums[b] += weights[i] * g;
      square += g * g;
    }
    largest = std::max(largest, square);
    for (std::size_t j = 0; j < m; ++j) inner[i] += products_[i][j] * weights[j];
  }
  for (int step = 0; step < most_exchanges; ++step) {
    std::size_t to = 0, from = m;
    for (std::size_t i = 0; i < m; ++i) {
      slopes[i] = inner[i];
      for (std::size_t b = 0; b < at_bound.size(); ++b)
        slopes[i] += gradients_[i][at_bound[b]] * with_cone(at_bound[b], sums[b]);
      if (slopes[i] < slopes[to]) to = i;
      if (weights[i] > 0.0 && (from == m || slopes[i] > slopes[from])) from = i;
    }
    const double gain = slopes[from] - slopes[to];
    if (!(gain > exact * largest)) break;
    // An upper bound of the curvature: the cone only takes from it.
    double curvature = products_[to][to] + products_[from][from] - 2.0 * products_[to][from];
    for (const std::size_t k : at_bound) {
      const double change = gradients_[to][k] - gradients_[from][k];
      curvature += change * change;
    }
    const double t = curvature > 0.0 ? std::min(weights[from], gain / curvature) : weights[from];
    weights[to] += t;
    weights[from] = t == weights[from] ? 0.0 : weights[from] - t;
    for (std::size_t i = 0; i < m; ++i) inner[i] += t * (products_[i][to] - products_[i][from]);
    for (std::size_t b = 0; b < at_bound.size(); ++b)
      sums[b] += t * (gradients_[to][at_bound[b]] - gradients_[from][at_bound[b]]);
  }
  std::vector<double> z(n);
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t k = 0; k < n; ++k) z[k] += weights[i] * gradients_[i][k];
  for (std::size_t k = 0; k < n; ++k) z[k] = with_cone(k, z[k]);
  return z;
}

}  // namespace bilevel_baselines
