#include "kkt_system.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "krylov.hpp"

namespace sketch_newton {

namespace {

constexpr double wanted_residual = 1e-11;
constexpr std::size_t most_steps = 12;
constexpr double minres_residual = 5e-7;
constexpr std::int64_t most_minres_steps = 20000;

}  // namespace

KktSystem::KktSystem(const Form& form, std::size_t dense_limit, By by)
    : n_(form.n), m_(form.m), by_(by) {
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
  if (by_ == By::minres) return;
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
  if (by_ == By::minres) return true;
  ++num_factorisations;
  factors_->stop = stop;
  const bool ok = factors_->factor(K_);
  if (ok) flops += factors_->flops();
  return ok;
}

bool KktSystem::has_right_inertia() const {
  if (by_ == By::minres) return true;
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
  if (by_ == By::minres) {
    Numbers scale(size);
    for (std::size_t i = 0; i < size; ++i) {
      const double d = std::abs(K_.values[static_cast<std::size_t>(K_.first[i])]);
      scale[i] = 1.0 / std::sqrt(d > 0.0 ? d : 1.0);
    }
    std::int64_t steps = 0;
    const double residual = minres([this](In v, Out y) { multiply(v, y); }, scale, b, x,
                                   minres_residual, most_minres_steps, steps, stop);
    num_solves += steps;
    flops += static_cast<double>(steps) *
             (4.0 * static_cast<double>(K_.rows.size()) + 20.0 * static_cast<double>(size));
    return residual;
  }
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
  const double now = flexible_gmres([this](In v, Out y) { multiply(v, y); },
                                    [this](In v, Out y) {
                                      std::copy(v.begin(), v.end(), y.begin());
                                      factors_->solve(y);
                                      ++num_solves;
                                    },
                                    b, x, wanted_residual, most_steps, stop);
  if (now < least) return now;
  x = best;
  return least;
}

}  // namespace sketch_newton
