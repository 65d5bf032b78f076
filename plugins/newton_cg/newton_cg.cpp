#include "newton_cg.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <limits>

namespace newton_cg {

namespace {

constexpr int most_halvings = 40;
constexpr double armijo = 1e-4;
constexpr double unbounded_below = -1e20;

void refuse_constraints(const NonlinearProgram& problem) {
  const auto refuse = [](const std::string& what) {
    throw Unsupported("method 'newton-cg' is for unconstrained programs; this one has " + what +
                      "; use 'sketch-newton'");
  };
  const double constraints =
      problem.communicator().sum(static_cast<double>(problem.num_constraints()));
  if (constraints > 0.0) refuse(std::to_string(static_cast<std::int64_t>(constraints)) + " constraints");
  double bounded = 0.0;
  const Bounds& x = problem.variable_bounds();
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x.lower[i] > -INFINITY || x.upper[i] < INFINITY) bounded += 1.0;
  bounded = problem.communicator().sum(bounded);
  if (bounded > 0.0)
    refuse(std::to_string(static_cast<std::int64_t>(bounded)) + " variables with bounds");
}

/// One solve.
class Solve {
 public:
  Solve(NonlinearProgram& problem, const NewtonCgOptions& options)
      : problem_(problem),
        functions_(problem.functions()),
        options_(options),
        product_(functions_.variable_product()),
        x_(problem.x()) {
    for (Vector* v : {&g_, &d_, &r_, &z_, &p_, &q_, &trial_}) *v = x_.like("newton_cg::vector");
  }
  Report run(Monitor& monitor);

 private:
  void riesz(const Vector& g, const Vector& z) const {
    if (product_)
      product_->riesz(g, z);
    else
      copy(g, z);
  }
  /// d_ with H d = -g to |H d + g|* <= forcing |g|*, to where negative curvature turns up at most, or
  /// until `monitor` says stop. false where a product with H is not finite.
  bool direction(double forcing, Monitor& monitor);
  /// Of f_: what an evaluation cannot tell.
  double rounding() const;
  /// x_ + alpha d_ with Armijo's decrease into x_; false where there is none.
  bool line_search();

