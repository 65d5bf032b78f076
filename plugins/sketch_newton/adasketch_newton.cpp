#include "adasketch_newton.hpp"

#include <Eigen/Dense>
#include <chrono>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/text.hpp>

namespace sketch_newton {

namespace {

using Matrix = Eigen::MatrixXd;
using Numbers = Eigen::VectorXd;
using Clock = std::chrono::steady_clock;

/// Least eigenvalue of the reduced Hessian that counts as positive, and the floor of delta.
constexpr double least_curvature = 1e-6;
constexpr double least_delta = 1e-6;
/// Of G G^T, so that Psi exists where rows of G depend on each other. Differs from the paper, whose
/// code stops there.
constexpr double least_singular = 1e-12;
constexpr double least_step = 1e-12;
constexpr double largest_penalty = 1e12;
/// Steps of the sketch between two looks at the monitor.
constexpr std::int64_t look_every = 4096;

std::span<const double> span_of(const Numbers& v) {
  return {v.data(), static_cast<std::size_t>(v.size())};
}
std::span<double> span_of(Numbers& v) {
  return {v.data(), static_cast<std::size_t>(v.size())};
}

double spectral_norm(const Matrix& symmetric) {
  return Eigen::SelfAdjointEigenSolver<Matrix>(symmetric, Eigen::EigenvaluesOnly)
      .eigenvalues()
      .cwiseAbs()
      .maxCoeff();
}

/// f, c and what follows from them at (x, lambda).
struct Point {
  Numbers x, lambda, g, c, gL;
  double f = 0.0;
  double kkt() const { return std::sqrt(gL.squaredNorm() + c.squaredNorm()); }
};

class Run {
 public:
  Run(NonlinearProgram& problem, const AdaSketchOptions& options, std::uint64_t seed,
      Monitor& monitor)
      : problem_(problem),
        o_(options),
        at_(problem.functions()),
        monitor_(monitor),
        random_(seed, "adasketch_newton::sketch"),
        n_(problem.num_variables()),
        m_(problem.num_constraints()),
        eta1_(options.eta1),
        eta2_(options.eta2),
        delta_(options.delta) {}

  Report solve();

 private:
  void evaluate(Point& p, bool with_derivatives);
  double merit(const Point& p) const {
    return p.f + p.lambda.dot(p.c) + 0.5 * eta1_ * p.c.squaredNorm() +
           0.5 * eta2_ * p.gL.squaredNorm();
  }
  /// (gL + eta2 W gL + eta1 G^T c; c + eta2 G gL), W the Lagrangian's Hessian.
  /// Differs from the paper's code, which takes that of f.
  Numbers merit_gradient() const {
    Numbers d(n_ + m_);
    d.head(n_) = p_.gL + eta2_ * W_ * p_.gL + eta1_ * G_.transpose() * p_.c;
    d.tail(m_) = p_.c + eta2_ * G_ * p_.gL;
    return d;
  }
  void build_system();
  double delta_cap() const {
    const double upsilon = std::max({G_norm_, W_norm_, 1.0});
    return (0.5 - o_.beta) * eta2_ / ((1.0 + eta1_ + eta2_) * upsilon * upsilon * psi_ * psi_);
  }
  bool inner_solve();
  void sketch_step();
  bool is_accurate() const;
  bool line_search();
  Report end(Status status, const std::string& why);

