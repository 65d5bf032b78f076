#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/linear/batched_levenberg_marquardt.hpp>
#include <string>

namespace libsolve {

namespace {

using Status = LevenbergMarquardtStatus;

constexpr double eps = 2.220446049250313e-16;
constexpr double at_rest = 0.0;  ///< growth of the damping after a step below rounding

struct Projected {};  ///< after the move to C w = e
struct Modelled {};   ///< J and r of problems that moved: function, right-hand side
struct Decided {};    ///< stop or try a step
struct Judged {};     ///< take the step or not
struct Closed {};     ///< which problems have factors for the adjoint

/// What happens to problem k between the launches of the linear problems; arrays by rows.
template <class Exec>
struct Bookkeeping {
  int m, n, c;
  double relative_tolerance, absolute_tolerance, initial_damping;
  bool first;
  const double *lambda, *w0;  // w0 null for 0
  double *w, *r, *J, *d, *centre, *value, *damping, *growth, *weight, *threshold;
  double *trial_w, *trial_r, *stationarity, *violation, *mu;
  const int* trial_status;
  int *linear_status, *active, *moved, *status, *iterations;

  KOKKOS_FUNCTION double from_centre(const double* at, int k) const {
    double sum = 0.0;
    for (int l = 0; l < n; ++l) {
      const double x = at[l] - (w0 != nullptr ? w0[k * std::ptrdiff_t(n) + l] : 0.0);
      sum += x * x;
    }
    return 0.5 * lambda[k] * sum;
  }
  KOKKOS_FUNCTION double squares(const double* v, int count) const {
    double sum = 0.0;
    for (int i = 0; i < count; ++i) sum += v[i] * v[i];
    return sum;
  }
  KOKKOS_FUNCTION void stop(int k, Status why) const {
    status[k] = static_cast<int>(why);
    active[k] = moved[k] = 0;
  }

  KOKKOS_FUNCTION void operator()(Projected, int k) const {
    const int s = trial_status[k];
    if (s != static_cast<int>(LeastSquaresStatus::solved)) {
      stop(k, s == static_cast<int>(LeastSquaresStatus::non_finite)
                  ? Status::non_finite
                  : Status::dependent_constraints);
      return;
    }
    for (int l = 0; l < n; ++l) w[k * std::ptrdiff_t(n) + l] = trial_w[k * std::ptrdiff_t(n) + l];
  }

  KOKKOS_FUNCTION void operator()(Modelled, int k) const {
    if (moved[k] == 0) return;
    const double *wk = w + k * std::ptrdiff_t(n), *rk = r + k * std::ptrdiff_t(m);
    const double* Jk = J + k * std::ptrdiff_t(m) * n;
    double largest = 0.0;
    for (int l = 0; l < n; ++l) {
      double sum = 0.0;
      for (int i = 0; i < m; ++i) sum += Jk[i * n + l] * Jk[i * n + l];
      largest = sum > largest ? sum : largest;
    }
    for (int i = 0; i < m; ++i) {
      double sum = -rk[i];
      for (int l = 0; l < n; ++l) sum += Jk[i * n + l] * wk[l];
      d[k * std::ptrdiff_t(m) + i] = sum;
    }
    value[k] = 0.5 * squares(rk, m) + from_centre(wk, k);
    if (!first) return;
    damping[k] = initial_damping * (largest + lambda[k]);
    growth[k] = 2.0;
    if (!(value[k] <= largest_double) || !(damping[k] <= largest_double))
      stop(k, Status::non_finite);
  }

