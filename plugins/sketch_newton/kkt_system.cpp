#include "kkt_system.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sketch_newton {

namespace {

constexpr double wanted_residual = 1e-11;
constexpr std::size_t most_steps = 12;

double dot(In x, In y) {
  double s = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) s += x[i] * y[i];
  return s;
}

double largest(In x) {
  double s = 0.0;
  for (const double v : x)
    if (!(std::abs(v) <= s)) s = std::abs(v);
  return s;
}

}  // namespace

KktSystem::KktSystem(const Form& form, std::size_t dense_limit) : n_(form.n), m_(form.m) {
  struct Place {
    int column, row;
    std::size_t entry;
  };
  const std::size_t size = n_ + m_;
  const SparsePattern& H = form.hessian_pattern;
  const SparsePattern& J = form.jacobian_pattern;
  std::vector<Place> places;
  places.reserve(size + H.size() + J.size());
  for (std::size_t i = 0; i < size; ++i)
    places.push_back({static_cast<int>(i), static_cast<int>(i), i});
  for (std::size_t k = 0; k < H.size(); ++k)
    places.push_back(
        {std::min(H.rows[k], H.columns[k]), std::max(H.rows[k], H.columns[k]), size + k});
  for (std::size_t k = 0; k < J.size(); ++k)
    places.push_back({J.columns[k], static_cast<int>(n_) + J.rows[k], size + H.size() + k});
  std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
    return a.column != b.column ? a.column < b.column : a.row < b.row;
  });
  std::vector<std::size_t> at(places.size());
  K_.first.assign(size + 1, 0);
  for (std::size_t k = 0; k < places.size(); ++k) {
    const bool is_new =
        k == 0 || places[k].column != places[k - 1].column || places[k].row != places[k - 1].row;
    if (is_new) {
      K_.rows.push_back(places[k].row);
      ++K_.first[static_cast<std::size_t>(places[k].column) + 1];
    }
    at[places[k].entry] = K_.rows.size() - 1;
  }
  std::partial_sum(K_.first.begin(), K_.first.end(), K_.first.begin());
  K_.values.assign(K_.rows.size(), 0.0);
  base_ = K_.values;
  diagonal_at_.assign(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(size));
  h_at_.assign(at.begin() + static_cast<std::ptrdiff_t>(size),
               at.begin() + static_cast<std::ptrdiff_t>(size + H.size()));
  j_at_.assign(at.begin() + static_cast<std::ptrdiff_t>(size + H.size()), at.end());
  dense_ = size <= dense_limit;
  factors_ = dense_ ? dense_factors() : sparse_factors();
}

void KktSystem::set(In hessian, In jacobian, In d) {
  std::fill(base_.begin(), base_.end(), 0.0);
  for (std::size_t k = 0; k < hessian.size(); ++k) base_[h_at_[k]] += hessian[k];
  for (std::size_t k = 0; k < jacobian.size(); ++k) base_[j_at_[k]] += jacobian[k];
  for (std::size_t i = 0; i < n_; ++i) base_[diagonal_at_[i]] += d[i];
}

bool KktSystem::factor(double dw, double dc) {
  K_.values = base_;
  for (std::size_t i = 0; i < n_ + m_; ++i) K_.values[diagonal_at_[i]] += i < n_ ? dw : -dc;
  if (!held_.empty()) {
    for (std::size_t j = 0; j < n_; ++j)
      for (int p = K_.first[j]; p < K_.first[j + 1]; ++p) {
        const auto i = static_cast<std::size_t>(K_.rows[static_cast<std::size_t>(p)]);
        if (held_[j] || (i < n_ && held_[i]))
          K_.values[static_cast<std::size_t>(p)] = i == j ? 1.0 : 0.0;
      }
  }
  ++num_factorisations;
  const bool ok = factors_->factor(K_);
  if (ok) flops += factors_->flops();
  return ok;
}

bool KktSystem::has_right_inertia() const {
  const Inertia i = factors_->inertia();
  return i.negative == m_ && i.zero == 0;
}

