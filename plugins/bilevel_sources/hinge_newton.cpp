#include "hinge_newton.hpp"

#include <algorithm>
#include <cmath>

namespace bilevel_sources {

namespace {

/// Rows are cut into pieces of this many numbers, which the compiler makes vector registers of.
constexpr std::size_t piece = 8;

/// to += factor * from, a whole number of pieces.
inline void add(double* to, double factor, const double* from, std::size_t begin, std::size_t end) {
  for (std::size_t b = begin; b < end; b += piece) {
#pragma omp simd
    for (std::size_t l = 0; l < piece; ++l) to[b + l] += factor * from[b + l];
  }
}

inline double sum_of(const double (&lanes)[piece]) {
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
         ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

inline double product(const double* a, const double* b, std::size_t begin, std::size_t end) {
  double lanes[piece] = {};
  for (std::size_t k = begin; k < end; k += piece) {
#pragma omp simd
    for (std::size_t l = 0; l < piece; ++l) lanes[l] += a[k + l] * b[k + l];
  }
  return sum_of(lanes);
}

}  // namespace

HingeNewton::HingeNewton(const SvmSamples& samples, std::vector<double> d)
    : samples_(&samples),
      n_(static_cast<std::size_t>(samples.num_rows())),
      q_(static_cast<std::size_t>(samples.num_columns())),
      width_((q_ + piece - 1) / piece * piece),
      d_(std::move(d)),
      u_(width_),
      gaps_(n_),
      losses_(n_),
      weights_(n_),
      gradient_(width_),
      step_(width_),
      slopes_(n_) {
  if (!samples.is_full()) return;
  rows_.assign(n_ * width_, 0.0);
  for (std::size_t i = 0; i < n_; ++i) std::copy_n(samples.full_row(i), q_, &rows_[i * width_]);
}

void HingeNewton::multiply(const std::vector<double>& u, std::vector<double>& m) const {
  if (rows_.empty()) return samples_->multiply(std::span(u).first(q_), m);
  // Two rows at a time: their sums need not wait for each other.
  std::size_t i = 0;
  for (; i + 2 <= n_; i += 2) {
    const double *const a = &rows_[i * width_], *const b = a + width_;
    double first[piece] = {}, second[piece] = {};
    for (std::size_t k = 0; k < width_; k += piece) {
#pragma omp simd
      for (std::size_t l = 0; l < piece; ++l) {
        first[l] += a[k + l] * u[k + l];
        second[l] += b[k + l] * u[k + l];
      }
    }
    m[i] = sum_of(first);
    m[i + 1] = sum_of(second);
  }
  if (i < n_) m[i] = product(&rows_[i * width_], u.data(), 0, width_);
}

void HingeNewton::add_transposed(const std::vector<double>& weights,
                                 std::vector<double>& out) const {
  if (rows_.empty()) return samples_->add_transposed(weights, std::span(out).first(q_));
  for (std::size_t i = 0; i < n_; ++i)
    if (weights[i] != 0.0) add(out.data(), weights[i], &rows_[i * width_], 0, width_);
}

/// matrix_ for the rows with a loss; whether it changed.
bool HingeNewton::update_matrix(std::span<const double> k) {
  const bool is_new = matrix_.empty() || updates_ > 50 * n_ ||
                      !std::equal(k.begin(), k.end(), kept_k_.begin(), kept_k_.end());
  if (is_new) {
    matrix_.assign(q_ * width_, 0.0);
    for (std::size_t j = 0; j < q_; ++j) matrix_[j * width_ + j] = d_[j];
    counts_.assign(n_, false);
    kept_k_.assign(k.begin(), k.end());
    updates_ = 0;
  }
  changed_.clear();
  for (std::size_t i = 0; i < n_; ++i)
    if ((losses_[i] > 0.0) != counts_[i]) changed_.push_back(i);
  add_rows(k);
  updates_ += changed_.size();
  return is_new || !changed_.empty();
}

/// The upper triangle of sum +-k_i a_i a_i^T over the changed rows, four of them at a time.
void HingeNewton::add_rows(std::span<const double> k) {
  constexpr std::size_t together = 4;
  const std::vector<double> zero(width_, 0.0);
  for (std::size_t first = 0; first < changed_.size(); first += together) {
    const double* a[together];
    double sign[together];
    for (std::size_t r = 0; r < together; ++r) {
      const bool is_row = first + r < changed_.size();
      const std::size_t i = is_row ? changed_[first + r] : 0;
      a[r] = is_row ? &rows_[i * width_] : zero.data();
      sign[r] = counts_[i] ? -k[i] : k[i];
    }
    for (std::size_t j = 0; j < q_; ++j) {
      double* const to = &matrix_[j * width_];
      const double f0 = sign[0] * a[0][j], f1 = sign[1] * a[1][j];
      const double f2 = sign[2] * a[2][j], f3 = sign[3] * a[3][j];
      for (std::size_t b = j / piece * piece; b < width_; b += piece) {
#pragma omp simd
        for (std::size_t l = b; l < b + piece; ++l)
          to[l] += (f0 * a[0][l] + f1 * a[1][l]) + (f2 * a[2][l] + f3 * a[3][l]);
      }
    }
  }
  for (const std::size_t i : changed_) counts_[i] = !counts_[i];
}

/// matrix_ = U^T D^-1 U, U in factor_, 1/D in pivots_. A pivot that rounding leaves of nothing
/// belongs to a direction in which nothing counts (b without any loss): no step is made along it.
void HingeNewton::factorise() {
  factor_ = matrix_;
  pivots_.resize(q_);
  for (std::size_t j = 0; j < q_; ++j) {
    const double* const row = &factor_[j * width_];
    const bool is_nothing = !(row[j] > 1e-15 * matrix_[j * width_ + j]);
    pivots_[j] = is_nothing ? 0.0 : 1.0 / row[j];
    if (is_nothing) continue;
    for (std::size_t i = j + 1; i < q_; ++i)
      add(&factor_[i * width_], -row[i] * pivots_[j], row, i / piece * piece, width_);
  }
}

/// step_ with matrix_ step = gradient.
void HingeNewton::solve_with_factors() {
  step_ = gradient_;
  for (std::size_t j = 0; j < q_; ++j) {
    const double* const row = &factor_[j * width_];
    const double factor = step_[j] * pivots_[j];
    for (std::size_t i = j + 1; i < q_; ++i) step_[i] -= factor * row[i];
  }
  for (std::size_t j = q_; j-- > 0;) {
    const double* const row = &factor_[j * width_];
    double sum = step_[j];
    for (std::size_t i = j + 1; i < q_; ++i) sum -= row[i] * step_[i];
    step_[j] = sum * pivots_[j];
  }
}

void HingeNewton::solve_by_conjugate_gradients(std::span<const double> k) {
  std::vector<double> r = gradient_, p = r, Ap(width_), along(n_);
  std::fill(step_.begin(), step_.end(), 0.0);
  double squared = product(r.data(), r.data(), 0, width_);
  const double enough = 1e-24 * squared;
  const std::size_t most = 10 * (q_ + 10);
  for (std::size_t it = 0; it < most && squared > enough; ++it) {
    multiply(p, along);
    for (std::size_t i = 0; i < n_; ++i) along[i] *= losses_[i] > 0.0 ? k[i] : 0.0;
    for (std::size_t j = 0; j < q_; ++j) Ap[j] = d_[j] * p[j];
    add_transposed(along, Ap);
    const double curvature = product(p.data(), Ap.data(), 0, width_);
    if (!(curvature > 0.0)) break;
    const double alpha = squared / curvature;
    add(step_.data(), alpha, p.data(), 0, width_);
    add(r.data(), -alpha, Ap.data(), 0, width_);
    const double next = product(r.data(), r.data(), 0, width_);
    for (std::size_t j = 0; j < q_; ++j) p[j] = r[j] + next / squared * p[j];
    squared = next;
  }
}

/// The t at which 1/2 c t^2 - s t + 1/2 sum_i k_i max(0, gap_i + t slope_i)^2 is smallest, c and s
/// those of the quadratic part; its derivative rises, Newton's method within a bracket.
double HingeNewton::line_search(std::span<const double> k, double slope, double curvature) const {
  double low = 0.0, high = INFINITY, t = 1.0;
  constexpr int max_steps = 100;
  for (int step = 0; step < max_steps; ++step) {
    double first = curvature * t - slope, second = curvature, size = std::abs(slope);
    const double *const gaps = gaps_.data(), *const slopes = slopes_.data(),
                        *const weight = k.data();
#pragma omp simd reduction(+ : first, second, size)
    for (std::size_t i = 0; i < n_; ++i) {
      const double gap = gaps[i] + t * slopes[i];
      const double on = gap > 0.0 ? weight[i] * slopes[i] : 0.0;
      first += on * gap;
      second += on * slopes[i];
      size += std::abs(on * gap);
    }
    if (std::abs(first) <= 1e-15 * size || !(second > 0.0)) return t;
    (first < 0.0 ? low : high) = t;
    const double next = t - first / second;
    const double safe = next > low && next < high ? next
                        : high < INFINITY         ? 0.5 * (low + high)
                                                  : 2.0 * t;
    if (safe == t) return t;
    t = safe;
  }
  return t;
}

int HingeNewton::solve(std::span<const double> u0, std::span<const double> k,
                       std::span<const double> h, std::vector<double>& u) {
  constexpr int max_steps = 100;
  std::copy(u.begin(), u.end(), u_.begin());
  multiply(u_, gaps_);
  for (std::size_t i = 0; i < n_; ++i) gaps_[i] = h[i] - gaps_[i];
  for (int step = 1; step <= max_steps; ++step) {
    for (std::size_t i = 0; i < n_; ++i) {
      losses_[i] = std::max(0.0, gaps_[i]);
      weights_[i] = -k[i] * losses_[i];
    }
    for (std::size_t j = 0; j < q_; ++j) gradient_[j] = d_[j] * (u_[j] - u0[j]);
    add_transposed(weights_, gradient_);
    if (rows_.empty()) {
      solve_by_conjugate_gradients(k);
    } else {
      if (update_matrix(k)) factorise();
      solve_with_factors();
    }
    multiply(step_, slopes_);
    double slope = 0.0, curvature = 0.0, largest_step = 0.0, largest = 0.0;
    for (std::size_t j = 0; j < q_; ++j) {
      slope += d_[j] * (u_[j] - u0[j]) * step_[j];
      curvature += d_[j] * step_[j] * step_[j];
      largest_step = std::max(largest_step, std::abs(step_[j]));
      largest = std::max(largest, std::abs(u_[j]));
    }
    if (!std::isfinite(largest_step)) return -1;
    // The full step where no row changes sides, else the best one.
    bool is_exact = true;
    for (std::size_t i = 0; i < n_; ++i)
      is_exact = is_exact && (gaps_[i] + slopes_[i] > 0.0) == (gaps_[i] > 0.0);
    const double t = is_exact ? 1.0 : line_search(k, slope, curvature);
    add(u_.data(), -t, step_.data(), 0, width_);
    for (std::size_t i = 0; i < n_; ++i) gaps_[i] += t * slopes_[i];
    if (!is_exact && !(largest_step <= 1e-15 * largest)) continue;
    for (std::size_t i = 0; i < n_; ++i) losses_[i] = std::max(0.0, gaps_[i]);
    std::copy_n(u_.begin(), q_, u.begin());
    return step;
  }
  return -1;
}

}  // namespace bilevel_sources
