#include "restricted_dual.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sinkhorn_newton {

namespace {

std::size_t at(GlobalIndex k) {
  return static_cast<std::size_t>(k);
}

/// Rows that are looked at to foresee the length of a list.
constexpr Index sampled_rows = 64;
/// |x| where exp(x) is still far from overflow; no Newton step of use is longer.
constexpr double longest_step = 200.0;

/// Of what may be left out of a row, the list leaves out this part: room for the steps to come.
constexpr double list_part = 1e-2;

/// Entries of a refused step that carry this part of their row, over m, are added to the list.
constexpr double enriching_part = 1e-2;

template <class T>
void copy_to_host(const Kokkos::View<T*, MemSpace>& v, std::vector<T>& to) {
  const auto h = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
  to.assign(h.data(), h.data() + h.extent(0));
}

double dot(const Numbers& x, const Numbers& y) {
  double s = 0.0;
  for (std::size_t j = 0; j < x.size(); ++j) s += x[j] * y[j];
  return s;
}

/// eps log(part r_i / m): entries below carry at most `part` of their row, all together.
Numbers thresholds_of(const SemiDual& dual, double part) {
  Numbers t(dual.r.size());
  for (std::size_t i = 0; i < t.size(); ++i)
    t[i] = dual.eps * std::log(part / static_cast<double>(dual.m()) * dual.r[i]);
  return t;
}

Numbers list_thresholds(const SemiDual& dual, double delta) {
  return thresholds_of(dual, std::max(delta * list_part, 1e-15));
}

/// The length of a list, from some rows.
double foreseen(const SemiDual& dual, const Numbers& thresholds) {
  const Index stride = std::max<Index>(1, dual.n() / sampled_rows);
  const DenseBlock row("sns::row", 1, at(dual.m()));
  double found = 0.0, rows = 0.0;
  for (Index i = stride / 2; i < dual.n(); i += stride) {
    dual.problem().cost().rows_of(i, row);
    const auto C = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), row);
    for (Index j = 0; j < dual.m(); ++j)
      found += dual.f[at(i)] + dual.g[at(j)] - C(0, j) >= thresholds[at(i)] ? 1.0 : 0.0;
    rows += 1.0;
  }
  return found / rows * dual.n();
}

SparseEntries search(const SemiDual& dual, const Numbers& thresholds) {
  const VectorView t("sns::thresholds", thresholds.size());
  to_device(thresholds, t);
  return dual.problem().cost().entries_above(dual.problem().f().view(), dual.problem().g().view(),
                                             t);
}

}  // namespace

double RestrictedDual::entries_per_row() const {
  return static_cast<double>(columns_.size()) / std::max(1.0, static_cast<double>(rest_.size()));
}

double RestrictedDual::memory_bytes() const {
  return 45.0 * static_cast<double>(largest);
}

double RestrictedDual::length(const SemiDual& dual, double delta) {
  return foreseen(dual, list_thresholds(dual, delta));
}

bool RestrictedDual::make_list(const SemiDual& dual, double delta, double most) {
  const Numbers thresholds = list_thresholds(dual, delta);
  list_eps_ = 0.0;
  if (foreseen(dual, thresholds) > most) return false;
  const SparseEntries entries = search(dual, thresholds);
  ++lists;
  copy_to_host(entries.row_pointers, list_first_);
  copy_to_host(entries.columns, list_columns_);
  copy_to_host(entries.values, list_costs_);
  list_forced_.assign(list_columns_.size(), 0);
  for (Index i = 0; i < dual.n(); ++i)
    for (GlobalIndex k = list_first_[at(i)]; k < list_first_[at(i) + 1]; ++k)
      list_costs_[at(k)] = dual.f[at(i)] + dual.g[at(list_columns_[at(k)])] - list_costs_[at(k)];
  list_eps_ = dual.eps;
  largest = std::max(largest, static_cast<std::int64_t>(list_columns_.size()));
  return true;
}

