#include "dual_ascent.hpp"

#include <cmath>
#include <libsolve/core/text.hpp>

namespace newton_variants {

namespace {

constexpr int most_halvings = 50;
constexpr double armijo = 1e-4;
constexpr double least_eigenvalue = 1e-10;
/// Growth of the violation over its least value so far that ends a run.
constexpr double divergence = 1e6;

/// f + lambda^T c + penalty/2 |c|^2 at x.
struct Lagrangian {
  const DenseFunctions& functions;
  const Numbers& lambda;
  double penalty;
  double value(const Numbers& x) const {
    const Numbers c = functions.constraints(x);
    return functions.f(x) + lambda.dot(c) + 0.5 * penalty * c.squaredNorm();
  }
};

}  // namespace

void DualAscentOptions::describe(Fields<DualAscentOptions>& f) {
  using O = DualAscentOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0), "largest part of the KKT residual");
  f.add("max_iterations", &O::max_iterations, Range::at_least(0.0), "steps of the multipliers");
  f.add("penalty", &O::penalty, Range::at_least(0.0),
        "of |c|^2 / 2, also the step of the multipliers; 0: the Lagrangian itself");
  f.add("step", &O::step, Range::above(0.0), "of the multipliers where penalty = 0");
  f.add("max_inner_iterations", &O::max_inner_iterations, Range::at_least(1.0),
        "Newton steps in x for one of the multipliers");
  f.add("max_size", &O::max_size, Range::at_least(1.0), "refuse more variables");
}

Report DualAscent::solve(NonlinearProgram& problem, Monitor& monitor) {
  DenseFunctions functions(problem, "dual-ascent", options_.max_size, true);
  const EvaluationCounts before = problem.functions().counts();
  const std::vector<double> start = problem.host_x(), multipliers = problem.host_multipliers();
  Numbers x = Eigen::Map<const Numbers>(start.data(), functions.n());
  Numbers lambda = Eigen::Map<const Numbers>(multipliers.data(), functions.m());
  const double t = options_.penalty > 0.0 ? options_.penalty : options_.step;
  Report report;
  std::int64_t inner = 0;
  double least = INFINITY;
  for (;; ++report.iterations) {
    const Numbers c = functions.constraints(x), g = functions.gradient(x);
    const Matrix J = functions.jacobian(x);
    const Numbers gL = g + J.transpose() * lambda;
    const double violation = c.size() == 0 ? 0.0 : c.cwiseAbs().maxCoeff();
    const double residual = std::max(
        violation,
        gL.size() == 0 ? 0.0 : gL.cwiseAbs().maxCoeff() / std::max(1.0, g.cwiseAbs().maxCoeff()));
    const Sample samples[] = {{"kkt_residual", residual},
                              {"objective", functions.f(x)},
                              {"constraint_violation", violation}};
    const Verdict verdict = monitor.observe(report.iterations, samples);
    const auto end = [&](Status status, const std::string& why) {
      report.status = status;
      report.reason = why + "KKT residual " + short_number(residual) + ", violation " +
                      short_number(violation) + ", tolerance " + short_number(options_.tolerance);
    };
    if (!std::isfinite(residual)) {
      end(Status::non_finite, "functions or derivatives are not finite; ");
      break;
    }
    if (residual <= options_.tolerance) {
      end(Status::converged, "");
      break;
    }
    if (verdict != Verdict::proceed) {
      end(status_of(verdict), "");
      break;
    }
    if (report.iterations >= options_.max_iterations) {
      end(Status::max_iterations, "");
      break;
    }
    if (report.iterations > 1 && violation > divergence * least) {
      end(Status::diverged, "the violation grew; raise 'penalty', or lower 'step'; ");
      break;
    }
    if (report.iterations > 0) least = std::min(least, violation);
    // x: Newton's method on the (augmented) Lagrangian, to a tenth of what is asked for.
    const Lagrangian L{functions, lambda, options_.penalty};
    double value = L.value(x);
    Verdict inside = Verdict::proceed;
    for (int k = 0; k < options_.max_inner_iterations; ++k) {
      const Numbers c_now = functions.constraints(x);
      const Numbers weights = lambda + options_.penalty * c_now;
      const Matrix J_now = functions.jacobian(x);
      const Numbers g_now = functions.gradient(x) + J_now.transpose() * weights;
      if (!g_now.allFinite() || g_now.cwiseAbs().maxCoeff() <= 0.1 * options_.tolerance) break;
      if ((inside = monitor.poll()) != Verdict::proceed) break;
      const Matrix H = functions.hessian(x, weights) + options_.penalty * J_now.transpose() * J_now;
      if (!H.allFinite()) break;
      double lowest = 0.0;
      Numbers direction;
      const Numbers d = -saddle_free(H, g_now, least_eigenvalue, lowest, direction);
      ++inner;
      double alpha = 1.0;
      bool moved = false;
      for (int j = 0; j < most_halvings && !moved; ++j, alpha *= 0.5) {
        const Numbers y = x + alpha * d;
        const double now = L.value(y);
        moved = now <= value + armijo * alpha * d.dot(g_now) + 1e-15 * std::abs(value);
        if (!moved) continue;
        x = y;
        value = now;
      }
      if (!moved) break;
    }
    if (inside == Verdict::proceed) lambda += t * functions.constraints(x);
  }
  report.counts.push_back({"newton_steps", static_cast<double>(inner)});
  finish(problem, x, lambda, options_.tolerance, before, report);
  return report;
}

}  // namespace newton_variants