  KOKKOS_FUNCTION void operator()(Decided, int k) const {
    if (active[k] == 0) return;
    if (first) {
      const double relative = relative_tolerance * stationarity[k];
      threshold[k] = relative > absolute_tolerance ? relative : absolute_tolerance;
      // A function that does not depend on w has J = 0: any damping will do.
      if (damping[k] == 0.0) damping[k] = 1.0;
    }
    if (!(stationarity[k] <= largest_double)) return stop(k, Status::non_finite);
    if (stationarity[k] <= threshold[k]) return stop(k, Status::converged);
    if (growth[k] == at_rest) return stop(k, Status::stagnated);
    weight[k] = lambda[k] + damping[k];
    for (int l = 0; l < n; ++l) {
      const std::ptrdiff_t at = k * std::ptrdiff_t(n) + l;
      const double prior = w0 != nullptr ? w0[at] : 0.0;
      centre[at] = (lambda[k] * prior + damping[k] * w[at]) / weight[k];
    }
  }

  KOKKOS_FUNCTION void operator()(Judged, int k) const {
    if (active[k] == 0) return;
    ++iterations[k];
    moved[k] = 0;
    double *wk = w + k * std::ptrdiff_t(n), *vk = trial_w + k * std::ptrdiff_t(n);
    const double* Jk = J + k * std::ptrdiff_t(m) * n;
    const bool solved = trial_status[k] == static_cast<int>(LeastSquaresStatus::solved);
    bool accepted = false;
    double ratio = 0.0;
    if (solved) {
      double model = from_centre(vk, k);
      for (int i = 0; i < m; ++i) {
        double sum = -d[k * std::ptrdiff_t(m) + i];
        for (int l = 0; l < n; ++l) sum += Jk[i * n + l] * vk[l];
        model += 0.5 * sum * sum;
      }
      const double trial = 0.5 * squares(trial_r + k * std::ptrdiff_t(m), m) + from_centre(vk, k);
      const double predicted = value[k] - model, actual = value[k] - trial;
      ratio = predicted > 0.0 ? actual / predicted : 0.0;
      accepted = ratio > 1e-4 && trial <= largest_double;
      // Differences that are rounding say nothing; the model is as good as the function there.
      const double rounding = 16.0 * eps * value[k];
      if (!accepted && Kokkos::abs(predicted) <= rounding && Kokkos::abs(actual) <= rounding) {
        accepted = true;
        ratio = 1.0;
      }
    }
    if (accepted) {
      double change = 0.0, size = 0.0;
      for (int l = 0; l < n; ++l) {
        change = Kokkos::max(change, Kokkos::abs(vk[l] - wk[l]));
        size = Kokkos::max(size, Kokkos::abs(vk[l]));
        wk[l] = vk[l];
      }
      const double t = 2.0 * ratio - 1.0;
      damping[k] *= Kokkos::max(1.0 / 3.0, 1.0 - t * t * t);
      growth[k] = change <= 0.5 * eps * size ? at_rest : 2.0;
      moved[k] = 1;
      return;
    }
    damping[k] *= growth[k];
    growth[k] *= 2.0;
    bool at_end = !(damping[k] <= largest_double);
    if (solved) {
      double change = 0.0, size = 0.0;
      for (int l = 0; l < n; ++l) {
        change = Kokkos::max(change, Kokkos::abs(vk[l] - wk[l]));
        size = Kokkos::max(size, Kokkos::abs(wk[l]));
      }
      at_end = at_end || change <= eps * size;
    }
    if (at_end) stop(k, Status::stagnated);
  }