void RestrictedDual::enrich(const SemiDual& dual) {
  const SparseEntries entries = search(dual, thresholds_of(dual, enriching_part));
  ++lists;
  std::vector<GlobalIndex> new_first, first(1, 0);
  std::vector<Index> new_columns, columns;
  Numbers slacks, costs;
  std::vector<char> forced;
  copy_to_host(entries.row_pointers, new_first);
  copy_to_host(entries.columns, new_columns);
  copy_to_host(entries.values, slacks);
  for (std::size_t i = 0; i < dual.r.size(); ++i) {
    auto k = at(list_first_[i]), l = at(new_first[i]);
    const auto k_end = at(list_first_[i + 1]), l_end = at(new_first[i + 1]);
    while (k < k_end || l < l_end) {
      const bool is_new = k == k_end || (l < l_end && new_columns[l] <= list_columns_[k]);
      const bool is_old = k < k_end && (!is_new || new_columns[l] == list_columns_[k]);
      columns.push_back(is_old ? list_columns_[k] : new_columns[l]);
      costs.push_back(is_old ? list_costs_[k] : dual.f[i] + dual.g[at(new_columns[l])] - slacks[l]);
      forced.push_back(is_new ? 1 : list_forced_[k]);
      k += is_old ? 1 : 0;
      l += is_new ? 1 : 0;
    }
    first.push_back(static_cast<GlobalIndex>(columns.size()));
  }
  list_first_ = std::move(first);
  list_columns_ = std::move(columns);
  list_costs_ = std::move(costs);
  list_forced_ = std::move(forced);
  largest = std::max(largest, static_cast<std::int64_t>(list_columns_.size()));
}

double RestrictedDual::collect(const SemiDual& dual, double delta) {
  double worst = 0.0;
  first_.assign(1, 0);
  columns_.clear();
  values_.clear();
  rest_.assign(dual.r.size(), 0.0);
  frozen_ = dual.c;
  for (Index i = 0; i < dual.n(); ++i) {
    const GlobalIndex begin = list_first_[at(i)], end = list_first_[at(i) + 1];
    const double r = dual.r[at(i)];
    double found = 0.0;
    const std::size_t before = values_.size();
    for (GlobalIndex k = begin; k < end; ++k) {
      const Index j = list_columns_[at(k)];
      const double p = std::exp((dual.f[at(i)] + dual.g[at(j)] - list_costs_[at(k)]) / dual.eps);
      found += p;
      columns_.push_back(j);
      values_.push_back(p);
    }
    const double missed = std::max(0.0, 1.0 - found / r);
    worst = std::max(worst, missed);
    // Entries below an equal share of what may be left out.
    const double least =
        std::max(0.0, delta - missed) * r / std::max<double>(1.0, static_cast<double>(end - begin));
    std::size_t kept = before;
    double sum = 0.0;
    for (std::size_t k = before; k < values_.size(); ++k) {
      if (values_[k] < least && list_forced_[at(begin) + (k - before)] == 0) continue;
      columns_[kept] = columns_[k];
      values_[kept] = values_[k];
      sum += values_[k];
      frozen_[at(columns_[k])] -= values_[k];
      ++kept;
    }
    columns_.resize(kept);
    values_.resize(kept);
    rest_[at(i)] = std::max(0.0, 1.0 - sum / r);
    first_.push_back(static_cast<GlobalIndex>(kept));
  }
  for (double& v : frozen_) v = std::max(0.0, v);
  return worst;
}

bool RestrictedDual::rebase(const SemiDual& dual, double delta, double most) {
  if (list_eps_ != dual.eps || collect(dual, delta) > delta) {
    if (!make_list(dual, delta, most)) return false;
    collect(dual, delta);
  }
  dual_ = &dual;
  base_f_ = dual.f;
  base_g_ = dual.g;
  row_ = dual.r;
  reset();
  return true;
}

void RestrictedDual::reset() {
  evaluate(Numbers(base_g_.size(), 0.0));
}

void RestrictedDual::evaluate(const Numbers& x) {
  ++evaluations;
  const double lambda = dual_->damping();
  x_ = x;
  expx_.resize(x.size());
  for (std::size_t j = 0; j < x.size(); ++j) expx_[j] = std::exp(x[j]);
  K_ = rest_;
  sums_.assign(x.size(), 0.0);
  for (std::size_t i = 0; i < K_.size(); ++i) {
    double s = 0.0;
    for (auto k = at(first_[i]); k < at(first_[i + 1]); ++k)
      s += values_[k] * expx_[at(columns_[k])];
    K_[i] += s / row_[i];
    const double scale = lambda == 1.0 ? 1.0 / K_[i] : std::pow(K_[i], -lambda);
    for (auto k = at(first_[i]); k < at(first_[i + 1]); ++k)
      sums_[at(columns_[k])] += values_[k] * scale;
  }
  gradient_.resize(x.size());
  targets_.resize(x.size());
  violation_ = 0.0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    sums_[j] = sums_[j] * expx_[j] + frozen_[j];
    targets_[j] = dual_->target(static_cast<Index>(j), base_g_[j] + dual_->eps * x[j]);
    gradient_[j] = targets_[j] - sums_[j];
    violation_ += std::abs(gradient_[j]);
  }
}

