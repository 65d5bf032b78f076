#include "newton_steps.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace reduced_newton {

namespace {

constexpr int most_cg_steps = 200;
constexpr int most_halvings = 20;

}  // namespace

NewtonSteps::NewtonSteps(ReducedProblem& problem, const ReducedNewtonOptions& options,
                         CurvaturePairs& pairs, Monitor& monitor)
    : problem_(problem), options_(options), pairs_(pairs), monitor_(monitor) {
  for (Vector* v : {&d_, &r_, &z_, &v_, &trial_m_, &Hv_})
    *v = problem.make_parameter("reduced_newton::cells");
  for (Vector* v : {&w_, &wv_, &trial_y_}) *v = problem.make_block("reduced_newton::states");
}

void NewtonSteps::derivatives(Iterate& at) {
  (void)problem_.solve_adjoint(at.y, at.p, options_.state_tolerance);
  problem_.gradient(at.m, at.y, at.p, at.g);
  at.gradient_norm = problem_.dual_norm(at.g);
}

double NewtonSteps::direction(const Iterate& at, double forcing, bool gauss_newton, const Vector& d,
                              const Vector& w) {
  const CurvaturePairs known = pairs_;  // M stays the same during the run
  const auto precondition = [&] {
    known.apply(r_, z_, [&](const Vector& r, const Vector& z) { problem_.apply_prior(r, z); });
  };
  fill(d, 0.0);
  fill(w, 0.0);
  linear_combination(-1.0, at.g, 0.0, at.g, r_);
  const double target = forcing * norm2(at.g);
  precondition();
  copy(z_, v_);
  double rz = dot(r_, z_);
  cg_ = 0;
  for (int k = 0; k < most_cg_steps && monitor_.poll() == Verdict::proceed; ++k) {
    problem_.hessian(at.y, at.p, v_, gauss_newton, Hv_, wv_);
    ++cg_;
    const double curvature = dot(v_, Hv_);
    if (!(curvature > 0.0)) {
      if (k == 0) {  // the preconditioned gradient goes downhill
        copy(v_, d);
        copy(wv_, w);
      }
      break;
    }
    pairs_.add(v_, Hv_);
    const double alpha = rz / curvature;
    axpy(alpha, v_, d);
    axpy(alpha, wv_, w);
    axpy(-alpha, Hv_, r_);
    if (norm2(r_) <= target) break;
    precondition();
    const double next = dot(r_, z_);
    axpby(1.0, z_, next / rz, v_);
    rz = next;
  }
  problem_.counts.cg += cg_;
  return dot(at.g, d);
}

bool NewtonSteps::line_search(Iterate& at, const Vector& d, const Vector& w, double slope) {
  double step = 1.0;
  for (int k = 0; k < most_halvings; ++k, step *= 0.5) {
    linear_combination(1.0, at.m, step, d, trial_m_);
    // w is the derivative of the states: what is left for the solve is of second order.
    linear_combination(1.0, at.y, step, w, trial_y_);
    problem_.set_parameter(trial_m_);
    (void)problem_.solve_state(trial_y_, options_.state_tolerance);
    const double J = problem_.objective(trial_m_, trial_y_);
    const bool is_noise = std::abs(step * slope) < 1e-9 * std::abs(at.objective);
    const double rounding = is_noise ? 1e-9 * std::abs(at.objective) : 0.0;
    if (J <= at.objective + 1e-4 * step * slope + rounding) {
      copy(trial_m_, at.m);
      copy(trial_y_, at.y);
      at.objective = J;
      return true;
    }
  }
  problem_.set_parameter(at.m);
  return false;
}

NewtonOutcome NewtonSteps::run(Iterate& at, double tolerance, double reference,
                               std::int64_t& iteration) {
  NewtonOutcome outcome;
  problem_.set_parameter(at.m);
  (void)problem_.solve_state(at.y, options_.state_tolerance);
  at.objective = problem_.objective(at.m, at.y);
  derivatives(at);
  outcome.first_gradient_norm = at.gradient_norm;
  if (reference == 0.0) reference = at.gradient_norm;
  double last = at.gradient_norm;
  for (;;) {
    const double relative = reference > 0.0 ? at.gradient_norm / reference : 0.0;
    const auto whole = static_cast<double>(problem_.grid().cells[0]);
    const Sample samples[] = {{"reduced_gradient", relative},
                              {"objective", at.objective},
                              {"cells_a_side", whole},
                              {"cg_iterations", static_cast<double>(cg_)},
                              {"linear_solves", static_cast<double>(problem_.counts.solves())}};
    const Verdict verdict = monitor_.observe(iteration, samples);
    const std::string numbers = "reduced gradient " + short_number(relative) +
                                " of the first one, tolerance " + short_number(tolerance);
    if (!std::isfinite(at.gradient_norm)) {
      outcome.status = Status::non_finite;
      outcome.reason = "the gradient is not finite";
      return outcome;
    }
    if (relative <= tolerance) {
      outcome.status = Status::converged;
      outcome.reason = numbers;
      return outcome;
    }
    if (verdict != Verdict::proceed) {
      outcome.status = status_of(verdict);
      outcome.reason = "stopped: " + numbers;
      return outcome;
    }
    if (iteration >= options_.max_iterations) {
      outcome.reason = "the limit of iterations: " + numbers;
      return outcome;
    }
    double forcing = std::sqrt(relative);
    if (options_.forcing == "quadratic")
      forcing = at.gradient_norm == last ? 0.5 : 0.9 * std::pow(at.gradient_norm / last, 2);
    if (options_.forcing == "linear") forcing = relative;
    forcing = std::clamp(forcing, 0.5 * tolerance / relative, options_.largest_forcing);
    const bool gauss_newton = relative > options_.full_newton;
    const double slope = direction(at, forcing, gauss_newton, d_, w_);
    if (const Verdict later = monitor_.poll(); later != Verdict::proceed) {
      outcome.status = status_of(later);
      outcome.reason = "stopped: " + numbers;
      return outcome;
    }
    ++iteration;
    ++problem_.counts.newton;
    if (!(slope < 0.0) || !line_search(at, d_, w_, slope)) {
      outcome.status = Status::stagnated;
      outcome.reason = "no step along the direction decreases the objective: " + numbers;
      return outcome;
    }
    last = at.gradient_norm;
    derivatives(at);
  }
}

}  // namespace reduced_newton
