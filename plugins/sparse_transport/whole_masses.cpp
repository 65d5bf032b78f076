#include <algorithm>
#include <cmath>
#include <numeric>

#include "network_simplex.hpp"

namespace sparse_transport {

namespace {

constexpr double whole_total = 0x1p60;

bool all_equal(std::span<const double> v) {
  return std::all_of(v.begin(), v.end(), [&](double x) { return x == v.front(); });
}

std::vector<std::int64_t> rounded(std::span<const double> v, double unit) {
  std::vector<std::int64_t> whole(v.size());
  std::transform(v.begin(), v.end(), whole.begin(),
                 [unit](double x) { return std::llround(x / unit); });
  return whole;
}

}  // namespace

WholeMasses whole_masses(std::span<const double> a, std::span<const double> b) {
  const double total = std::accumulate(a.begin(), a.end(), 0.0);
  WholeMasses w;
  w.unit = total / whole_total;
  if (all_equal(a) && all_equal(b)) {
    // m units in each of n rows, n in each of m columns, times as much as fits.
    const auto n = static_cast<std::int64_t>(a.size());
    const auto m = static_cast<std::int64_t>(b.size());
    const std::int64_t times = static_cast<std::int64_t>(whole_total) / (n * m);
    w.rows.assign(a.size(), m * times);
    w.columns.assign(b.size(), n * times);
    w.unit = a.front() / (static_cast<double>(m) * static_cast<double>(times));
    return w;
  }
  w.rows = rounded(a, w.unit);
  w.columns = rounded(b, w.unit);
  const std::int64_t difference = std::accumulate(w.rows.begin(), w.rows.end(), std::int64_t{0}) -
                                  std::accumulate(w.columns.begin(), w.columns.end(), std::int64_t{0});
  *std::max_element(w.columns.begin(), w.columns.end()) += difference;
  return w;
}

}  // namespace sparse_transport