HostPlan RestrictedDual::plan(const Numbers& values) const {
  return {static_cast<Index>(base_g_.size()), first_, columns_, values};
}

/// S at x, times eps, with c_j ridge on the diagonal.
std::shared_ptr<const NewtonMatrix> RestrictedDual::matrix(double ridge) {
  const double lambda = dual_->damping(), relaxation = dual_->relaxation();
  Numbers values = values_, w(K_.size()), d(sums_.size());
  for (std::size_t i = 0; i < K_.size(); ++i) {
    const double scale = lambda == 1.0 ? 1.0 / K_[i] : std::pow(K_[i], -lambda);
    for (auto k = at(first_[i]); k < at(first_[i + 1]); ++k)
      values[k] *= scale * expx_[at(columns_[k])];
    w[i] = 1.0 / (row_[i] * std::pow(K_[i], 1.0 - lambda) * (1.0 + relaxation));
  }
  for (std::size_t j = 0; j < d.size(); ++j)
    d[j] = sums_[j] * (1.0 + ridge) + relaxation * targets_[j];
  return std::make_shared<const NewtonMatrix>(plan(values), w, d);
}

bool RestrictedDual::step(NewtonSolver& solver, double ridge, double relative_tolerance) {
  const Numbers d = solver.solve(matrix(ridge), entries_per_row(), gradient_, relative_tolerance);
  if (d.empty()) return false;
  const double slope = dot(gradient_, d);
  if (!(slope > 0.0)) return false;
  const Numbers from = x_;
  double size = 0.0;
  for (std::size_t j = 0; j < d.size(); ++j) size = std::max(size, std::abs(d[j]));
  double t = std::min(1.0, longest_step / size);
  for (int attempt = 0; attempt < 30; ++attempt) {
    Numbers x = from;
    for (std::size_t j = 0; j < x.size(); ++j)
      x[j] = std::clamp(x[j] + t * d[j], -longest_step, longest_step);
    evaluate(x);
    // The model is concave: while the slope has not turned to more than half of what it was, the
    // value has grown.
    const double slope_at = dot(gradient_, d);
    if (std::isfinite(slope_at) && slope_at >= -0.5 * slope) return true;
    const double secant = std::isfinite(slope_at) ? slope / (slope - slope_at) : 0.1;
    t *= std::clamp(secant, 0.1, 0.6);
  }
  evaluate(from);
  return false;
}

void RestrictedDual::apply(SemiDual& dual, double scale) const {
  const double lambda = dual.damping();
  for (std::size_t j = 0; j < base_g_.size(); ++j)
    dual.g[j] = base_g_[j] + scale * dual.eps * x_[j];
  for (std::size_t i = 0; i < base_f_.size(); ++i)
    dual.f[i] = base_f_[i] - scale * lambda * dual.eps * std::log(K_[i]);
}

bool RestrictedDual::predict(SemiDual& dual, NewtonSolver& solver, double next) {
  const double eps = dual.eps;
  Numbers rows(rest_.size(), 0.0), rhs(base_g_.size(), 0.0), w(rest_.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    w[i] = 1.0 / row_[i];
    for (auto k = at(first_[i]); k < at(first_[i + 1]); ++k) {
      if (!(values_[k] > 0.0)) continue;  // p log p is 0
      const double t = (next - eps) * values_[k] * std::log(values_[k]);
      rows[i] += t;
      rhs[at(columns_[k])] += t;
    }
  }
  double sum = 0.0, all = 0.0;
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (auto k = at(first_[i]); k < at(first_[i + 1]); ++k)
      rhs[at(columns_[k])] -= values_[k] * rows[i] * w[i];
  for (std::size_t j = 0; j < rhs.size(); ++j) sum += rhs[j], all += dual.c[j];
  Numbers d = dual.c;
  for (std::size_t j = 0; j < rhs.size(); ++j) {
    rhs[j] -= sum * dual.c[j] / all;
    d[j] *= 1.001;
  }
  const auto S = std::make_shared<const NewtonMatrix>(plan(values_), w, d);
  const Numbers dg = solver.solve(S, entries_per_row(), rhs, 1e-2);
  if (dg.empty()) return false;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double s = rows[i];
    for (auto k = at(first_[i]); k < at(first_[i + 1]); ++k) s -= values_[k] * dg[at(columns_[k])];
    dual.f[i] += s * w[i];
  }
  for (std::size_t j = 0; j < rhs.size(); ++j) dual.g[j] += dg[j];
  return true;
}

}  // namespace sinkhorn_newton
