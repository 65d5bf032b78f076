#include "sparse_cholesky.hpp"

#include <algorithm>
#include <cmath>

namespace sparse_transport {

SparseCholesky::SparseCholesky(std::int32_t size)
    : rows_(static_cast<std::size_t>(size)), diagonal_(static_cast<std::size_t>(size), 0.0) {}

namespace {

void add_to(std::vector<std::pair<std::int32_t, double>>& row, std::int32_t j, double value) {
  for (auto& [column, entry] : row)
    if (column == j) {
      entry += value;
      return;
    }
  row.emplace_back(j, value);
}

}  // namespace

void SparseCholesky::add(std::int32_t i, std::int32_t j, double value) {
  if (i == j) {
    diagonal_[i] += value;
    return;
  }
  add_to(rows_[i], j, value);
  add_to(rows_[j], i, value);
}

/// Schur complement: A_pq -= A_pk A_kq / A_kk for the neighbours p, q of k.
bool SparseCholesky::eliminate(std::int32_t node) {
  const double pivot = diagonal_[node];
  if (!(pivot > 0.0)) return false;
  Row others = std::move(rows_[node]);
  for (const auto& [p, left] : others) {
    Row& row = rows_[p];
    const auto self = std::find_if(row.begin(), row.end(), [node](const auto& e) { return e.first == node; });
    *self = row.back();
    row.pop_back();
  }
  for (std::size_t s = 0; s < others.size(); ++s) {
    const auto [p, left] = others[s];
    diagonal_[p] -= left * left / pivot;
    for (std::size_t t = s + 1; t < others.size(); ++t) {
      const double change = -left * others[t].second / pivot;
      add_to(rows_[p], others[t].first, change);
      add_to(rows_[others[t].first], p, change);
    }
  }
  fill_ += static_cast<std::int64_t>(others.size());
  eliminated_.push_back({node, pivot, std::move(others)});
  return true;
}

bool SparseCholesky::factor_rest(const std::vector<std::int32_t>& nodes) {
  rest_ = nodes;
  const std::size_t r = rest_.size();
  std::vector<std::size_t> place(rows_.size());
  for (std::size_t k = 0; k < r; ++k) place[rest_[k]] = k;
  dense_.assign(r * r, 0.0);
  for (std::size_t k = 0; k < r; ++k) {
    dense_[k * r + k] = diagonal_[rest_[k]];
    for (const auto& [j, value] : rows_[rest_[k]])
      if (place[j] < k) dense_[k * r + place[j]] = value;
  }
  for (std::size_t i = 0; i < r; ++i) {
    double* const row = &dense_[i * r];
    for (std::size_t j = 0; j <= i; ++j) {
      const double* const other = &dense_[j * r];
      double s = row[j];
#pragma omp simd reduction(- : s)
      for (std::size_t k = 0; k < j; ++k) s -= row[k] * other[k];
      if (j < i)
        row[j] = s / other[j];
      else if (s > 0.0)
        row[i] = std::sqrt(s);
      else
        return false;
    }
  }
  fill_ += static_cast<std::int64_t>(r * (r - (r > 0 ? 1 : 0)) / 2);
  return true;
}

/// Least degree first, by buckets of degrees with stale entries skipped.
bool SparseCholesky::factor() {
  const std::size_t size = rows_.size();
  std::vector<std::vector<std::int32_t>> bucket(size + 1);
  std::vector<bool> is_done(size, false);
  for (std::size_t v = size; v-- > 0;) bucket[rows_[v].size()].push_back(static_cast<std::int32_t>(v));
  std::size_t left = size, degree = 0;
  while (left > 0) {
    while (degree <= size && bucket[degree].empty()) ++degree;
    const std::int32_t v = bucket[degree].back();
    bucket[degree].pop_back();
    if (is_done[v] || rows_[v].size() != degree) continue;
    if (degree > 8 && 4 * degree > left) {
      std::vector<std::int32_t> nodes;
      for (std::size_t w = 0; w < size; ++w)
        if (!is_done[w]) nodes.push_back(static_cast<std::int32_t>(w));
      return factor_rest(nodes);
    }
    is_done[v] = true;
    --left;
    if (!eliminate(v)) return false;
    for (const auto& [p, value] : eliminated_.back().others) {
      bucket[rows_[p].size()].push_back(p);
      degree = std::min(degree, rows_[p].size());
    }
  }
  return true;
}

void SparseCholesky::solve_rest(std::vector<double>& x) const {
  const std::size_t r = rest_.size();
  for (std::size_t i = 0; i < r; ++i) {
    double s = x[rest_[i]];
    for (std::size_t k = 0; k < i; ++k) s -= dense_[i * r + k] * x[rest_[k]];
    x[rest_[i]] = s / dense_[i * r + i];
  }
  for (std::size_t i = r; i-- > 0;) {
    const double v = x[rest_[i]] /= dense_[i * r + i];
    for (std::size_t k = 0; k < i; ++k) x[rest_[k]] -= dense_[i * r + k] * v;
  }
}

bool SparseCholesky::solve(std::vector<double>& x) {
  if (eliminated_.empty() && rest_.empty() && !factor()) return false;
  for (const Eliminated& e : eliminated_)
    for (const auto& [p, value] : e.others) x[p] -= value / e.pivot * x[e.node];
  solve_rest(x);
  for (std::size_t k = eliminated_.size(); k-- > 0;) {
    const Eliminated& e = eliminated_[k];
    double s = x[e.node];
    for (const auto& [p, value] : e.others) s -= value * x[p];
    x[e.node] = s / e.pivot;
  }
  return true;
}

}  // namespace sparse_transport
