#include "gmres.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/text.hpp>
#include <limits>

namespace krylov {

namespace {

/// Basis vectors read together with w: w is then read once for all of them.
constexpr int block = 4;

/// s_k += v_k w for N vectors.
template <int N>
struct DotsBody {
  const double* v[N];
  const double* w;
  template <class... S>
  KOKKOS_FUNCTION void operator()(Index i, S&... s) const {
    int k = 0;
    ((s += v[k++][i] * w[i]), ...);
  }
};

/// w += sum_k a_k v_k; s += w^2.
template <int N>
struct CombineBody {
  double a[N];
  const double* v[N];
  double* w;
  KOKKOS_FUNCTION void operator()(Index i, double& s) const {
    double next = w[i];
    for (int k = 0; k < N; ++k) next += a[k] * v[k][i];
    w[i] = next;
    s += next * next;
  }
};

template <int N>
void dots_of_block(const std::vector<Vector>& V, Index first, const Vector& w, double* out) {
  DotsBody<N> body;
  for (int k = 0; k < N; ++k) body.v[k] = V[static_cast<size_t>(first + k)].data();
  body.w = w.data();
  const auto sums =
      reduce_rows<Sums<N>>(default_space(), "krylov::gmres::dots", w.local_size(), body);
  for (int k = 0; k < N; ++k) out[k] = sums.value[k];
}

template <int N>
double combine_block(const std::vector<Vector>& V, Index first, const double* a, double sign,
                     const Vector& w) {
  CombineBody<N> body;
  for (int k = 0; k < N; ++k) {
    body.a[k] = sign * a[k];
    body.v[k] = V[static_cast<size_t>(first + k)].data();
  }
  body.w = w.data();
  return reduce_rows<Sums<1>>(default_space(), "krylov::gmres::combine", w.local_size(), body)
      .value[0];
}

/// out_k = v_k^T w for k < num, over all ranks.
void dots(const std::vector<Vector>& V, Index num, const Vector& w, double* out) {
  for (Index first = 0; first < num; first += block) {
    switch (std::min<Index>(block, num - first)) {
      case 1:
        dots_of_block<1>(V, first, w, out + first);
        break;
      case 2:
        dots_of_block<2>(V, first, w, out + first);
        break;
      case 3:
        dots_of_block<3>(V, first, w, out + first);
        break;
      default:
        dots_of_block<4>(V, first, w, out + first);
    }
  }
  w.communicator().sum(std::span(out, static_cast<size_t>(num)));
}

/// w += sign sum_{k < num} a_k v_k; returns w^T w over all ranks.
double combine(const std::vector<Vector>& V, Index num, const double* a, double sign,
               const Vector& w) {
  double squared = 0.0;
  for (Index first = 0; first < num; first += block) {
    switch (std::min<Index>(block, num - first)) {
      case 1:
        squared = combine_block<1>(V, first, a + first, sign, w);
        break;
      case 2:
        squared = combine_block<2>(V, first, a + first, sign, w);
        break;
      case 3:
        squared = combine_block<3>(V, first, a + first, sign, w);
        break;
      default:
        squared = combine_block<4>(V, first, a + first, sign, w);
    }
  }
  return w.communicator().sum(squared);
}

}  // namespace

Gmres::Gmres(const Options& options, const Context& context)
    : KrylovSolver("gmres", options, context), asked_restart_(options.restart) {}

void Gmres::allocate(const LinearSystem& system) {
  const std::int64_t useful = std::min<std::int64_t>(
      system.num_unknowns(), std::max<std::int64_t>(1, stopping().max_iterations));
  restart_ = static_cast<Index>(std::max<std::int64_t>(1, std::min(asked_restart_, useful)));
  const auto m = static_cast<size_t>(restart_);
  flexible_ = preconditioner() != nullptr && !preconditioner()->is_linear();
  V_.assign(m + 1, Vector());
  for (Vector& v : V_) v = system.x().like("krylov::gmres::V");
  Z_.assign(flexible_ ? m : 0, Vector());
  for (Vector& z : Z_) z = system.x().like("krylov::gmres::Z");
  const bool keeps_z = preconditioner() != nullptr && !flexible_;
  z_ = keeps_z ? system.x().like("krylov::gmres::z") : Vector();
  u_ = keeps_z ? system.x().like("krylov::gmres::u") : Vector();
  H_.assign(m * m, 0.0);
  for (auto* a : {&h_, &cosine_, &sine_, &g_, &y_, &correction_}) a->assign(m + 1, 0.0);
}

double Gmres::work_bytes() const {
  return 8.0 *
         (static_cast<double>(V_.size() + Z_.size()) * V_[0].local_size() + 2.0 * z_.local_size());
}

void Gmres::begin(Solve& s) {
  if (flexible_ && s.wants_text)
    s.notes.push_back("the preconditioner '" + s.M_name +
                      "' is not linear: flexible GMRES keeps its results, twice the memory");
}

double Gmres::orthogonalise(const Vector& w, Index num, double* h) {
  dots(V_, num, w, correction_.data());
  double before = 0.0;
  for (Index k = 0; k < num; ++k) {
    h[k] += correction_[static_cast<size_t>(k)];
    before += correction_[static_cast<size_t>(k)] * correction_[static_cast<size_t>(k)];
  }
  const double after = combine(V_, num, correction_.data(), -1.0, w);
  // ||w||^2 before = after + sum of squares (Pythagoras). Another pass only where more than one
  // digit of w was cancelled.
  if (after >= 0.01 * (after + before) || !std::isfinite(after)) return after;
  dots(V_, num, w, correction_.data());
  for (Index k = 0; k < num; ++k) h[k] += correction_[static_cast<size_t>(k)];
  return combine(V_, num, correction_.data(), -1.0, w);
}

bool Gmres::update_solution(Solve& s, Index num) {
  if (num == 0) return true;
  for (Index i = num - 1; i >= 0; --i) {
    double sum = g_[static_cast<size_t>(i)];
    for (Index k = i + 1; k < num; ++k)
      sum -= H_[static_cast<size_t>(k) * restart_ + i] * y_[static_cast<size_t>(k)];
    const double pivot = H_[static_cast<size_t>(i) * restart_ + i];
    if (pivot == 0.0) return false;
    y_[static_cast<size_t>(i)] = sum / pivot;
  }
  if (s.M == nullptr) {
    combine(V_, num, y_.data(), 1.0, s.x);
  } else if (flexible_) {
    combine(Z_, num, y_.data(), 1.0, s.x);
  } else {
    fill(u_, 0.0);
    combine(V_, num, y_.data(), 1.0, u_);
    s.precondition(u_, z_);
    axpy(1.0, z_, s.x);
  }
  return true;
}

std::optional<Stop> Gmres::cycle(Solve& s) {
  constexpr double eps = std::numeric_limits<double>::epsilon();
  linear_combination(1.0 / s.residual_norm, s.r, 0.0, s.r, V_[0]);
  g_[0] = s.residual_norm;
  for (Index j = 0; j < restart_; ++j) {
    const auto column = static_cast<size_t>(j);
    double* H = &H_[column * static_cast<size_t>(restart_)];
    const Vector& w = V_[column + 1];
    // w = A M v_j
    const Vector& z = s.M == nullptr ? V_[column] : flexible_ ? Z_[column] : z_;
    if (s.M != nullptr) s.precondition(V_[column], z);
    s.apply(z, w);
    // h = V^T w, w -= V h
    std::fill(h_.begin(), h_.end(), 0.0);
    const double ww = orthogonalise(w, j + 1, h_.data());
    double h_squared = 0.0;
    for (Index k = 0; k <= j; ++k)
      h_squared += h_[static_cast<size_t>(k)] * h_[static_cast<size_t>(k)];
    if (!std::isfinite(ww + h_squared)) {
      update_solution(s, j);
      return Stop{
          Status::non_finite,
          "||A M v|| = " + short_number(std::sqrt(ww + h_squared)) + " at iteration " +
              std::to_string(s.iterations + 1) + ": the operator" +
              (s.M != nullptr ? " or the preconditioner '" + s.M_name + "'" : std::string()) +
              " returned NaN or infinity"};
    }
    // The Krylov space is complete when nothing but rounding is left of w.
    const bool complete = std::sqrt(ww) <= 10.0 * eps * std::sqrt(ww + h_squared);
    const double h_next = complete ? 0.0 : std::sqrt(ww);
    if (!complete) scale(1.0 / h_next, w);
    // Rotations: the old ones on the new column, then one that clears h_{j+1}.
    for (Index k = 0; k < j; ++k) {
      const auto i = static_cast<size_t>(k);
      const double upper = cosine_[i] * h_[i] + sine_[i] * h_[i + 1];
      h_[i + 1] = -sine_[i] * h_[i] + cosine_[i] * h_[i + 1];
      h_[i] = upper;
    }
    const double length = std::hypot(h_[column], h_next);
    if (length <= eps * std::sqrt(ww + h_squared)) {
      // Complete and singular: this column gives nothing.
      update_solution(s, j);
      return Stop{
          Status::breakdown,
          "the Hessenberg matrix is singular at iteration " + std::to_string(s.iterations + 1) +
              ": A is singular on the Krylov space and the residual cannot be reduced there"};
    }
    cosine_[column] = h_[column] / length;
    sine_[column] = h_next / length;
    h_[column] = length;
    for (Index k = 0; k <= j; ++k) H[k] = h_[static_cast<size_t>(k)];
    g_[column + 1] = -sine_[column] * g_[column];
    g_[column] = cosine_[column] * g_[column];
    auto stop = s.finish_iteration(std::abs(g_[column + 1]));
    if (!stop && complete) stop = Stop{Status::converged};  // to be verified
    if (stop) {
      update_solution(s, j + 1);
      return stop;
    }
  }
  update_solution(s, restart_);
  return std::nullopt;
}

Stop Gmres::iterate(Solve& s) {
  // Cycles that reduce the residual by less than this, so many in a row, will not get there.
  constexpr double least_reduction = 1e-4;
  constexpr int most_idle_cycles = 3;
  int idle = 0;
  for (;;) {
    const double before = s.residual_norm;
    if (auto stop = cycle(s)) return *stop;
    s.residual_norm = s.true_residual(s.r);
    if (!std::isfinite(s.residual_norm))
      return {Status::non_finite, "b - A x is " + short_number(s.residual_norm) +
                                      " after iteration " + std::to_string(s.iterations)};
    if (s.residual_norm <= s.tolerance) return {Status::converged};
    idle = s.residual_norm > (1.0 - least_reduction) * before ? idle + 1 : 0;
    if (idle >= most_idle_cycles)
      return {Status::stagnated,
              "gmres(" + std::to_string(restart_) + ") reduced the residual by less than " +
                  short_number(least_reduction) + " in each of " + std::to_string(idle) +
                  " cycles, at relative residual " + short_number(s.residual_norm / s.b_norm) +
                  "; raise 'restart' or take a stronger preconditioner"};
  }
}

}  // namespace krylov
