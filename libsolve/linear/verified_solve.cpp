#include <chrono>
#include <cmath>
#include <cstdio>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/together.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/verified_solve.hpp>
#include <limits>

namespace libsolve {

namespace {

/// Calls of the inner solver; each must at least halve the true residual.
constexpr int max_calls = 20;
/// A removed null-space part of b smaller than this, relative, is rounding and not worth a note.
constexpr double inconsistency_worth_a_note = 1e-12;

}  // namespace

std::vector<Index> one_row_of_each_component(const NullSpace& null_space, const Partition& rows) {
  const auto labels = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), null_space.labels());
  const Communicator& comm = rows.communicator();
  std::vector<Index> own(static_cast<size_t>(null_space.num_components()), -1);
  const bool is_one_component = null_space.labels().data() == nullptr && own.size() == 1;
  if (is_one_component && rows.local_size() > 0) own[0] = 0;
  for (size_t i = 0; i < labels.extent(0); ++i)
    if (labels(i) >= 0 && own[static_cast<size_t>(labels(i))] < 0)
      own[static_cast<size_t>(labels(i))] = static_cast<Index>(i);
  // The first rank that has rows of a component has its row.
  std::vector<double> owner(own.size());
  for (size_t k = 0; k < own.size(); ++k) owner[k] = own[k] >= 0 ? comm.rank() : comm.size();
  comm.min(owner);
  for (size_t k = 0; k < own.size(); ++k)
    if (owner[k] != comm.rank()) own[k] = -1;
  std::erase(own, -1);
  return own;
}

bool SolveWatch::observe(std::int64_t k, double residual_norm) {
  const std::int64_t iteration = before_ + k;
  if (verdict_ != Verdict::proceed) return false;
  if (iteration <= last_) return true;
  last_ = iteration;
  const Sample samples[] = {{"residual_norm", residual_norm},
                            {"relative_residual", residual_norm / b_norm_}};
  verdict_ = monitor_->observe(iteration, samples);
  return verdict_ == Verdict::proceed;
}