  NonlinearProgram& problem_;
  const AdaSketchOptions& o_;
  HostAccess at_;
  Monitor& monitor_;
  RandomStream random_;
  std::uint64_t drawn_ = 0;
  Index n_, m_;
  double eta1_, eta2_, delta_;
  Point p_, trial_;
  Matrix G_, W_, K_, KK_;
  Numbers b_, d_, r_, row_norms_;
  double G_norm_ = 0.0, W_norm_ = 0.0, K_norm_ = 0.0, psi_ = 1.0;
  bool is_shifted_ = false;
  std::int64_t outer_ = 0, inner_ = 0, capped_ = 0, penalties_ = 0, shifts_ = 0;
  double alpha_ = 1.0;
  Verdict verdict_ = Verdict::proceed;
};

void Run::evaluate(Point& p, bool with_derivatives) {
  p.f = at_.objective(span_of(std::as_const(p.x)));
  p.g.resize(n_);
  p.c.resize(m_);
  at_.gradient(span_of(std::as_const(p.x)), span_of(p.g));
  at_.constraints(span_of(std::as_const(p.x)), span_of(p.c));
  for (Index i = 0; i < m_; ++i)
    p.c[i] -= problem_.constraint_bounds().lower[static_cast<std::size_t>(i)];
  Numbers Jt(n_);
  if (m_ > 0)
    at_.apply_jacobian_adjoint(span_of(std::as_const(p.x)), span_of(std::as_const(p.lambda)),
                               span_of(Jt));
  else
    Jt.setZero();
  p.gL = p.g + Jt;
  if (!with_derivatives) return;
  const SparsePattern& J = problem_.functions().jacobian_pattern();
  const SparsePattern& H = problem_.functions().hessian_pattern();
  Numbers values(static_cast<Index>(J.size()));
  at_.jacobian(span_of(std::as_const(p.x)), span_of(values));
  G_ = Matrix::Zero(m_, n_);
  for (std::size_t k = 0; k < J.size(); ++k)
    G_(J.rows[k], J.columns[k]) += values[static_cast<Index>(k)];
  values.resize(static_cast<Index>(H.size()));
  at_.hessian(span_of(std::as_const(p.x)), 1.0, span_of(std::as_const(p.lambda)), span_of(values));
  W_ = Matrix::Zero(n_, n_);
  for (std::size_t k = 0; k < H.size(); ++k) {
    W_(H.rows[k], H.columns[k]) += values[static_cast<Index>(k)];
    if (H.rows[k] != H.columns[k]) W_(H.columns[k], H.rows[k]) += values[static_cast<Index>(k)];
  }
}

/// K = [B G^T; G 0] with B = W where W is positive on the null space of G, else shifted by the
/// whole norm (section 2 of the paper).
void Run::build_system() {
  const double xi_G =
      m_ == 0 ? 1.0
              : Eigen::SelfAdjointEigenSolver<Matrix>(G_ * G_.transpose(), Eigen::EigenvaluesOnly)
                    .eigenvalues()
                    .minCoeff();
  double curvature = 0.0;
  if (m_ < n_) {
    const Eigen::FullPivHouseholderQR<Matrix> qr(G_.transpose());
    const Matrix Z = Matrix(qr.matrixQ()).rightCols(n_ - qr.rank());
    curvature = Z.cols() == 0 ? 1.0
                              : Eigen::SelfAdjointEigenSolver<Matrix>(Z.transpose() * W_ * Z,
                                                                      Eigen::EigenvaluesOnly)
                                    .eigenvalues()
                                    .minCoeff();
  } else {
    curvature = 1.0;
  }
  Matrix B = W_;
  is_shifted_ = !(curvature > least_curvature);
  if (is_shifted_) {
    B.diagonal().array() += o_.xi_b + W_.norm();
    ++shifts_;
  }
  K_ = Matrix::Zero(n_ + m_, n_ + m_);
  K_.topLeftCorner(n_, n_) = B;
  K_.topRightCorner(n_, m_) = G_.transpose();
  K_.bottomLeftCorner(m_, n_) = G_;
  KK_ = K_ * K_;
  row_norms_ = KK_.diagonal();
  K_norm_ = K_.norm();
  G_norm_ = m_ == 0 ? 0.0 : std::sqrt(spectral_norm(G_ * G_.transpose()));
  W_norm_ = spectral_norm(W_);
  const double B_norm = spectral_norm(B);
  psi_ = 20.0 * std::max(B_norm * B_norm, 1.0) /
         (std::min(std::max(xi_G, least_singular), 1.0) * std::min(o_.xi_b, 1.0));
  b_.resize(n_ + m_);
  b_.head(n_) = -p_.gL;
  b_.tail(m_) = -p_.c;
}

/// One projection of d onto {d : s^T K d = s^T b}: s a unit vector (a row, randomized Kaczmarz) or
/// a Gaussian vector; r = b - K d goes along.
void Run::sketch_step() {
  const Index size = n_ + m_;
  if (o_.sketch == "kaczmarz") {
    const auto i = std::min<Index>(size - 1, static_cast<Index>(random_.uniform(drawn_++) * size));
    if (row_norms_[i] == 0.0) return;
    const double t = r_[i] / row_norms_[i];
    d_ += t * K_.col(i);
    r_ -= t * KK_.col(i);
  } else {
    Numbers s(size);
    for (Index i = 0; i < size; ++i) s[i] = random_.normal(drawn_++);
    const Numbers v = K_ * s;
    const double norm = v.squaredNorm();
    if (norm == 0.0) return;
    const double t = s.dot(r_) / norm;
    d_ += t * v;
    r_ -= t * (K_ * v);
  }
}

bool Run::is_accurate() const {
  const double kkt = p_.kkt();
  if (o_.accuracy == "relative") return r_.norm() <= o_.inner_tolerance * kkt;
  return K_norm_ * psi_ * r_.norm() <= o_.theta * delta_ * kkt;
}

/// The sketch goes on until it is accurate and d descends; else the penalties change and it goes on
/// from where it is. False: the monitor said stop.
bool Run::inner_solve() {
  d_ = Numbers::Zero(n_ + m_);
  r_ = b_;
  delta_ = std::max(std::min(delta_, delta_cap()), least_delta);
  const std::int64_t before = inner_;
  std::int64_t steps = 0;
  bool was_capped = false;
  const double kkt = p_.kkt();
  for (;;) {
    while (!is_accurate() && steps < o_.max_inner_iterations) {
      sketch_step();
      ++steps;
      if (steps % look_every == 0) {
        r_ = b_ - K_ * d_;  // rounding
        if ((verdict_ = monitor_.poll()) != Verdict::proceed) return false;
      }
    }
    inner_ = before + steps;
    if (steps >= o_.max_inner_iterations && !was_capped) {
      was_capped = true;
      ++capped_;
    }
    if ((verdict_ = monitor_.poll()) != Verdict::proceed) return false;
    if (merit_gradient().dot(d_) <= -0.5 * eta2_ * kkt * kkt) return true;
    if (eta1_ > largest_penalty) return true;
    eta1_ *= o_.nu * o_.nu;
    eta2_ /= o_.nu;
    delta_ = std::max(least_delta, std::min(delta_ / (o_.nu * o_.nu * o_.nu * o_.nu), delta_cap()));
    ++penalties_;
  }
}

bool Run::line_search() {
  const double slope = merit_gradient().dot(d_);
  const double before = merit(p_);
  for (alpha_ = 1.0; alpha_ >= least_step; alpha_ *= 0.5) {
    trial_.x = p_.x + alpha_ * d_.head(n_);
    trial_.lambda = p_.lambda + alpha_ * d_.tail(m_);
    evaluate(trial_, false);
    const double now = merit(trial_);
    if (std::isfinite(now) && now <= before + o_.beta * alpha_ * slope) return true;
  }
  return false;
}

Report Run::end(Status status, const std::string& why) {
  Report report;
  report.status = status;
  report.iterations = outer_;
  report.reason = why + ": |(gL, c)| = " + short_number(p_.kkt()) + " after " +
                  std::to_string(outer_) + " steps and " + std::to_string(inner_) +
                  " sketches, tolerance " + short_number(o_.tolerance);
  const auto count = [&](const char* name, std::int64_t v) {
    report.counts.push_back({name, static_cast<double>(v)});
  };
  count("sketches", inner_);
  count("sketches_capped", capped_);
  count("penalty_updates", penalties_);
  count("hessian_shifts", shifts_);
  const double size = n_ + m_;
  report.metrics.push_back({"eta1", eta1_});
  report.metrics.push_back({"eta2", eta2_});
  report.metrics.push_back(
      {"sketch_flops",
       static_cast<double>(inner_) * size * (o_.sketch == "kaczmarz" ? 4.0 : 4.0 * size + 6.0),
       "flop"});
  Eigen::VectorXd z = Numbers::Zero(n_);
  problem_.set_solution(span_of(std::as_const(p_.x)), span_of(std::as_const(p_.lambda)),
                        span_of(std::as_const(z)));
  return report;
}

Report Run::solve() {
  const std::vector<double> x = problem_.host_x(), lambda = problem_.host_multipliers();
  p_.x = Eigen::Map<const Numbers>(x.data(), n_);
  p_.lambda = problem_.has_multipliers ? Numbers(Eigen::Map<const Numbers>(lambda.data(), m_))
                                       : Numbers::Constant(m_, o_.start_multiplier);
  trial_ = p_;
  for (;; ++outer_) {
    evaluate(p_, true);
    const double kkt = p_.kkt();
    const Sample samples[] = {{"kkt_residual", kkt},
                              {"objective", p_.f},
                              {"constraint_violation", m_ == 0 ? 0.0 : p_.c.cwiseAbs().maxCoeff()},
                              {"penalty_eta1", eta1_},
                              {"penalty_eta2", eta2_},
                              {"sketches", static_cast<double>(inner_)},
                              {"step_length", alpha_}};
    verdict_ = monitor_.observe(outer_, samples);
    if (!std::isfinite(kkt) || !std::isfinite(p_.f) || !G_.allFinite() || !W_.allFinite())
      return end(Status::non_finite, "functions or derivatives are not finite");
    if (kkt <= o_.tolerance) return end(Status::converged, "converged");
    if (verdict_ != Verdict::proceed) return end(status_of(verdict_), "stopped");
    if (outer_ >= o_.max_iterations) return end(Status::max_iterations, "iteration limit");
    if (eta1_ > largest_penalty)
      return end(Status::stagnated, "the penalty eta1 grew beyond 1e12; use 'sketch-newton'");
    build_system();
    if (!inner_solve()) return end(status_of(verdict_), "stopped");
    if (!line_search())
      return end(Status::stagnated, "no step lowers the augmented Lagrangian; use 'sketch-newton'");
    std::swap(p_, trial_);
  }
}

}  // namespace

void AdaSketchOptions::describe(Fields<AdaSketchOptions>& f) {
  using O = AdaSketchOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0), "2-norm of (gradient of L, c)");
  f.add("max_iterations", &O::max_iterations, Range::at_least(0.0), "Newton steps");
  f.add("max_inner_iterations", &O::max_inner_iterations, Range::at_least(1.0),
        "sketches a Newton step");
  f.add("sketch", &O::sketch, Choices{{"kaczmarz", "gaussian"}},
        "a random row, or a Gaussian combination of all rows");
  f.add("accuracy", &O::accuracy, Choices{{"paper", "relative"}},
        "of a Newton step: the paper's bound with Psi and delta, or the residual relative to the "
        "KKT residual");
  f.add("inner_tolerance", &O::inner_tolerance, Range::open(0.0, 1.0),
        "for accuracy = \"relative\"");
  f.add("eta1", &O::eta1, Range::above(0.0), "penalty of |c|^2, at the start");
  f.add("eta2", &O::eta2, Range::above(0.0), "penalty of |gradient of L|^2, at the start");
  f.add("delta", &O::delta, Range::above(0.0), "accuracy at the start");
  f.add("xi_b", &O::xi_b, Range::above(0.0), "lower bound of the curvature of shifted Hessians");
  f.add("beta", &O::beta, Range::open(0.0, 0.5), "Armijo's parameter");
  f.add("nu", &O::nu, Range::at_least(1.01), "factor of penalties");
  f.add("theta", &O::theta, Range::closed(0.0, 1.0), "factor of the accuracy");
  f.add("start_multiplier", &O::start_multiplier, "lambda at the start, each");
  f.add("max_size", &O::max_size, Range::at_least(1.0),
        "refuse more variables plus constraints: work and memory grow with their square");
}

