#include "unconstrained.hpp"

#include <cmath>
#include <functional>
#include <libsolve/core/text.hpp>

namespace newton_variants {

namespace {

constexpr int most_trials = 60;
constexpr double armijo = 1e-4;
/// Curvature, relative to the largest, below which a stationary point is a saddle.
constexpr double saddle_curvature = 1e-8;
constexpr double unbounded_below = -1e20;

/// What the loop around a step needs to know.
struct State {
  Numbers x, g;
  double f = 0.0;
  std::int64_t iterations = 0, trials = 0;
};

/// Steps until the gradient is small. `step` moves the state, or gives a reason why not;
/// `at_stationary` may move on from a point with a small gradient and says whether it did.
Report iterate(NonlinearProgram& problem, DenseFunctions& functions, double tolerance,
               int max_iterations, Monitor& monitor, const std::function<std::string(State&)>& step,
               const std::function<bool(State&)>& at_stationary) {
  const EvaluationCounts before = problem.functions().counts();
  const std::vector<double> start = problem.host_x();
  State s;
  s.x = Eigen::Map<const Numbers>(start.data(), functions.n());
  s.f = functions.f(s.x);
  s.g = functions.gradient(s.x);
  Report report;
  for (;; ++s.iterations) {
    const double size = s.g.size() == 0 ? 0.0 : s.g.cwiseAbs().maxCoeff();
    const Sample samples[] = {{"kkt_residual", size / std::max(1.0, size)}, {"objective", s.f}};
    const Verdict verdict = monitor.observe(s.iterations, samples);
    const std::string at = "largest entry of the gradient " + short_number(size) + ", tolerance " +
                           short_number(tolerance);
    const auto end = [&](Status status, const std::string& why) {
      report.status = status;
      report.reason = why + at;
    };
    if (!std::isfinite(s.f) || !s.g.allFinite()) {
      end(Status::non_finite, "the objective or its gradient is not finite; ");
      break;
    }
    if (size <= tolerance && !at_stationary(s)) {
      end(Status::converged, "");
      break;
    }
    if (verdict != Verdict::proceed) {
      end(status_of(verdict), "");
      break;
    }
    if (s.iterations >= max_iterations) {
      end(Status::max_iterations, "");
      break;
    }
    if (s.f < unbounded_below) {
      end(Status::unbounded, "the objective falls without end; ");
      break;
    }
    if (size <= tolerance) continue;
    if (const std::string why = step(s); !why.empty()) {
      end(Status::stagnated, why + "; ");
      break;
    }
  }
  report.iterations = s.iterations;
  report.counts.push_back({"trial_points", static_cast<double>(s.trials)});
  finish(problem, s.x, Numbers(0), tolerance, before, report);
  return report;
}

}  // namespace

void GradientNormalizedOptions::describe(Fields<GradientNormalizedOptions>& f) {
  using O = GradientNormalizedOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0), "largest entry of the gradient");
  f.add("max_iterations", &O::max_iterations, Range::at_least(0.0), "steps");
  f.add("hessian", &O::hessian, Choices{{"exact", "diagonal", "none"}},
        "B: the Hessian, its diagonal (what is negative of it as 0), or 0: normalised gradient "
        "steps");
  f.add("gamma", &O::gamma, Range::above(0.0), "gradient-normalised smoothness at the start");
  f.add("max_size", &O::max_size, Range::at_least(1.0), "refuse more variables");
}