  NonlinearProgram& problem_;
  ProgramFunctions& functions_;
  const NewtonCgOptions& options_;
  std::shared_ptr<const InnerProduct> product_;
  Vector x_, g_, d_, r_, z_, p_, q_, trial_;
  double f_ = 0.0;
  std::int64_t cg_ = 0, trials_ = 0, negative_ = 0;
};

bool Solve::direction(double forcing, Monitor& monitor) {
  // CG for H d = -g, preconditioned by the inner product: z = M^-1 r.
  fill(d_, 0.0);
  axpby(-1.0, g_, 0.0, r_);
  riesz(r_, z_);
  copy(z_, p_);
  double rho = dot(r_, z_);
  const double target = forcing * forcing * rho;
  for (std::int64_t k = 0; k < options_.max_cg && rho > target; ++k) {
    if (monitor.poll() != Verdict::proceed) return true;
    functions_.apply_hessian(x_.view(), 1.0, problem_.multipliers().view(), p_.view(), q_.view());
    ++cg_;
    const double curvature = dot(p_, q_);
    if (!std::isfinite(curvature)) return false;
    if (!(curvature > 0.0)) {
      ++negative_;
      if (k == 0) copy(p_, d_);
      return true;
    }
    const double alpha = rho / curvature;
    axpy(alpha, p_, d_);
    axpy(-alpha, q_, r_);
    riesz(r_, z_);
    const double next = dot(r_, z_);
    axpby(1.0, z_, next / rho, p_);
    rho = next;
  }
  return std::isfinite(rho);
}

double Solve::rounding() const {
  return 8.0 * std::numeric_limits<double>::epsilon() * std::abs(f_);
}

bool Solve::line_search() {
  const double slope = dot(g_, d_);
  if (!(slope < 0.0)) return false;
  double alpha = 1.0;
  for (int k = 0; k < most_halvings; ++k, alpha *= 0.5) {
    linear_combination(1.0, x_, alpha, d_, trial_);
    const double f = functions_.objective(trial_.view());
    ++trials_;
    if (!(f <= f_ + armijo * alpha * slope + rounding())) continue;
    copy(trial_, x_);
    f_ = f;
    return true;
  }
  return false;
}

Report Solve::run(Monitor& monitor) {
  const EvaluationCounts before = functions_.counts();
  Report report;
  double first = 0.0, relative = 0.0;
  f_ = functions_.objective(x_.view());
  for (;; ++report.iterations) {
    functions_.gradient(x_.view(), g_.view());
    const double size = norm_max(g_);
    const double residual = size / std::max(1.0, size);
    riesz(g_, z_);
    const double squared = dot(g_, z_);
    const double norm = std::isfinite(squared) ? std::sqrt(std::max(0.0, squared)) : squared;
    if (report.iterations == 0) first = norm;
    relative = first > 0.0 ? norm / first : norm;
    const Sample samples[] = {
        {"kkt_residual", residual}, {"relative_gradient", relative}, {"objective", f_}};
    const Verdict verdict = monitor.observe(report.iterations, samples);
    const auto end = [&](Status status, const std::string& why) {
      report.status = status;
      report.reason = why + "largest entry of the gradient " + short_number(size) + ", tolerance " +
                      short_number(options_.tolerance) + "; its norm " + short_number(relative) +
                      " of the first one, tolerance " + short_number(options_.relative_tolerance);
    };
    const bool is_small = residual <= options_.tolerance;
    if (!std::isfinite(f_) || !std::isfinite(size) || !std::isfinite(norm)) {
      end(Status::non_finite, "the objective or its gradient is not finite; ");
    } else if (is_small && relative <= options_.relative_tolerance) {
      end(Status::converged, "");
    } else if (verdict != Verdict::proceed) {
      end(status_of(verdict), "");
    } else if (report.iterations >= options_.max_iterations) {
      end(Status::max_iterations, "");
    } else if (f_ < unbounded_below) {
      end(Status::unbounded, "the objective falls without end; ");
    } else {
      const double forcing = std::min(options_.largest_forcing, std::sqrt(relative));
      if (!direction(forcing, monitor)) {
        end(Status::non_finite, "a product with the Hessian is not finite; ");
      } else if (const Verdict later = monitor.poll(); later != Verdict::proceed) {
        end(status_of(later), "");
      } else if (is_small && std::abs(dot(g_, d_)) <= rounding()) {
        // From a start that was close already: the first gradient is no measure.
        end(Status::converged, "the step would lower the objective by its rounding; ");
      } else if (line_search()) {
        continue;
      } else {
        end(Status::stagnated, "no step along the direction lowers the objective; ");
      }
    }
    break;
  }
  problem_.has_multipliers = true;  // there are none
  report.counts = {{"cg_iterations", static_cast<double>(cg_)},
                   {"trial_points", static_cast<double>(trials_)},
                   {"negative_curvatures", static_cast<double>(negative_)}};
  add_evaluation_counts(functions_.counts(), before, report);
  verify_report(problem_, options_.tolerance, report);
  report.measures.push_back({"relative_gradient", relative});
  return report;
}

}  // namespace

void NewtonCgOptions::describe(Fields<NewtonCgOptions>& f) {
  using O = NewtonCgOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0), "largest entry of the gradient");
  f.add("relative_tolerance", &O::relative_tolerance, Range::above(0.0),
        "and its dual norm |g|* at most this times that at the start, where weights make all "
        "gradients small");
  f.add("max_iterations", &O::max_iterations, Range::at_least(0), "steps");
  f.add("max_cg", &O::max_cg, Range::at_least(1), "conjugate gradients' iterations in one step");
  f.add("largest_forcing", &O::largest_forcing, Range::open(0.0, 1.0),
        "of |H d + g| <= eta |g|, eta = min(this, sqrt(|g| / |first g|))");
}

Report NewtonCg::solve(NonlinearProgram& problem, Monitor& monitor) {
  refuse_constraints(problem);
  return Solve(problem, options_).run(monitor);
}

}  // namespace newton_cg