Report AdaSketchNewton::solve(NonlinearProgram& problem, Monitor& monitor) {
  const auto begin = Clock::now();
  const Bounds& x = problem.variable_bounds();
  const Bounds& c = problem.constraint_bounds();
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x.lower[i] > -INFINITY || x.upper[i] < INFINITY)
      throw Unsupported("method 'adasketch-newton' is for equality constraints; variable " +
                        std::to_string(i + 1) + " has bounds; use 'sketch-newton'");
  for (std::size_t i = 0; i < c.size(); ++i)
    if (!c.is_equality(i))
      throw Unsupported("method 'adasketch-newton' is for equality constraints; constraint " +
                        std::to_string(i + 1) + " is none; use 'sketch-newton'");
  const Index size = problem.num_variables() + problem.num_constraints();
  if (size > options_.max_size)
    throw Unsupported(
        "method 'adasketch-newton' works with a dense Newton matrix; " + std::to_string(size) +
        " variables and constraints are more than max_size = " + std::to_string(options_.max_size) +
        "; use 'sketch-newton'");
  if (!problem.functions().has_entries())
    throw Unsupported("method 'adasketch-newton' needs the entries of Jacobian and Hessian");
  const EvaluationCounts before = problem.functions().counts();
  monitor.begin_phase("solve");
  Run run(problem, options_, seed_, monitor);
  Report report = run.solve();
  report.seconds = {{"solve", std::chrono::duration<double>(Clock::now() - begin).count(), "s"}};
  add_evaluation_counts(problem.functions().counts(), before, report);
  if (report.converged()) {
    report.measures = problem.verify();
  } else {
    verify_report(problem, options_.tolerance, report);
  }
  return report;
}

}  // namespace sketch_newton
