#include "candidates.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

namespace sparse_transport {

namespace {

/// Rows at equal distances, at most 16.
std::vector<Index> sample_of_rows(Index n) {
  const Index count = std::min<Index>(n, 16);
  std::vector<Index> rows(static_cast<std::size_t>(count));
  for (Index s = 0; s < count; ++s)
    rows[s] = static_cast<Index>((GlobalIndex{2} * s + 1) * n / (GlobalIndex{2} * count));
  return rows;
}

/// The slack that about `per_row` entries of a row reach. Where ties make them far more, the next
/// larger one.
double slack_of_rank(const TransportCost& cost, const std::vector<double>& f,
                     const std::vector<double>& g, int per_row) {
  const std::vector<Index> rows = sample_of_rows(static_cast<Index>(f.size()));
  const std::size_t m = g.size();
  std::vector<double> slacks;
  slacks.reserve(rows.size() * m);
  const DenseBlock block("sparse_transport::row", 1, m);
  for (const Index i : rows) {
    cost.rows_of(i, block);
    const auto c = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), block);
    for (std::size_t j = 0; j < m; ++j) slacks.push_back(f[i] + g[j] - c(0, j));
  }
  const std::size_t rank = rows.size() * static_cast<std::size_t>(per_row);
  if (rank >= slacks.size()) return -std::numeric_limits<double>::infinity();
  std::nth_element(slacks.begin(), slacks.begin() + static_cast<std::ptrdiff_t>(rank), slacks.end(),
                   std::greater<>());
  const double t = slacks[rank];
  const auto reached = static_cast<std::size_t>(
      std::count_if(slacks.begin(), slacks.end(), [t](double s) { return s >= t; }));
  if (reached <= 4 * rank) return t;
  double above = std::numeric_limits<double>::infinity();
  for (const double s : slacks)
    if (s > t) above = std::min(above, s);
  return above;
}

struct HostEntries {
  std::vector<GlobalIndex> first;
  std::vector<Index> columns;
  std::vector<double> values;
};

template <class T, class View>
std::vector<T> copy_of(const View& view) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
  return {host.data(), host.data() + host.extent(0)};
}

HostEntries on_host(const SparseEntries& e) {
  return {copy_of<GlobalIndex>(e.row_pointers), copy_of<Index>(e.columns),
          copy_of<double>(e.values)};
}

}  // namespace

std::vector<Arc> heaviest_entries(const TransportProblem& problem, const EntropicStart& start,
                                  int per_row) {
  const TransportCost& cost = problem.cost();
  const std::vector<double> f = to_host(start.f);
  std::vector<double> g = to_host(start.g);
  const double t = slack_of_rank(cost, f, g, per_row);

  // A row whose largest slack misses t gets that as its threshold; a column is lifted to reach t.
  const VectorView minima("sparse_transport::minima", std::max(f.size(), g.size()));
  const double rounding = 1e-13 * cost.maximum();
  std::vector<double> threshold(f.size(), t), lifted = g;
  cost.row_minima(start.g, Kokkos::subview(minima, std::pair<std::size_t, std::size_t>(0, f.size())));
  std::vector<double> least = to_host(minima);
  for (std::size_t i = 0; i < f.size(); ++i)
    threshold[i] = std::min(t, f[i] - least[i] - rounding);
  cost.column_minima(start.f,
                     Kokkos::subview(minima, std::pair<std::size_t, std::size_t>(0, g.size())));
  least = to_host(minima);
  for (std::size_t j = 0; j < g.size(); ++j)
    if (std::isfinite(t)) lifted[j] += std::max(0.0, t - (g[j] - least[j]) + rounding);

  const SparseEntries entries = cost.entries_above(start.f, to_device(lifted, "sparse_transport::g"),
                                                   to_device(threshold, "sparse_transport::t"));
  cost.evaluate(entries);
  const HostEntries e = on_host(entries);
  const std::vector<double> a = to_host(problem.a().view());
  const std::vector<double> b = to_host(problem.b().view());
  struct Weighted {
    Arc arc;
    double weight;  ///< eps log(P_ij / min(a_i, b_j))
  };
  std::vector<Weighted> found;
  found.reserve(e.columns.size());
  for (std::size_t i = 0; i < f.size(); ++i)
    for (GlobalIndex k = e.first[i]; k < e.first[i + 1]; ++k) {
      const Index j = e.columns[k];
      found.push_back({{static_cast<Index>(i), j, e.values[k]},
                       f[i] + g[j] - e.values[k] - start.eps * std::log(std::min(a[i], b[j]))});
    }
  std::stable_sort(found.begin(), found.end(),
                   [](const Weighted& p, const Weighted& q) { return p.weight > q.weight; });
  std::vector<Arc> arcs(found.size());
  std::transform(found.begin(), found.end(), arcs.begin(), [](const Weighted& w) { return w.arc; });
  return arcs;
}

Prices violated_entries(const TransportCost& cost, const std::vector<double>& u,
                        const std::vector<double>& v, double tolerance, double fraction,
                        int per_row) {
  Prices prices;
  const VectorView f = to_device(u, "sparse_transport::u");
  const VectorView g = to_device(v, "sparse_transport::v");
  const VectorView minima("sparse_transport::minima", u.size());
  cost.row_minima(g, minima);
  const std::vector<double> least = to_host(minima);
  std::vector<double> threshold(u.size());
  for (std::size_t i = 0; i < u.size(); ++i) {
    const double worst = u[i] - least[i];
    prices.largest_violation = std::max(prices.largest_violation, worst);
    threshold[i] = std::max(tolerance, fraction * worst);
  }
  if (prices.largest_violation <= tolerance) return prices;
  const SparseEntries entries =
      cost.entries_above(f, g, to_device(threshold, "sparse_transport::t"));
  const std::vector<double> slacks = to_host(entries.values);
  cost.evaluate(entries);
  const HostEntries e = on_host(entries);
  std::vector<GlobalIndex> of_row;
  for (std::size_t i = 0; i < u.size(); ++i) {
    of_row.resize(static_cast<std::size_t>(e.first[i + 1] - e.first[i]));
    std::iota(of_row.begin(), of_row.end(), e.first[i]);
    if (of_row.size() > static_cast<std::size_t>(per_row)) {
      std::nth_element(of_row.begin(), of_row.begin() + per_row, of_row.end(),
                       [&slacks](GlobalIndex p, GlobalIndex q) { return slacks[p] > slacks[q]; });
      of_row.resize(static_cast<std::size_t>(per_row));
    }
    for (const GlobalIndex k : of_row)
      prices.arcs.push_back({static_cast<Index>(i), e.columns[k], e.values[k]});
  }
  return prices;
}

}  // namespace sparse_transport
