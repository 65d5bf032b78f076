#include <algorithm>
#include <cmath>
#include <libsolve/bilevel/detail/convex_qp.hpp>
#include <limits>

namespace libsolve::detail {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double dot(const double* a, const double* b, std::size_t n) {
  double sum = 0.0;
  for (std::size_t j = 0; j < n; ++j) sum += a[j] * b[j];
  return sum;
}

/// The Cholesky factor of A (n x n, by rows) in its lower half; false where there is none.
bool cholesky(std::vector<double>& A, std::size_t n) {
  double largest = 0.0;
  for (std::size_t j = 0; j < n; ++j) largest = std::max(largest, A[j * n + j]);
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = j; i < n; ++i) {
      A[i * n + j] -= dot(&A[i * n], &A[j * n], j);
      if (i == j) {
        if (!(A[j * n + j] > 1e-13 * largest)) return false;
        A[j * n + j] = std::sqrt(A[j * n + j]);
      } else {
        A[i * n + j] /= A[j * n + j];
      }
    }
  }
  return true;
}

void solve_with(const std::vector<double>& L, std::vector<double>& b) {
  const std::size_t n = b.size();
  for (std::size_t i = 0; i < n; ++i) b[i] = (b[i] - dot(&L[i * n], b.data(), i)) / L[i * n + i];
  for (std::size_t i = n; i-- > 0;) {
    b[i] /= L[i * n + i];
    for (std::size_t k = 0; k < i; ++k) b[k] -= L[i * n + k] * b[i];
  }
}

}  // namespace

void ConvexQp::start(std::size_t n) {
  n_ = n;
  H.assign(n * n, 0.0);
  g.assign(n, 0.0);
  rows_.clear();
  low_.clear();
  high_.clear();
  lengths_.clear();
}

void ConvexQp::add(std::span<const double> a, double low, double high) {
  rows_.insert(rows_.end(), a.begin(), a.end());
  low_.push_back(low);
  high_.push_back(high);
  lengths_.push_back(std::sqrt(dot(a.data(), a.data(), n_)));
}

bool ConvexQp::factorise() {
  double scale = 0.0;
  for (const double h : H) scale = std::max(scale, std::abs(h));
  double shift = 0.0;
  for (int attempt = 0; attempt < 60; ++attempt) {
    L_ = H;
    for (std::size_t j = 0; j < n_; ++j) L_[j * n_ + j] += shift;
    if (cholesky(L_, n_)) return true;
    shift = shift == 0.0 ? 1e-3 * scale : 4.0 * shift;
  }
  return false;
}

void ConvexQp::apply_inverse(std::vector<double>& b) const {
  solve_with(L_, b);
}

double ConvexQp::value(std::size_t i) const {
  return dot(&rows_[i * n_], x.data(), n_);
}

bool ConvexQp::most_violated(std::size_t& constraint, double& sign) const {
  const double size = std::sqrt(dot(x.data(), x.data(), n_));
  double worst = 0.0;
  for (std::size_t i = 0; i < low_.size(); ++i) {
    if (std::any_of(active_.begin(), active_.end(),
                    [&](const Active& a) { return a.constraint == i; }))
      continue;
    const double v = value(i), length = std::max(lengths_[i], 1e-300);
    const double over = v - high_[i], under = low_[i] - v;
    const double bound = over > under ? high_[i] : low_[i];
    const double rounding = 1e-15 * (length * size + std::abs(bound));
    const double by = std::max(over, under);
    if (by <= rounding || by / length <= worst) continue;
    worst = by / length;
    constraint = i;
    sign = over > under ? 1.0 : -1.0;
  }
  return worst > 0.0;
}

/// Raises the multiplier of a violated constraint until it is met, dropping others on the way.
bool ConvexQp::bring_in(std::size_t constraint, double sign) {
  std::vector<double> a(&rows_[constraint * n_], &rows_[constraint * n_] + n_);
  for (double& v : a) v *= sign;
  const double bound = sign > 0.0 ? high_[constraint] : -low_[constraint];
  std::vector<double> inverse_a = a;
  apply_inverse(inverse_a);
  const double own = dot(a.data(), inverse_a.data(), n_);
  double multiplier = 0.0;
  for (std::size_t change = 0; change <= 2 * low_.size() + 2; ++change) {
    const std::size_t q = active_.size();
    // r: how fast the active multipliers fall; z: how fast x moves.
    std::vector<double> r(q), z = inverse_a, M(q * q);
    const auto normal = [&](std::size_t k) { return &rows_[active_[k].constraint * n_]; };
    for (std::size_t k = 0; k < q; ++k) {
      r[k] = active_[k].sign * dot(normal(k), inverse_a.data(), n_);
      for (std::size_t l = 0; l < q; ++l)
        M[k * q + l] =
            active_[k].sign * active_[l].sign * dot(normal(k), inverse_rows_[l].data(), n_);
    }
    if (q > 0) {
      if (!cholesky(M, q)) return false;
      solve_with(M, r);
    }
    for (std::size_t k = 0; k < q; ++k)
      for (std::size_t j = 0; j < n_; ++j) z[j] -= r[k] * active_[k].sign * inverse_rows_[k][j];
    const double slope = dot(a.data(), z.data(), n_);
    const double beyond = dot(a.data(), x.data(), n_) - bound;
    const double to_bound = slope > 1e-13 * own ? beyond / slope : infinity;
    double to_drop = infinity;
    std::size_t dropped = q;
    for (std::size_t k = 0; k < q; ++k) {
      const std::size_t i = active_[k].constraint;
      if (low_[i] == high_[i] || r[k] <= 0.0 || active_[k].multiplier >= to_drop * r[k]) continue;
      to_drop = active_[k].multiplier / r[k];
      dropped = k;
    }
    const double t = std::min(to_bound, to_drop);
    if (!(t < infinity)) return false;
    if (to_bound < infinity)
      for (std::size_t j = 0; j < n_; ++j) x[j] -= t * z[j];
    for (std::size_t k = 0; k < q; ++k) active_[k].multiplier -= t * r[k];
    multiplier += t;
    if (to_bound <= to_drop) {
      active_.push_back({constraint, sign, multiplier});
      for (double& v : inverse_a) v *= sign;
      inverse_rows_.push_back(std::move(inverse_a));
      return true;
    }
    active_.erase(active_.begin() + static_cast<std::ptrdiff_t>(dropped));
    inverse_rows_.erase(inverse_rows_.begin() + static_cast<std::ptrdiff_t>(dropped));
  }
  return false;
}

bool ConvexQp::solve() {
  active_.clear();
  inverse_rows_.clear();
  multipliers.assign(low_.size(), 0.0);
  if (!factorise()) return false;
  x = g;
  for (double& v : x) v = -v;
  apply_inverse(x);
  const std::size_t most_changes = 20 * (low_.size() + 1);
  for (std::size_t change = 0; change < most_changes; ++change) {
    std::size_t constraint = 0;
    double sign = 1.0;
    if (!most_violated(constraint, sign)) {
      for (const Active& a : active_) multipliers[a.constraint] = a.sign * a.multiplier;
      return true;
    }
    if (!bring_in(constraint, sign)) return false;
  }
  return false;
}

}  // namespace libsolve::detail
