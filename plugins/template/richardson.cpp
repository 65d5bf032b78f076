#include "richardson.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace richardson {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

namespace {

/// A residual this much larger than the right-hand side and the first residual will not come back.
constexpr double divergence_factor = 1e10;
/// New residuals b - A x in place of the recurrence's, when the two have drifted apart.
constexpr int max_refreshes = 20;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double bytes(const Vector& v) {
  return 8.0 * static_cast<double>(v.local_size());
}

}  // namespace

/// How a solve ended.
struct Richardson::Stop {
  Status status;
  std::string reason;
  double residual_norm;  ///< of b - A x, for the x that is left
  double b_norm;
};

Richardson::Richardson(const Options& options, const Context& context) : options_(options) {
  if (options.preconditioner.name != "none")
    preconditioner_ = context.make<Preconditioner>(options.preconditioner);
}

Richardson::~Richardson() = default;

void Richardson::setup(const LinearSystem& system) {
  const LinearOperator& A = system.A();
  if (A.num_rows() != A.num_columns())
    throw Unsupported("method 'richardson' needs a square operator, got " + A.description() +
                      "; use lsmr for least squares");
  prepared_for_.reset();
  if (preconditioner_) preconditioner_->setup(system);
  r_ = system.b().like("richardson::r");
  q_ = system.b().like("richardson::q");
  z_ = preconditioner_ ? system.x().like("richardson::z") : r_;  // without M: z is r
  prepared_for_ = system.shared_A();
}

Report Richardson::solve(LinearSystem& system, Monitor& monitor) {
  Report report;
  const auto before_setup = std::chrono::steady_clock::now();
  if (prepared_for_ != system.shared_A()) {
    monitor.begin_phase("setup");
    try {
      setup(system);
    } catch (
        const NumericalError& error) {  // the preconditioner broke down: a result, not an error
      report.status = Status::breakdown;
      report.reason = error.what();
      report.measures = system.verify();
      return report;
    }
  }
  const double setup_seconds = seconds_since(before_setup);

  monitor.begin_phase("solve");
  const auto before_solve = std::chrono::steady_clock::now();
  iterations_ = operator_applications_ = preconditioner_applications_ = 0;
  const Stop stop = iterate(system, monitor);

  report.status = stop.status;
  report.reason = stop.reason + " after " + std::to_string(iterations_) + " iterations";
  report.iterations = iterations_;
  report.measures = {{"relative_residual",
                      stop.b_norm > 0.0 ? stop.residual_norm / stop.b_norm : stop.residual_norm},
                     {"residual_norm", stop.residual_norm}};
  report.seconds = {{"setup", setup_seconds, "s"}, {"solve", seconds_since(before_solve), "s"}};
  report.counts = {
      {"operator_applications", static_cast<double>(operator_applications_)},
      {"preconditioner_applications", static_cast<double>(preconditioner_applications_)}};
  report.metrics = {{"memory_bytes",
                     bytes(r_) + bytes(q_) +
                         (preconditioner_ ? bytes(z_) + preconditioner_->memory_bytes() : 0.0),
                     "B"}};
  return report;
}

Richardson::Stop Richardson::iterate(LinearSystem& system, Monitor& monitor) {
  const LinearOperator& A = system.A();
  const Vector& b = system.b();
  const Vector& x = system.x();

  const double b_norm = norm2(b);
  const auto stop = [&](Status status, std::string reason, double norm) {
    return Stop{status, std::move(reason), norm, b_norm};
  };
  if (!std::isfinite(b_norm))
    return stop(Status::non_finite, "the right-hand side holds NaN or infinity", b_norm);
  if (b_norm == 0.0) {
    fill(x, 0.0);
    return stop(Status::converged, "the right-hand side is zero: x = 0", 0.0);
  }
  const double tolerance =
      std::max(options_.stopping.relative_tolerance * b_norm, options_.stopping.absolute_tolerance);
  // r = b - A x
  const auto refresh = [&] {
    ++operator_applications_;
    return std::sqrt(A.residual(b, x, r_));
  };
  double norm = refresh();
  double last_refreshed = norm;
  int refreshes = 0;
  bool recurred = false;  // r was updated since it was last computed from x
  const double limit = divergence_factor * std::max(b_norm, norm);
  const auto relative = [&] { return "relative residual " + format_number(norm / b_norm); };
  // What ends early leaves a residual that belongs to its x.
  const auto end = [&](Status status, const std::string& reason) {
    if (recurred) norm = refresh();
    return stop(status, reason, norm);
  };

  for (;;) {
    if (!std::isfinite(norm))
      return stop(Status::non_finite,
                  "the residual is NaN or infinite: the operator, the "
                  "preconditioner or the initial guess is",
                  norm);
    if (norm <= tolerance && recurred) {
      norm = refresh();
      recurred = false;
      if (norm > tolerance && (++refreshes > max_refreshes || norm > 0.5 * last_refreshed))
        return stop(Status::stagnated, relative() + ": rounding allows no more", norm);
      last_refreshed = norm;
    }
    const Sample samples[] = {{"residual_norm", norm}, {"relative_residual", norm / b_norm}};
    const Verdict verdict = monitor.observe(iterations_, samples);
    if (norm <= tolerance) return stop(Status::converged, relative(), norm);
    if (verdict == Verdict::time_limit) return end(Status::time_limit, "time limit");
    if (verdict == Verdict::interrupted) return end(Status::interrupted, "interrupted");
    if (norm > limit)
      return end(Status::diverged, relative() + " and growing; lower 'step' or use \"auto\"");
    if (iterations_ >= options_.stopping.max_iterations)
      return end(Status::max_iterations, "iteration limit at " + relative());

    // z = M r, q = A z
    if (preconditioner_) {
      ++preconditioner_applications_;
      preconditioner_->apply(r_, z_);
      if (system.null_space) system.null_space->project_out(z_);
    }
    ++operator_applications_;
    A.apply(z_, q_);

    double omega = options_.step.value_or(0.0);
    if (!options_.step) {
      // omega = r^T q / q^T q: the minimum of ||r - omega q||
      const DotPair dots = dot2(q_, r_, q_);
      omega = dots.xy / dots.xz;
      if (!std::isfinite(omega))
        return end(dots.xz == 0.0 ? Status::breakdown : Status::non_finite,
                   "q^T q = " + format_number(dots.xz) + " for q = A M r");
      if (std::abs(omega) * std::sqrt(dots.xz) <= 1e-14 * norm)
        return end(Status::breakdown, "r^T A M r = " + format_number(dots.xy) +
                                          ": no step along M r lowers the "
                                          "residual, A M is not positive definite; use gmres");
    }
    // x <- x + omega z, r <- r - omega q
    axpy(omega, z_, x);
    norm = std::sqrt(axpy_norm2_squared(-omega, q_, r_));
    recurred = true;
    ++iterations_;
  }
}

}  // namespace richardson
