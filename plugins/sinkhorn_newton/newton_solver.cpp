#include "newton_solver.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/tunable.hpp>

namespace sinkhorn_newton {

namespace {

/// Entries a row of the plan up to which a direct solver wins.
constexpr double most_entries_for_direct = 3.0;
/// The same where conjugate gradients have just taken many iterations.
constexpr double most_entries_for_slow_direct = 20.0;
constexpr std::int64_t many_iterations = 300;

ComponentSpec conjugate_gradients() {
  ComponentSpec spec("cg");
  spec.options.set("preconditioner", Value("jacobi"));
  spec.options.set("max_iterations", Value(std::int64_t{2000}));
  return spec;
}

}  // namespace

NewtonSolver::NewtonSolver(const ComponentSpec& inner, const Context& context, Monitor& monitor)
    : monitor_(monitor) {
  if (context.registry == nullptr)
    throw Unsupported(
        "Newton's systems are solved by solvers of the registry, and there is none; set "
        "Context::registry, or use 'sinkhorn'");
  if (inner.name != "none") {
    chosen_ = context.make<LinearSolver>(inner);
    return;
  }
  if (context.registry->find(LinearSolver::kind, "eigen-ldlt") != nullptr)
    direct_ = context.make<LinearSolver>(ComponentSpec("eigen-ldlt"));
  iterative_ = context.make<LinearSolver>(conjugate_gradients());
}

Numbers NewtonSolver::solve(const std::shared_ptr<const NewtonMatrix>& S, double entries_per_row,
                            const Numbers& rhs, double relative_tolerance) {
  if (chosen_) return run(*chosen_, S->assembled(), rhs, relative_tolerance);
  const bool is_hard = last_iterations_ > many_iterations;
  if (direct_ &&
      entries_per_row <= (is_hard ? most_entries_for_slow_direct : most_entries_for_direct)) {
    ++direct_solves;
    Numbers x = run(*direct_, S->assembled(), rhs, relative_tolerance);
    if (!x.empty()) return x;
  }
  const std::int64_t before = iterations;
  Numbers x = run(*iterative_, S, rhs, relative_tolerance);
  last_iterations_ = iterations - before;
  return x;
}

Numbers NewtonSolver::run(LinearSolver& solver, const std::shared_ptr<const LinearOperator>& A,
                          const Numbers& rhs, double relative_tolerance) {
  const Vector b("sns::rhs", A->row_partition());
  to_device(rhs, b.view());
  LinearSystem system(A, b, b.like("sns::step"));
  if (auto* tunable = dynamic_cast<Tunable*>(&solver))
    tunable->set_parameter("relative_tolerance", relative_tolerance);
  InnerMonitor quiet(monitor_);  // stops with the method
  const Report report = solver.solve(system, quiet);
  iterations += report.iterations;
  // An inexact step is a step: only where nothing usable came out is it a failure.
  Numbers x = to_host(system.x().view());
  bool any = false;
  for (const double v : x) {
    if (!std::isfinite(v)) {
      any = false;
      break;
    }
    any = any || v != 0.0;
  }
  if (any) return x;
  what_failed_ = std::string(to_string(report.status)) + ": " + report.reason;
  return {};
}

}  // namespace sinkhorn_newton