  KOKKOS_FUNCTION void operator()(Closed, int k) const {
    const bool usable = status[k] != static_cast<int>(Status::non_finite) &&
                        status[k] != static_cast<int>(Status::dependent_constraints);
    if (usable && active[k] != 0) status[k] = static_cast<int>(Status::max_iterations);
    active[k] = moved[k] = usable ? 1 : 0;
    if (usable) return;
    const double nan = Kokkos::Experimental::quiet_NaN_v<double>;
    stationarity[k] = violation[k] = nan;
    for (int j = 0; j < c; ++j) mu[k * std::ptrdiff_t(c) + j] = nan;
    linear_status[k] = static_cast<int>(status[k] == static_cast<int>(Status::non_finite)
                                            ? LeastSquaresStatus::non_finite
                                            : LeastSquaresStatus::dependent_constraints);
  }
};

struct CountFlags {
  const int* flag;
  KOKKOS_FUNCTION void operator()(int k, int& sum) const { sum += flag[k] != 0 ? 1 : 0; }
};

LeastSquaresShape without_rows(LeastSquaresShape shape) {
  shape.rows = 0;
  return shape;
}

void check(const LevenbergMarquardtOptions& o) {
  const auto need = [](bool fine, const char* key, double value, const char* accepted) {
    if (!fine)
      throw InputError({}, key,
                       std::string("must be ") + accepted + ", is " + format_number(value));
  };
  need(o.relative_tolerance >= 0.0, "relative_tolerance", o.relative_tolerance, "at least 0");
  need(o.absolute_tolerance >= 0.0, "absolute_tolerance", o.absolute_tolerance, "at least 0");
  need(o.max_iterations >= 0, "max_iterations", o.max_iterations, "at least 0");
  need(o.initial_damping > 0.0 && o.initial_damping <= largest_double, "initial_damping",
       o.initial_damping, "positive");
}

}  // namespace

template <class Exec>
BatchedLevenbergMarquardt<Exec>::BatchedLevenbergMarquardt(const Exec& exec,
                                                           const LeastSquaresShape& s)
    : exec_(exec),
      shape_(s),
      solver_(exec, s),
      projector_(exec, without_rows(s)),
      solution_(s),
      trial_(s),
      J_("linear::J", s.problems, s.rows, s.unknowns),
      r_("linear::r", s.problems, s.rows),
      trial_r_("linear::trial_r", s.problems, s.rows),
      d_("linear::d", s.problems, s.rows),
      centre_("linear::centre", s.problems, s.unknowns),
      value_("linear::value", s.problems),
      damping_("linear::damping", s.problems),
      growth_("linear::growth", s.problems),
      weight_("linear::weight", s.problems),
      threshold_("linear::threshold", s.problems),
      active_("linear::active", s.problems),
      moved_("linear::moved", s.problems),
      status_("linear::status", s.problems),
      iterations_("linear::iterations", s.problems) {}

template <class Exec>
LeastSquaresBatch<Exec> BatchedLevenbergMarquardt<Exec>::linear(const Batch& batch) const {
  return {J_, d_, batch.C, batch.e, batch.lambda, batch.w0, active_};
}

template <class Exec>
int BatchedLevenbergMarquardt<Exec>::count(
    const typename Arrays::template Scalar<int>& flags) const {
  int count = 0;
  Kokkos::parallel_reduce("linear::count_flags",
                          Kokkos::RangePolicy<Exec>(exec_, 0, shape_.problems),
                          CountFlags{flags.data()}, count);
  return count;
}

/// The points with C w = e next to the starts, in trial_.
template <class Exec>
void BatchedLevenbergMarquardt<Exec>::project(const Batch& batch, const Vectors& w) {
  Kokkos::deep_copy(exec_, weight_, 1.0);
  LeastSquaresBatch<Exec> nearest;
  nearest.C = batch.C;
  nearest.e = batch.e;
  nearest.lambda = weight_;
  nearest.w0 = w;
  projector_.solve(nearest, trial_);
}

template <class Exec>
int BatchedLevenbergMarquardt<Exec>::solve(const Batch& batch,
                                           const LevenbergMarquardtOptions& options,
                                           const Vectors& w) {
  const auto& s = shape_;
  check(options);
  if (!batch.evaluate) throw InputError({}, "evaluate", "must be a function, is empty");
  if (w.extent(0) != static_cast<std::size_t>(s.problems) ||
      w.extent(1) != static_cast<std::size_t>(s.unknowns))
    throw ShapeError("least squares in a batch: 'w' is " + std::to_string(w.extent(0)) + " x " +
                     std::to_string(w.extent(1)) + "; give it " + std::to_string(s.problems) +
                     " x " + std::to_string(s.unknowns));
  if (batch.lambda.extent(0) != static_cast<std::size_t>(s.problems))
    throw ShapeError("least squares in a batch: 'lambda' has " +
                     std::to_string(batch.lambda.extent(0)) + " entries; give it " +
                     std::to_string(s.problems));
  if (batch.w0.size() != 0 && (static_cast<int>(batch.w0.extent(0)) != s.problems ||
                               static_cast<int>(batch.w0.extent(1)) != s.unknowns))
    throw ShapeError("least squares in a batch: 'w0' is " + std::to_string(batch.w0.extent(0)) +
                     " x " + std::to_string(batch.w0.extent(1)) + "; give it " +
                     std::to_string(s.problems) + " x " + std::to_string(s.unknowns));
  Bookkeeping<Exec> step{s.rows,
                         s.unknowns,
                         s.constraints,
                         options.relative_tolerance,
                         options.absolute_tolerance,
                         options.initial_damping,
                         true,
                         batch.lambda.data(),
                         batch.w0.size() == 0 ? nullptr : batch.w0.data(),
                         w.data(),
                         r_.data(),
                         J_.data(),
                         d_.data(),
                         centre_.data(),
                         value_.data(),
                         damping_.data(),
                         growth_.data(),
                         weight_.data(),
                         threshold_.data(),
                         trial_.w.data(),
                         trial_r_.data(),
                         solution_.stationarity.data(),
                         solution_.violation.data(),
                         solution_.mu.data(),
                         trial_.status.data(),
                         solution_.status.data(),
                         active_.data(),
                         moved_.data(),
                         status_.data(),
                         iterations_.data()};
  const auto each = [&](const char* label, auto tag) {
    Kokkos::parallel_for(label, Kokkos::RangePolicy<Exec, decltype(tag)>(exec_, 0, s.problems),
                         step);
  };
  Kokkos::deep_copy(exec_, active_, 1);
  Kokkos::deep_copy(exec_, moved_, 1);
  Kokkos::deep_copy(exec_, status_, static_cast<int>(Status::max_iterations));
  Kokkos::deep_copy(exec_, iterations_, 0);
  project(batch, w);
  each("linear::projected", Projected{});
  for (int k = 0;; ++k) {
    step.first = k == 0;
    batch.evaluate(w, moved_, r_, J_);
    each("linear::modelled", Modelled{});
    solver_.measure(linear(batch), w, solution_);
    each("linear::decided", Decided{});
    if (count(active_) == 0 || k == options.max_iterations) break;
    LeastSquaresBatch<Exec> damped = linear(batch);
    damped.lambda = weight_;
    damped.w0 = centre_;
    solver_.solve(damped, trial_);
    batch.evaluate(trial_.w, active_, trial_r_, no_matrix_);
    each("linear::judged", Judged{});
  }
  each("linear::closed", Closed{});
  // Multipliers and factors at the solutions; a step that stopped a problem may have left J behind
  // it.
  batch.evaluate(w, active_, r_, J_);
  step.first = false;
  each("linear::modelled", Modelled{});
  last_ = linear(batch);
  curvature_ = batch.curvature;
  solver_.solve(last_, solution_);
  Kokkos::deep_copy(exec_, solution_.w, w);
  solver_.measure(last_, w, solution_);
  const int failed = count(status_);
  exec_.fence("linear::batched_levenberg_marquardt");
  return failed;
}

#ifdef KOKKOS_ENABLE_SERIAL
template class BatchedLevenbergMarquardt<Kokkos::Serial>;
#endif
#ifdef KOKKOS_ENABLE_OPENMP
template class BatchedLevenbergMarquardt<Kokkos::OpenMP>;
#endif
#ifdef KOKKOS_ENABLE_CUDA
template class BatchedLevenbergMarquardt<Kokkos::Cuda>;
#endif
#ifdef KOKKOS_ENABLE_HIP
template class BatchedLevenbergMarquardt<Kokkos::HIP>;
#endif

}  // namespace libsolve