Report GradientNormalizedNewton::solve(NonlinearProgram& problem, Monitor& monitor) {
  DenseFunctions functions(problem, "gradient-normalized-newton", options_.max_size, false);
  double gamma = options_.gamma;
  const auto step = [&](State& s) -> std::string {
    const Index n = functions.n();
    Matrix B = Matrix::Zero(n, n);
    if (options_.hessian != "none") {
      B = functions.hessian(s.x, Numbers(0));
      if (!B.allFinite()) return "the Hessian is not finite";
      if (options_.hessian == "diagonal") B = Matrix(B.diagonal().cwiseMax(0.0).asDiagonal());
    }
    const double g_norm = s.g.norm();
    for (int k = 0; k < most_trials; ++k, gamma *= 0.5) {
      const double lambda = g_norm / gamma;
      Matrix R = B;
      R.diagonal().array() += lambda;
      const Eigen::LLT<Matrix> factors(R);
      if (factors.info() != Eigen::Success) continue;
      const Numbers x = s.x - factors.solve(s.g);
      const double f = functions.f(x);
      ++s.trials;
      if (!std::isfinite(f)) continue;
      const Numbers g = functions.gradient(x);
      const double rounding = 1e-15 * std::abs(s.f);
      if (!g.allFinite() || !(s.f - f >= g.squaredNorm() / (8.0 * lambda) - rounding)) continue;
      s.x = x;
      s.f = f;
      s.g = g;
      gamma *= 2.0;
      return "";
    }
    return "no gamma gives the decrease asked for";
  };
  return iterate(problem, functions, options_.tolerance, options_.max_iterations, monitor, step,
                 [](State&) { return false; });
}

void SaddleFreeOptions::describe(Fields<SaddleFreeOptions>& f) {
  using O = SaddleFreeOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0), "largest entry of the gradient");
  f.add("max_iterations", &O::max_iterations, Range::at_least(0.0), "steps");
  f.add("least_eigenvalue", &O::least_eigenvalue, Range::open(0.0, 1.0),
        "floor of absolute eigenvalues, relative to the largest");
  f.add("max_size", &O::max_size, Range::at_least(1.0), "refuse more variables");
}

Report SaddleFreeNewton::solve(NonlinearProgram& problem, Monitor& monitor) {
  DenseFunctions functions(problem, "saddle-free-newton", options_.max_size, false);
  const auto line_search = [&](State& s, const Numbers& d, double decrease, double alpha) {
    for (int k = 0; k < most_trials; ++k, alpha *= 0.5) {
      const Numbers x = s.x + alpha * d;
      const double f = functions.f(x);
      ++s.trials;
      if (!(f <= s.f - armijo * alpha * decrease + 1e-15 * std::abs(s.f))) continue;
      const Numbers g = functions.gradient(x);
      if (!g.allFinite()) continue;
      s.x = x;
      s.f = f;
      s.g = g;
      return true;
    }
    return false;
  };
  const auto step = [&](State& s) -> std::string {
    const Matrix H = functions.hessian(s.x, Numbers(0));
    if (!H.allFinite()) return "the Hessian is not finite";
    double lowest = 0.0;
    Numbers direction;
    const Numbers d = -saddle_free(H, s.g, options_.least_eigenvalue, lowest, direction);
    return line_search(s, d, -d.dot(s.g), 1.0) ? "" : "no step lowers the objective";
  };
  const auto leave_saddle = [&](State& s) {
    const Matrix H = functions.hessian(s.x, Numbers(0));
    if (!H.allFinite()) return false;
    double lowest = 0.0;
    Numbers direction;
    (void)saddle_free(H, s.g, options_.least_eigenvalue, lowest, direction);
    if (lowest >= -saddle_curvature * std::max(1.0, H.cwiseAbs().maxCoeff())) return false;
    if (direction.dot(s.g) > 0.0) direction = -direction;
    State trial = s;
    for (double alpha = 1.0; alpha > 1e-6; alpha *= 0.5) {
      trial.x = s.x + alpha * direction;
      trial.f = functions.f(trial.x);
      ++s.trials;
      // A quarter of what the quadratic model promises.
      if (!(trial.f <= s.f + 0.125 * alpha * alpha * lowest)) continue;
      s.x = trial.x;
      s.f = trial.f;
      s.g = functions.gradient(s.x);
      return true;
    }
    return false;
  };
  return iterate(problem, functions, options_.tolerance, options_.max_iterations, monitor, step,
                 leave_saddle);
}

}  // namespace newton_variants