void PreparedFor::run(const LinearSystem& system, const SetUp& set_up) {
  A_.reset();
  const auto start = std::chrono::steady_clock::now();
  together(system.b().communicator(), set_up);
  A_ = system.shared_A();
  has_null_space_ = system.null_space.has_value();
  seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::optional<Report> PreparedFor::ensure(const LinearSystem& system, Monitor& monitor,
                                          const SetUp& set_up) {
  if (A_ == system.shared_A() && has_null_space_ == system.null_space.has_value()) return {};
  monitor.begin_phase("setup");
  try {
    set_up();
  } catch (const NumericalError& e) {
    return VerifiedSolve::refuse(system, Status::breakdown, e.what());
  }
  return {};
}

void VerifiedSolve::allocate(const LinearSystem& system) {
  r_ = system.b().like("verified_solve::r");
  projected_b_ = system.null_space ? system.b().like("verified_solve::b") : Vector();
}

double VerifiedSolve::work_bytes() const {
  return 8.0 * (static_cast<double>(r_.local_size()) + projected_b_.local_size());
}

Report VerifiedSolve::refuse(const LinearSystem& system, Status status, std::string reason) {
  Report report;
  report.status = status;
  report.reason = std::move(reason);
  for (Measure& m : system.verify())
    if (m.name == "relative_residual" || m.name == "residual_norm") report.measures.push_back(m);
  report.seconds = {{"setup", 0.0, "s"}, {"solve", 0.0, "s"}};
  report.counts = {{"operator_applications", 0.0, ""}, {"preconditioner_applications", 0.0, ""}};
  return report;
}

Report VerifiedSolve::solve(LinearSystem& system, double relative_tolerance,
                            double absolute_tolerance, std::int64_t max_iterations,
                            Monitor& monitor, const InnerSolve& inner) {
  const LinearOperator& A = system.A();
  const Vector& x = system.x();
  Vector b = system.b();
  Report report;

  // b without what no x can reach.
  double removed = 0.0;
  if (system.null_space) {
    copy(system.b(), projected_b_);
    removed = system.null_space->project_out(projected_b_);
    if (norm2(projected_b_) <= 16.0 * std::numeric_limits<double>::epsilon() * removed)
      fill(projected_b_, 0.0);  // what is left of a b in the null space is rounding
    b = projected_b_;
  }
  double applications = 0.0;
  const auto true_residual = [&] {
    applications += 1.0;
    return std::sqrt(A.residual(b, x, r_));
  };

  const double b_norm = norm2(b);
  const double x_max = norm_max(x);
  double norm = b_norm;
  if (x_max == 0.0)
    copy(b, r_);
  else if (std::isfinite(x_max) && std::isfinite(b_norm))
    norm = true_residual();
  const double tolerance = std::max(relative_tolerance * b_norm, absolute_tolerance);
  if (removed > inconsistency_worth_a_note * (b_norm + removed))
    report.notes.push_back(
        "the right-hand side was not in the range of the singular operator: a part of norm " +
        short_number(removed) + " (" + short_number(removed / std::hypot(removed, b_norm)) +
        " of it) was taken out; the residuals are those of the rest");

  SolveWatch watch;
  watch.monitor_ = &monitor;
  watch.b_norm_ = b_norm;
  bool done = true;
  const auto stop = [&](Status status, std::string reason = {}) {
    report.status = status;
    report.reason = std::move(reason);
  };
  if (!std::isfinite(b_norm)) {
    stop(Status::non_finite, "the right-hand side holds NaN or infinity (found at iteration 0)");
  } else if (!std::isfinite(x_max)) {
    stop(Status::non_finite, "the initial guess holds NaN or infinity (found at iteration 0)");
  } else if (b_norm == 0.0) {
    fill(x, 0.0);
    norm = 0.0;
    stop(Status::converged, removed > 0.0 ? "the right-hand side lies in the null space of A: x = 0"
                                          : "the right-hand side is zero: x = 0");
  } else if (!std::isfinite(norm)) {
    stop(Status::non_finite, "b - A x is " + short_number(norm) +
                                 " at iteration 0: the operator returned NaN or infinity");
  } else if (!watch.observe(0, norm)) {
    stop(status_of(watch.verdict_));
  } else if (norm <= tolerance) {
    stop(Status::converged);
  } else if (max_iterations <= 0) {
    stop(Status::max_iterations);
  } else {
    done = false;
  }

  for (int calls = 1; !done; ++calls) {
    const double last_norm = norm;
    const InnerOutcome end =
        inner({b, x, r_, norm, tolerance, max_iterations - watch.before_}, watch);
    watch.before_ += end.iterations;
    if (system.null_space && end.status != Status::non_finite) system.null_space->project_out(x);
    norm = true_residual();
    (void)watch.observe(0, norm);
    done = true;
    const std::string at = " at iteration " + std::to_string(watch.before_);
    if (watch.verdict_ != Verdict::proceed)
      stop(status_of(watch.verdict_));
    else if (norm <= tolerance)
      stop(Status::converged);
    else if (!std::isfinite(norm))
      stop(Status::non_finite,
           end.reason.empty() ? "b - A x is " + short_number(norm) + at : end.reason);
    else if (end.status != Status::converged)
      stop(end.status, end.reason);
    else if (watch.before_ >= max_iterations)
      stop(Status::max_iterations);
    else if (calls >= max_calls || norm > 0.5 * last_norm)
      stop(Status::stagnated, "the method said converged, the true relative residual stays at " +
                                  short_number(norm / b_norm) + " after " +
                                  std::to_string(calls - 1) + " new starts (asked for " +
                                  short_number(tolerance / b_norm) +
                                  "): rounding allows no more; relax relative_tolerance");
    else
      done = false;
  }

  report.iterations = watch.before_;
  if (report.reason.empty()) {
    report.reason = "relative residual " + short_number(norm / b_norm) + ", asked for " +
                    short_number(tolerance / b_norm);
    if (report.status == Status::max_iterations)
      report.reason += "; raise max_iterations or take a stronger preconditioner";
  }
  report.measures = {{"relative_residual", b_norm > 0.0 ? norm / b_norm : norm, ""},
                     {"residual_norm", norm, ""}};
  report.counts = {{"operator_applications", applications, ""}};
  return report;
}

}  // namespace libsolve
