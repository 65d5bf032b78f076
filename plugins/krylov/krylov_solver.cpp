#include "krylov_solver.hpp"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/together.hpp>
#include <limits>

namespace krylov {

namespace {

/// New starts from the true residual; each must at least halve it.
constexpr int max_restarts = 20;
/// A removed null-space part of b smaller than this, relative, is rounding and not worth a note.
constexpr double inconsistency_worth_a_note = 1e-12;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double bytes(const Vector& v) {
  return 8.0 * static_cast<double>(v.local_size());
}

/// What the iterations cost between ranks, on the rank that sends most.
void add_traffic(const Communicator& comm, const Traffic& traffic, std::int64_t iterations,
                 std::vector<Measure>& metrics) {
  if (comm.size() == 1 || iterations == 0) return;
  double most[3] = {static_cast<double>(traffic.reductions), static_cast<double>(traffic.messages),
                    static_cast<double>(traffic.message_bytes)};
  comm.max(most);
  const auto each = static_cast<double>(iterations);
  metrics.push_back({"reductions_per_iteration", most[0] / each, ""});
  metrics.push_back({"messages_per_iteration", most[1] / each, ""});
  metrics.push_back({"message_bytes_per_iteration", most[2] / each, "B"});
}

}  // namespace

// ---- Solve --------------------------------------------------------------------------------------

void Solve::apply(const Vector& in, const Vector& out) {
  ++operator_applications_;
  A.apply(in, out);
}
void Solve::apply_adjoint(const Vector& in, const Vector& out) {
  ++operator_applications_;
  A.apply_adjoint(in, out);
}
double Solve::apply_dot(const Vector& in, const Vector& out) {
  ++operator_applications_;
  return A.apply_dot(in, out);
}
double Solve::update_direction_and_apply(const Vector& z, double beta, const Vector& p,
                                         const Vector& q) {
  ++operator_applications_;
  return A.update_direction_and_apply(z, beta, p, q);
}
double Solve::true_residual(const Vector& out) {
  ++operator_applications_;
  return std::sqrt(A.residual(b, x, out));
}
void Solve::precondition(const Vector& in, const Vector& out) {
  ++preconditioner_applications_;
  M->apply(in, out);
}
DotPair Solve::precondition_with_dots(const Vector& in, const Vector& out, const Vector* q) {
  ++preconditioner_applications_;
  return M->apply_with_dots(in, out, q);
}

double Solve::rounding_level() const {
  return 0.01 * std::numeric_limits<double>::epsilon() * b_norm;
}

std::optional<Stop> Solve::observe(std::optional<double> normal_residual) {
  const Sample samples[] = {{"residual_norm", residual_norm},
                            {"relative_residual", residual_norm / b_norm},
                            {"normal_residual", normal_residual.value_or(0.0)}};
  switch (monitor_->observe(iterations, std::span(samples, normal_residual ? 3 : 2))) {
    case Verdict::proceed:
      return std::nullopt;
    case Verdict::time_limit:
      return Stop{Status::time_limit};
    case Verdict::interrupted:
      return Stop{Status::interrupted};
  }
  return std::nullopt;
}

std::optional<Stop> Solve::start(std::optional<double> normal_residual) {
  return observe(normal_residual);
}

std::optional<Stop> Solve::finish_iteration(double norm, std::optional<double> normal_residual) {
  ++iterations;
  residual_norm = norm;
  if (auto stop = observe(normal_residual)) return stop;
  if (!std::isfinite(norm))
    return Stop{Status::non_finite, "the residual norm is " + short_number(norm) +
                                        " at iteration " + std::to_string(iterations) +
                                        ": numbers overflowed or the operator or the "
                                        "preconditioner returned NaN"};
  if (norm <= target || norm <= rounding_level()) return Stop{Status::converged};
  if (norm > divergence_limit)
    return Stop{Status::diverged, "the residual norm grew to " + short_number(norm) +
                                      " at iteration " + std::to_string(iterations) + ", " +
                                      short_number(norm / b_norm) + " of the right-hand side's"};
  if (iterations >= max_iterations) return Stop{Status::max_iterations};
  return std::nullopt;
}

// ---- KrylovSolver -------------------------------------------------------------------------------

KrylovSolver::KrylovSolver(std::string name, const KrylovOptions& options, const Context& context)
    : name_(std::move(name)), options_(options) {
  if (options_.preconditioner.name == "none") return;
  if (context.registry == nullptr)
    throw Unsupported("method '" + name_ + "' was asked for the preconditioner '" +
                      options_.preconditioner.name +
                      "' without a registry to take it from; set Context::registry");
  preconditioner_ = context.make<Preconditioner>(options_.preconditioner);
}

KrylovSolver::~KrylovSolver() = default;

bool KrylovSolver::set_parameter(std::string_view name, double value) {
  constexpr std::string_view inner = "preconditioner.";
  if (name.starts_with(inner)) {
    auto* tunable = dynamic_cast<Tunable*>(preconditioner_.get());
    return tunable != nullptr && tunable->set_parameter(name.substr(inner.size()), value);
  }
  if (name == "relative_tolerance")
    options_.stopping.relative_tolerance = value;
  else if (name == "absolute_tolerance")
    options_.stopping.absolute_tolerance = value;
  else
    return false;
  return true;
}

std::optional<Stop> KrylovSolver::check(const LinearSystem& system) const {
  const LinearOperator& A = system.A();
  if (A.num_rows() != A.num_columns() && !takes_rectangular())
    throw Unsupported("method '" + name_ + "' needs a square operator, got " + A.description() +
                      " (" + std::to_string(A.num_rows()) + " x " +
                      std::to_string(A.num_columns()) + "); use lsmr for least squares");
  if (needs_symmetric() && !A.is_symmetric())
    return Stop{Status::breakdown, "method '" + name_ + "' needs a symmetric operator, and " +
                                       A.description() +
                                       " is not symmetric; use gmres or bicgstab"};
  return std::nullopt;
}

void KrylovSolver::setup(const LinearSystem& system) {
  const auto start = std::chrono::steady_clock::now();
  prepared_for_.reset();
  if (preconditioner_) together(system.b().communicator(), [&] { preconditioner_->setup(system); });
  r_ = system.b().like("krylov::r");
  projected_b_ = system.null_space ? system.b().like("krylov::projected_b") : Vector();
  allocate(system);
  prepared_for_ = system.shared_A();
  setup_seconds_ = seconds_since(start);
}

bool KrylovSolver::is_solved(Solve& s, double residual_norm, std::vector<Measure>&) {
  return residual_norm <= s.tolerance;
}

/// A report for what ends before the first iteration; x stays as it is.
Report KrylovSolver::refuse(LinearSystem& system, Stop stop) const {
  Report report;
  report.status = stop.status;
  report.reason = std::move(stop.reason);
  for (Measure& m : system.verify())
    if (m.name == "relative_residual" || m.name == "residual_norm") report.measures.push_back(m);
  report.seconds = {{"setup", 0.0, "s"}, {"solve", 0.0, "s"}};
  report.counts = {{"operator_applications", 0.0, ""}, {"preconditioner_applications", 0.0, ""}};
  return report;
}

std::string KrylovSolver::describe_stop(const Solve& s, const Stop& stop, double norm) const {
  if (!stop.reason.empty()) return stop.reason;
  const std::string reached = "relative residual " + short_number(norm / s.b_norm) +
                              ", asked for " + short_number(s.tolerance / s.b_norm);
  if (stop.status == Status::max_iterations)
    return reached + "; raise max_iterations or take a stronger preconditioner";
  return reached;
}

Report KrylovSolver::solve(LinearSystem& system, Monitor& monitor) {
  if (auto stop = check(system)) return refuse(system, std::move(*stop));

  double setup_seconds = 0.0;
  if (prepared_for_ != system.shared_A() || (system.null_space && projected_b_.data() == nullptr)) {
    monitor.begin_phase("setup");
    try {
      setup(system);
    } catch (const NumericalError& e) {
      return refuse(system, {Status::breakdown, e.what()});
    }
  }
  std::swap(setup_seconds, setup_seconds_);  // reported once, by the first solve after it
  monitor.begin_phase("solve");
  const auto start = std::chrono::steady_clock::now();

  Solve s(system.A(), monitor);
  s.M = preconditioner_.get();
  s.M_name = options_.preconditioner.name;
  s.b = system.b();
  s.x = system.x();
  s.r = r_;
  s.max_iterations = options_.stopping.max_iterations;
  s.wants_text = monitor.wants_text();
  std::vector<Measure> extra_measures;

  // b without what no x can reach.
  double removed = 0.0;
  if (system.null_space) {
    copy(system.b(), projected_b_);
    removed = system.null_space->project_out(projected_b_);
    // What is left of a b in the null space is rounding.
    if (norm2(projected_b_) <= 16.0 * std::numeric_limits<double>::epsilon() * removed)
      fill(projected_b_, 0.0);
    s.b = projected_b_;
  }
  begin(s);

  // The residual of the initial guess; x = 0 saves the product.
  const double x_max = norm_max(s.x);
  const bool starts_at_zero = x_max == 0.0;
  if (starts_at_zero) {
    copy(s.b, s.r);
    s.b_norm = s.residual_norm = norm2(s.b);
  } else {
    s.b_norm = norm2(s.b);
    s.residual_norm = s.true_residual(s.r);
  }
  s.tolerance = std::max(options_.stopping.relative_tolerance * s.b_norm,
                         options_.stopping.absolute_tolerance);
  s.target = s.tolerance;
  s.divergence_limit = 1e10 * std::max(s.b_norm, s.residual_norm);
  if (s.wants_text && removed > inconsistency_worth_a_note * (s.b_norm + removed))
    s.notes.push_back(
        "the right-hand side was not in the range of the singular operator: a part of norm " +
        short_number(removed) + " (" + short_number(removed / std::hypot(removed, s.b_norm)) +
        " of it) was taken out; the residuals are those of the rest");

  std::optional<Stop> stop;
  double true_norm = s.residual_norm;  // of the x at hand, whenever `stop` is final
  if (!std::isfinite(s.b_norm)) {
    stop = Stop{Status::non_finite,
                "the right-hand side holds NaN or infinity (found at iteration 0)"};
  } else if (!std::isfinite(x_max)) {
    stop =
        Stop{Status::non_finite, "the initial guess holds NaN or infinity (found at iteration 0)"};
  } else if (s.b_norm == 0.0) {
    fill(s.x, 0.0);
    fill(s.r, 0.0);
    true_norm = s.residual_norm = 0.0;
    stop = Stop{Status::converged, system.null_space && removed > 0.0
                                       ? "the right-hand side lies in the null space of A: x = 0"
                                       : "the right-hand side is zero: x = 0"};
  } else if (!std::isfinite(s.residual_norm)) {
    stop = Stop{Status::non_finite, "b - A x is " + short_number(s.residual_norm) +
                                        " at iteration 0: the operator returned NaN or infinity"};
  } else if ((stop = s.start())) {
  } else if (is_solved(s, s.residual_norm, extra_measures)) {
    stop = Stop{Status::converged};
  } else if (s.max_iterations <= 0) {
    stop = Stop{Status::max_iterations};
  }

  // The recurrence, until it ends for good.
  const Communicator& comm = system.b().communicator();
  Traffic traffic;
  double last_true_norm = s.residual_norm;
  for (int restarts = 0; !stop; ++restarts) {
    const Traffic before = comm.traffic();
    const Stop end = iterate(s);
    traffic += comm.traffic() - before;
    if (system.null_space && end.status != Status::non_finite) system.null_space->project_out(s.x);
    const double recurrence_norm = s.residual_norm;
    true_norm = s.residual_norm = s.true_residual(s.r);
    const bool is_finite = std::isfinite(true_norm);
    // A solution is a solution, whatever the recurrence thought of itself when it ended.
    if (is_finite && end.status != Status::time_limit && end.status != Status::interrupted &&
        is_solved(s, true_norm, extra_measures)) {
      stop = Stop{Status::converged};
    } else if (!is_finite && (end.status == Status::converged || end.may_restart)) {
      stop = Stop{Status::non_finite, "b - A x is " + short_number(true_norm) + " at iteration " +
                                          std::to_string(s.iterations)};
    } else if (end.status != Status::converged && !end.may_restart) {
      stop = end;
    } else if (s.iterations >= s.max_iterations) {
      stop = Stop{Status::max_iterations};
    } else if (end.may_restart && (restarts >= max_restarts || true_norm > s.divergence_limit)) {
      stop = end;
    } else if (end.status == Status::converged &&
               (restarts >= max_restarts || true_norm > 0.5 * last_true_norm)) {
      stop = Stop{Status::stagnated,
                  "the recurrence's residual fell to " + short_number(recurrence_norm / s.b_norm) +
                      ", the true one stays at " + short_number(true_norm / s.b_norm) + " after " +
                      std::to_string(restarts) + " new starts (asked for " +
                      short_number(s.tolerance / s.b_norm) +
                      "): rounding allows no more; relax relative_tolerance"};
    }
    // The next recurrence drifts as well: leave it room, so that it need not end at the same place.
    if (end.status == Status::converged) s.target = 0.5 * s.tolerance;
    last_true_norm = true_norm;
  }

  Report report;
  report.status = stop->status;
  report.iterations = s.iterations;
  const bool is_met = stop->status == Status::converged || stop->status == Status::interrupted;
  if (!s.wants_text && is_met) {
    report.reason = std::move(stop->reason);
    return report;
  }
  report.reason = describe_stop(s, *stop, true_norm);
  report.measures = {{"relative_residual", s.b_norm > 0.0 ? true_norm / s.b_norm : true_norm, ""},
                     {"residual_norm", true_norm, ""}};
  report.measures.insert(report.measures.end(), extra_measures.begin(), extra_measures.end());
  report.counts = {
      {"operator_applications", static_cast<double>(s.operator_applications()), ""},
      {"preconditioner_applications", static_cast<double>(s.preconditioner_applications()), ""}};
  const double M_bytes = comm.sum(preconditioner_ ? preconditioner_->memory_bytes() : 0.0);
  report.metrics = {
      {"memory_bytes", comm.sum(bytes(r_) + bytes(projected_b_) + work_bytes()) + M_bytes, "B"},
      {"preconditioner_memory_bytes", M_bytes, "B"}};
  add_traffic(comm, traffic, s.iterations, report.metrics);
  if (preconditioner_) {
    for (Measure& m : preconditioner_->metrics()) report.metrics.push_back(std::move(m));
    for (std::string& note : preconditioner_->notes()) s.notes.push_back(std::move(note));
  }
  report.notes = std::move(s.notes);
  report.seconds = {{"setup", setup_seconds, "s"}, {"solve", seconds_since(start), "s"}};
  return report;
}

}  // namespace krylov
