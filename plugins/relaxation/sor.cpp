#include "sor.hpp"

#include <chrono>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/ordering.hpp>
#include <utility>

#include "zero_diagonal.hpp"

namespace relaxation {

namespace {
/// A residual this much larger than the first one will not come back.
constexpr double divergence_factor = 1e10;
}  // namespace

void Sor::setup(const LinearSystem& system) {
  const LinearOperator& A = system.A();
  if (A.num_rows() != A.num_columns())
    throw Unsupported("method 'sor' needs a square operator, got " + A.description() +
                      "; use lsmr for least squares");
  prepared_for_.run(system, [&] { make_triangle(system); });
}

void Sor::make_triangle(const LinearSystem& system) {
  notes_.clear();
  const auto matrix = with_entries(system.shared_A(), "method 'sor'", notes_);
  d_ = system.x().like("sor::d");
  frame_.allocate(system);
  if (d_.communicator().size() > 1) {
    sweep_ = ColouredSweep(*matrix, "method 'sor'");
    num_colours_ = sweep_.num_colours();
    if (options_.ordering == "natural")
      notes_.push_back("over several ranks 'sor' takes its rows by colours, not in natural order");
    return;
  }
  const HostCsr A = host_csr(*matrix);
  std::vector<Index> order = natural_order(A.num_rows);
  num_colours_ = 0;
  if (options_.ordering == "multicolour") {
    Colouring colouring = multicolour_order(A);
    order = std::move(colouring.order);
    num_colours_ = colouring.num_colours;
  }
  const OrderedRows M = make_ordered_rows(A, std::move(order), RowPart::lower);
  refuse_zero_diagonal(M, "method 'sor'");
  lower_ = lower_triangle(M, false);
}

/// d = (D / omega + L)^-1 r
void Sor::sweep(const Vector& r) {
  const double omega = options_.omega;
  if (d_.communicator().size() > 1)
    sweep_.solve(r, d_, omega);
  else
    lower_.solve(r.view(), d_.view(), {.right_hand_side = omega, .off_diagonal = omega});
}

InnerOutcome Sor::iterate(const LinearSystem& system, const InnerTask& task, SolveWatch& watch) {
  const double limit = divergence_factor * task.residual_norm;
  InnerOutcome outcome;
  double norm = task.residual_norm;
  for (;;) {
    if (!watch.observe(outcome.iterations, norm)) return outcome;
    if (norm <= task.tolerance) {
      outcome.status = Status::converged;
      return outcome;
    }
    if (!(norm <= limit)) {
      outcome.status = std::isfinite(norm) ? Status::diverged : Status::non_finite;
      outcome.reason = "the residual norm grew to " + format_number(norm) +
                       ": over-relaxation converges where the matrix is symmetric positive "
                       "definite; use gmres";
      return outcome;
    }
    if (outcome.iterations >= task.max_iterations) {
      outcome.status = Status::max_iterations;
      return outcome;
    }
    // x += (D / omega + L)^-1 r;  r = b - A x
    sweep(task.r);
    axpy(1.0, d_, task.x);
    if (system.null_space) system.null_space->project_out(task.x);
    norm = std::sqrt(system.A().residual(task.b, task.x, task.r));
    applications_ += 1.0;
    ++outcome.iterations;
  }
}

Report Sor::solve(LinearSystem& system, Monitor& monitor) {
  if (auto refused = prepared_for_.ensure(system, monitor, [&] { setup(system); })) return *refused;
  const double setup_seconds = prepared_for_.take_seconds();
  monitor.begin_phase("solve");
  const auto start = std::chrono::steady_clock::now();
  applications_ = 0.0;
  Report report = frame_.solve(system, options_.stopping.relative_tolerance,
                               options_.stopping.absolute_tolerance,
                               options_.stopping.max_iterations, monitor,
                               [&](const InnerTask& task, SolveWatch& watch) {
                                 return iterate(system, task, watch);
                               });
  if (!monitor.wants_text()) return report;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  report.seconds = {{"setup", setup_seconds, "s"}, {"solve", seconds.count(), "s"}};
  report.counts = {{"operator_applications", report.value("operator_applications") + applications_, ""},
                   {"preconditioner_applications", 0.0, ""}};
  const Communicator& comm = d_.communicator();
  const double bytes = frame_.work_bytes() + 8.0 * static_cast<double>(d_.local_size()) +
                       (comm.size() > 1 ? sweep_.memory_bytes() : lower_.memory_bytes());
  report.metrics = {{"memory_bytes", comm.sum(bytes), "B"}};
  if (comm.size() == 1)
    report.metrics.push_back({"triangular_levels", static_cast<double>(lower_.num_levels()), ""});
  if (num_colours_ > 0)
    report.metrics.push_back({"colours", static_cast<double>(num_colours_), ""});
  report.notes.insert(report.notes.end(), notes_.begin(), notes_.end());
  return report;
}

bool Sor::set_parameter(std::string_view name, double value) {
  if (name == "omega")
    options_.omega = value;
  else if (name == "relative_tolerance")
    options_.stopping.relative_tolerance = value;
  else if (name == "absolute_tolerance")
    options_.stopping.absolute_tolerance = value;
  else
    return false;
  return true;
}

}  // namespace relaxation