void KktSystem::multiply(In x, Out y) const {
  std::fill(y.begin(), y.end(), 0.0);
  for (std::size_t j = 0; j < n_ + m_; ++j) {
    double sum = 0.0;
    const double xj = x[j];
    const auto begin = static_cast<std::size_t>(K_.first[j]);
    const auto end = static_cast<std::size_t>(K_.first[j + 1]);
    y[j] += K_.values[begin] * xj;
    for (std::size_t p = begin + 1; p < end; ++p) {
      const auto i = static_cast<std::size_t>(K_.rows[p]);
      y[i] += K_.values[p] * xj;
      sum += K_.values[p] * x[i];
    }
    y[j] += sum;
  }
}

double KktSystem::solve(In b, Numbers& x) {
  const std::size_t size = n_ + m_;
  const double b_size = largest(b);
  x.assign(size, 0.0);
  if (!(b_size > 0.0)) return b_size;
  // x += F^-1 r until the residual is rounding; where that does not converge, flexible GMRES.
  Numbers r(b.begin(), b.end()), best = x, Kx(size), z(size);
  double before = 1.0, least = 1.0;
  for (int k = 0; k < 4; ++k) {
    z = r;
    factors_->solve(z);
    ++num_solves;
    for (std::size_t i = 0; i < size; ++i) x[i] += z[i];
    multiply(x, Kx);
    for (std::size_t i = 0; i < size; ++i) r[i] = b[i] - Kx[i];
    const double now = largest(r) / b_size;
    if (now < least) {
      least = now;
      best = x;
    }
    if (now <= wanted_residual || !(now < 0.5 * before)) break;
    before = now;
  }
  if (least <= wanted_residual) {
    x = best;
    return least;
  }
  x = best;
  multiply(x, Kx);
  for (std::size_t i = 0; i < size; ++i) r[i] = b[i] - Kx[i];
  const double beta = std::sqrt(dot(r, r));
  std::vector<Numbers> V, Z;
  std::vector<Numbers> h;  // columns, rotated
  Numbers cosine, sine, g{beta};
  V.push_back(r);
  for (double& v : V[0]) v /= beta;
  const double stop = wanted_residual * b_size;
  while (Z.size() < most_steps && std::abs(g.back()) > stop) {
    Z.push_back(V.back());
    factors_->solve(Z.back());
    ++num_solves;
    Numbers w(size);
    multiply(Z.back(), w);
    Numbers column(V.size() + 1);
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t i = 0; i < V.size(); ++i) {
        const double s = dot(V[i], w);
        column[i] += s;
        for (std::size_t k = 0; k < size; ++k) w[k] -= s * V[i][k];
      }
    const double norm = std::sqrt(dot(w, w));
    column.back() = norm;
    if (!std::isfinite(norm)) {
      Z.pop_back();
      break;
    }
    for (std::size_t i = 0; i < cosine.size(); ++i) {
      const double a = column[i], c = column[i + 1];
      column[i] = cosine[i] * a + sine[i] * c;
      column[i + 1] = cosine[i] * c - sine[i] * a;
    }
    const std::size_t k = cosine.size();
    const double length = std::hypot(column[k], column[k + 1]);
    if (length == 0.0) {
      Z.pop_back();
      break;
    }
    cosine.push_back(column[k] / length);
    sine.push_back(column[k + 1] / length);
    column[k] = length;
    const double last = g[k];
    g[k] = cosine[k] * last;
    g.push_back(-sine[k] * last);
    h.push_back(std::move(column));
    for (double& v : w) v /= norm > 0.0 ? norm : 1.0;
    V.push_back(std::move(w));
    if (norm == 0.0) break;
  }
  Numbers y(Z.size());
  for (std::size_t k = Z.size(); k-- > 0;) {
    y[k] = g[k];
    for (std::size_t j = k + 1; j < Z.size(); ++j) y[k] -= h[j][k] * y[j];
    y[k] /= h[k][k];
  }
  for (std::size_t k = 0; k < Z.size(); ++k)
    for (std::size_t i = 0; i < size; ++i) x[i] += y[k] * Z[k][i];
  multiply(x, Kx);
  for (std::size_t i = 0; i < size; ++i) r[i] = b[i] - Kx[i];
  const double now = largest(r) / b_size;
  if (now < least) return now;
  x = best;
  return least;
}

}  // namespace sketch_newton
