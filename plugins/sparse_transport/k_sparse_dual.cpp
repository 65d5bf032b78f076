#include "k_sparse_dual.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace sparse_transport {

KSparseDual::KSparseDual(const TransportProblem& problem, double gamma, std::size_t k)
    : rule{gamma, 0.0, k},
      columns_(problem.cost().transposed()),
      a_(to_host(problem.a().view())),
      b_(to_host(problem.b().view())),
      total_(std::accumulate(a_.begin(), a_.end(), 0.0)),
      largest_(problem.cost().maximum()) {
  old.first.assign(b_.size() + 1, 0);
}

KSparseDual::Slacks KSparseDual::slacks_above(const Potentials& x,
                                              const std::vector<double>& threshold) {
  const SparseEntries e = columns_->entries_above(to_device(x.beta, "sparse_transport::beta"),
                                                  to_device(x.alpha, "sparse_transport::alpha"),
                                                  to_device(threshold, "sparse_transport::t"));
  ++passes_;
  const auto first = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), e.row_pointers);
  const auto rows = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), e.columns);
  return {{first.data(), first.data() + first.extent(0)},
          {rows.data(), rows.data() + rows.extent(0)},
          to_host(e.values)};
}

/// Column j: the found entries and those of the old plan, merged; then its t.
void KSparseDual::add_column(const Potentials& x, Index j, const Slacks& found, DualPoint& p) {
  s_.clear();
  t_old_.clear();
  c_.clear();
  rows_.clear();
  GlobalIndex k = found.first[j], o = old.first[j];
  while (k < found.first[j + 1] || o < old.first[j + 1]) {
    const bool takes_old = o < old.first[j + 1] &&
                           (k == found.first[j + 1] || old.rows[o] <= found.rows[k]);
    const bool takes_found = k < found.first[j + 1] && (!takes_old || old.rows[o] == found.rows[k]);
    const Index i = takes_found ? found.rows[k] : old.rows[o];
    const double both = x.alpha[i] + x.beta[j];
    rows_.push_back(i);
    c_.push_back(takes_old ? old.costs[o] : both - found.values[k]);
    s_.push_back(takes_old ? both - old.costs[o] : found.values[k]);
    t_old_.push_back(takes_old ? old.values[o] : 0.0);
    k += takes_found ? 1 : 0;
    o += takes_old ? 1 : 0;
  }
  column_.compute(rule, s_, t_old_);
  p.value += column_.value();
  p.dual -= column_.conjugate();
  p.primal += column_.hull();
  const auto rows_at = [this](const std::vector<std::size_t>& places) {
    std::vector<Index> rows(places.size());
    std::transform(places.begin(), places.end(), rows.begin(), [this](std::size_t s) { return rows_[s]; });
    return rows;
  };
  p.full[j] = rows_at(column_.full());
  p.tied[j] = rows_at(column_.tied());
  p.tied_weight[j] = column_.tied_weight();
  for (std::size_t s = 0; band > 0.0 && s < s_.size(); ++s) {
    if (column_.t()[s] > 0.0) continue;
    const double closeness = 1.0 + (s_[s] + rule.w * t_old_[s] - column_.theta()) / band;
    if (closeness > 0.0) p.near[j].emplace_back(rows_[s], std::min(closeness, 1.0));
  }
  Index count = 0;
  for (std::size_t s = 0; s < s_.size(); ++s) {
    const double t = column_.t()[s];
    if (!(t > 0.0)) continue;
    ++count;
    p.of_rows[rows_[s]] += t;
    p.of_columns[j] += t;
    p.primal += t * c_[s];
    p.plan.rows.push_back(rows_[s]);
    p.plan.values.push_back(t);
    p.plan.costs.push_back(c_[s]);
  }
  p.plan.first[j + 1] = static_cast<GlobalIndex>(p.plan.rows.size());
  p.most_entries = std::max(p.most_entries, count);
  p.crowded_columns += static_cast<std::size_t>(count) > rule.k ? 1 : 0;
}

DualPoint KSparseDual::assemble(const Potentials& x, const Slacks& found) {
  DualPoint p;
  const std::size_t m = b_.size();
  p.of_rows.resize(a_.size());
  p.of_columns.resize(m);
  std::transform(a_.begin(), a_.end(), p.of_rows.begin(), std::negate<>());
  std::transform(b_.begin(), b_.end(), p.of_columns.begin(), std::negate<>());
  p.full.resize(m);
  p.tied.resize(m);
  p.tied_weight.resize(m);
  p.near.resize(m);
  p.plan.first.assign(m + 1, 0);
  p.dual = std::inner_product(a_.begin(), a_.end(), x.alpha.begin(), 0.0) +
           std::inner_product(b_.begin(), b_.end(), x.beta.begin(), 0.0);
  p.value = -p.dual;
  for (std::size_t j = 0; j < m; ++j) add_column(x, static_cast<Index>(j), found, p);
  for (const double r : p.of_rows) p.violation += std::abs(r);
  for (const double r : p.of_columns) p.violation += std::abs(r);
  return p;
}

KSparseDual::Slacks KSparseDual::slacks_of_support(const Potentials& x) const {
  Slacks s{support->first, support->rows, support->costs};
  for (std::size_t j = 0; j < b_.size(); ++j)
    for (GlobalIndex e = s.first[j]; e < s.first[j + 1]; ++e)
      s.values[e] = x.alpha[s.rows[e]] + x.beta[j] - s.values[e];
  return s;
}

DualPoint KSparseDual::at(const Potentials& x) {
  if (support) return assemble(x, slacks_of_support(x));
  return assemble(x, slacks_above(x, std::vector<double>(b_.size(), -band)));
}

DualPoint KSparseDual::at_semi_dual(Potentials& x) {
  // beta_j <= c - alpha of the best entry + gamma b_j, so entries further down stay out.
  const std::size_t m = b_.size();
  const VectorView best("sparse_transport::best", m);
  columns_->row_minima(to_device(x.alpha, "sparse_transport::alpha"), best);
  ++passes_;
  x.beta = to_host(best);
  std::vector<double> threshold(m);
  for (std::size_t j = 0; j < m; ++j) threshold[j] = -rule.gamma * b_[j];
  Slacks found = slacks_above(x, threshold);
  std::vector<double> s;
  for (std::size_t j = 0; j < m; ++j) {
    s.assign(found.values.begin() + found.first[j], found.values.begin() + found.first[j + 1]);
    std::sort(s.begin(), s.end(), std::greater<>());
    if (s.size() > rule.k) s.resize(rule.k);
    // Largest support whose last entry stays positive (projection onto the simplex).
    double sum = 0.0, shift = 0.0;
    for (std::size_t p = 0; p < s.size(); ++p) {
      sum += s[p];
      const double candidate = (rule.gamma * b_[j] - sum) / static_cast<double>(p + 1);
      if (s[p] + candidate <= 0.0) break;
      shift = candidate;
    }
    x.beta[j] += shift;
    for (GlobalIndex e = found.first[j]; e < found.first[j + 1]; ++e) found.values[e] += shift;
  }
  return assemble(x, found);
}

}  // namespace sparse_transport
