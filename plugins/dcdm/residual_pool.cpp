#include "residual_pool.hpp"

#include <algorithm>
#include <cmath>

#include "right_sides.hpp"

namespace dcdm {

namespace {
constexpr double restart_probability = 0.04;
constexpr double solved = 3e-6;
constexpr int coarse_width = 4;
}  // namespace

ResidualPool::ResidualPool(const HostOperator& A, const std::array<int, 3>& cells,
                           std::uint64_t seed)
    : A_(A),
      cells_(cells),
      noise_(seed, "dcdm::pool_noise"),
      choices_(seed, "dcdm::pool_choices"),
      entries_(num_entries) {
  for (int e = 0; e < num_entries; ++e) begin(entries_[size_t(e)], static_cast<std::uint64_t>(e));
}

void ResidualPool::coarse_noise(std::uint64_t first, std::vector<double>& r) const {
  // Nodes every coarse_width cells along each axis in use, the outermost beyond the walls.
  int nodes[3];
  for (int a = 0; a < 3; ++a) nodes[a] = (cells_[size_t(a)] - 1) / coarse_width + 2;
  const auto node = [&](int i, int j, int k) {
    return noise_.normal(first + static_cast<std::uint64_t>(i + nodes[0] * (j + nodes[1] * k)));
  };
  std::vector<double> values;
  for (int k = 0; k < nodes[2]; ++k)
    for (int j = 0; j < nodes[1]; ++j)
      for (int i = 0; i < nodes[0]; ++i) values.push_back(node(i, j, k));
  std::size_t c = 0;
  for (int k = 0; k < cells_[2]; ++k)
    for (int j = 0; j < cells_[1]; ++j)
      for (int i = 0; i < cells_[0]; ++i, ++c) {
        const int at[3] = {i, j, k};
        double sum = 0.0;
        for (int corner = 0; corner < 8; ++corner) {
          double weight = 1.0;
          int index = 0, stride = 1;
          for (int a = 0; a < 3; ++a) {
            const int high = (corner >> a) & 1;
            const double t = static_cast<double>(at[a] % coarse_width) / coarse_width;
            weight *= high != 0 ? t : 1.0 - t;
            index += stride * (at[a] / coarse_width + high);
            stride *= nodes[a];
          }
          if (weight != 0.0) sum += weight * values[size_t(index)];
        }
        r[c] = A_.open()[c] * sum;
      }
}

void ResidualPool::begin(Entry& e, std::uint64_t draw) const {
  // More numbers than a vector has, for each draw.
  const std::uint64_t first = draw * (2 * A_.size() + 64);
  const double kind = choices_.uniform(3 * draw + 2);
  e.r.assign(A_.size(), 0.0);
  if (kind < 1.0 / 3.0) {
    white_noise(A_, noise_, first, e.r);
  } else if (kind < 2.0 / 3.0) {
    std::vector<double> x(A_.size());
    white_noise(A_, noise_, first, x);
    A_.apply(x.data(), e.r.data());
    for (size_t c = 0; c < e.r.size(); ++c) e.r[c] *= A_.open()[c];
  } else {
    coarse_noise(first, e.r);
  }
  normalise(e.r);
  for (int k = 0; k < 2; ++k) {
    e.d[size_t(k)].assign(A_.size(), 0.0);
    e.Ad[size_t(k)].assign(A_.size(), 0.0);
  }
  e.num_directions = 0;
  e.reached = 1.0;
}

void ResidualPool::advance(int entry, std::int64_t step, const std::vector<double>& q,
                           const std::vector<double>& Aq) {
  Entry& e = entries_[size_t(entry)];
  const std::uint64_t draw =
      static_cast<std::uint64_t>(step + 1) * num_entries + static_cast<std::uint64_t>(entry);
  std::vector<double> d = q, Ad = Aq;
  for (int k = 2 - e.num_directions; k < 2; ++k) {
    const auto& dk = e.d[size_t(k)];
    const auto& Adk = e.Ad[size_t(k)];
    const double h = dot(q, Adk) / dot(dk, Adk);
    add(-h, dk, d);
    add(-h, Adk, Ad);
  }
  const double dAd = dot(d, Ad);
  bool again = choices_.uniform(3 * draw) < restart_probability || !(dAd > 0.0);
  if (!again) {
    add(-dot(d, e.r) / dAd, Ad, e.r);
    e.reached *= normalise(e.r);
    // The size of a direction does not matter; keep it away from the ends of the numbers.
    const double factor = 1.0 / std::sqrt(dAd);
    for (size_t c = 0; c < d.size(); ++c) {
      d[c] *= factor;
      Ad[c] *= factor;
    }
    std::swap(e.d[0], e.d[1]);
    std::swap(e.Ad[0], e.Ad[1]);
    e.d[1] = std::move(d);
    e.Ad[1] = std::move(Ad);
    e.num_directions = std::min(e.num_directions + 1, 2);
    again = !(e.reached > solved) || !std::isfinite(e.reached);
  }
  if (again) begin(e, draw);
}

std::vector<NamedArray> ResidualPool::state() const {
  const auto n = static_cast<GlobalIndex>(A_.size());
  NamedArray r{"pool/residuals", {num_entries, n}, {}};
  NamedArray d{"pool/directions", {num_entries, 2, n}, {}};
  NamedArray Ad{"pool/products", {num_entries, 2, n}, {}};
  NamedArray rest{"pool/progress", {num_entries, 2}, {}};
  for (const Entry& e : entries_) {
    r.values.insert(r.values.end(), e.r.begin(), e.r.end());
    for (size_t k = 0; k < 2; ++k) {
      d.values.insert(d.values.end(), e.d[k].begin(), e.d[k].end());
      Ad.values.insert(Ad.values.end(), e.Ad[k].begin(), e.Ad[k].end());
    }
    rest.values.push_back(e.num_directions);
    rest.values.push_back(e.reached);
  }
  return {r, d, Ad, rest};
}

void ResidualPool::resume(const Weights& state) {
  const auto n = static_cast<GlobalIndex>(A_.size());
  const auto& r = state.array("pool/residuals", {num_entries, n}).values;
  const auto& d = state.array("pool/directions", {num_entries, 2, n}).values;
  const auto& Ad = state.array("pool/products", {num_entries, 2, n}).values;
  const auto& rest = state.array("pool/progress", {num_entries, 2}).values;
  const auto part = [&](const std::vector<double>& from, size_t i) {
    const auto first = from.begin() + static_cast<std::ptrdiff_t>(i * A_.size());
    return std::vector<double>(first, first + static_cast<std::ptrdiff_t>(A_.size()));
  };
  for (size_t e = 0; e < entries_.size(); ++e) {
    entries_[e].r = part(r, e);
    for (size_t k = 0; k < 2; ++k) {
      entries_[e].d[k] = part(d, 2 * e + k);
      entries_[e].Ad[k] = part(Ad, 2 * e + k);
    }
    entries_[e].num_directions = static_cast<int>(rest[2 * e]);
    entries_[e].reached = rest[2 * e + 1];
  }
}

}  // namespace dcdm
