#include "sinkhorn_newton_sparse.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/tunable.hpp>
#include <libsolve/transport/plan_marginals.hpp>
#include <libsolve/transport/sinkhorn_sweeps.hpp>
#include <optional>

#include "newton_solver.hpp"

namespace sinkhorn_newton {

void SinkhornNewtonSparseOptions::describe(Fields<SinkhornNewtonSparseOptions>& f) {
  using O = SinkhornNewtonSparseOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0),
        "stop when |P 1 - a|_1 + |P^T 1 - b|_1 is at most this")
      .unit("mass");
  f.add("max_iterations", &O::max_iterations, Range::at_least(1),
        "sweeps and Newton evaluations together");
  f.add("sweeps", &O::sweeps, Range::at_least(1), "N1, sweeps before Newton's method");
  f.add("entries_per_row", &O::entries_per_row, Range::above(0.0),
        "lambda n: entries of the plan that Newton's matrix keeps, over the rows");
  f.add("cg_iterations", &O::cg_iterations, Range::at_least(1), "most of a Newton step");
}

namespace {


class Solve {
 public:
  Solve(const SinkhornNewtonSparseOptions& options, const Context& context,
        TransportProblem& problem, Monitor& monitor)
      : options_(options), problem_(problem), monitor_(monitor), sweeps_(problem) {
    if (context.registry == nullptr)
      throw Unsupported(
          "method 'sinkhorn-newton-sparse' takes 'cg' from the registry, and there is none; "
          "set Context::registry");
    ComponentSpec cg("cg");
    cg.options.set("max_iterations", Value(std::int64_t{options.cg_iterations}));
    cg.options.set("preconditioner", Value("jacobi"));
    cg_ = context.make<LinearSolver>(cg);
    a_ = to_host(problem.a().view());
    b_ = to_host(problem.b().view());
    r_ = VectorView("sns::row_sums", a_.size());
    c_ = VectorView("sns::column_sums", b_.size());
  }

  Report run() {
    const auto begin = std::chrono::steady_clock::now();
    monitor_.begin_phase("solve");
    sweeps_.start();
    for (int k = 0; k < options_.sweeps && !stop_; ++k) {
      const auto [violation, of_both] = sweeps_.sweep(problem_.regularization());
      if (std::isnan(violation)) end(Status::non_finite, "sums are not finite in the sweeps");
      observe(violation);
      if (of_both && violation <= 0.9 * options_.tolerance) break;
    }
    f_ = to_host(problem_.f().view());
    g_ = to_host(problem_.g().view());
    if (!stop_) evaluate(f_, g_);
    while (!stop_ && violation_ > 0.9 * options_.tolerance) newton();
    to_device(f_, problem_.f().view());
    to_device(g_, problem_.g().view());
    end(Status::converged, "");
    Report report = *stop_;
    report.iterations = sweeps_.sweeps() + evaluations_;
    report.measures = problem_.verify();
    const double violation = report.measures.front().value;
    if (std::isnan(violation)) {
      report.status = Status::non_finite;
      report.reason = "the marginals of the plan are not finite";
    } else if (report.status == Status::converged) {
      const bool met = violation <= options_.tolerance;
      report.status = met ? Status::converged : Status::stagnated;
      report.reason = "marginal violation " + short_number(violation) + (met ? " <= " : " > ") +
                      "tolerance " + short_number(options_.tolerance);
    }
    report.seconds = {
        {"solve", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
         "s"}};
    report.counts = {{"passes", static_cast<double>(sweeps_.passes() + evaluations_)},
                     {"sinkhorn_sweeps", static_cast<double>(sweeps_.sweeps())},
                     {"newton_evaluations", static_cast<double>(evaluations_)},
                     {"newton_steps", static_cast<double>(steps_)},
                     {"entry_searches", static_cast<double>(searches_)},
                     {"inner_iterations", static_cast<double>(inner_)}};
    return report;
  }

 private:
  void end(Status status, std::string reason) {
    if (stop_) return;
    stop_ = Report{};
    stop_->status = status;
    stop_->reason = std::move(reason);
  }
  std::string so_far() const {
    return "marginal violation " + short_number(violation_) + " after " +
           std::to_string(sweeps_.sweeps()) + " sweeps and " + std::to_string(steps_) +
           " Newton steps, tolerance " + short_number(options_.tolerance);
  }
  void observe(double violation) {
    violation_ = violation;
    const Sample samples[] = {{"marginal_violation", violation},
                              {"newton_steps", static_cast<double>(steps_)}};
    const std::int64_t iterations = sweeps_.sweeps() + evaluations_;
    const Verdict verdict = monitor_.observe(iterations, samples);
    if (verdict != Verdict::proceed)
      end(status_of(verdict), so_far());
    else if (iterations >= options_.max_iterations)
      end(Status::max_iterations, so_far() + "; raise max_iterations, or use 'sns'");
  }

  /// Sums, gradient, D and violation at f, g; NaN where they overflow.
  double evaluate(const Numbers& f, const Numbers& g) {
    to_device(f, problem_.f().view());
    to_device(g, problem_.g().view());
    problem_.cost().sums(problem_.f().view(), problem_.g().view(), problem_.regularization(), r_,
                         c_);
    ++evaluations_;
    rows_ = to_host(r_);
    columns_ = to_host(c_);
    double total = 0.0, value = 0.0, violation = 0.0;
    gradient_.clear();
    for (std::size_t i = 0; i < f.size(); ++i) {
      total += rows_[i];
      value += a_[i] * f[i];
      gradient_.push_back(a_[i] - rows_[i]);
    }
    for (std::size_t j = 0; j < g.size(); ++j) {
      value += b_[j] * g[j];
      gradient_.push_back(b_[j] - columns_[j]);
    }
    for (const double v : gradient_) violation += std::abs(v);
    violation_ = violation;
    return value_ = value - problem_.regularization() * total;
  }

  /// The ceil(lambda n m) largest entries.
  void sparsify() {
    const double eps = problem_.regularization();
    const auto most = static_cast<std::size_t>(
        std::ceil(std::min(options_.entries_per_row, static_cast<double>(b_.size())) *
                  static_cast<double>(a_.size())));
    const VectorView t("sns::thresholds", a_.size());
    SparseEntries found;
    double total = 0.0;
    for (const double r : rows_) total += r;
    // Lower until there are enough; entries below 1e-30 of the mass are as good as none.
    for (double least = total / (10.0 * static_cast<double>(most)); least > 1e-30 * total;
         least *= 1e-3) {
      Kokkos::deep_copy(t, eps * std::log(least));
      found = problem_.cost().entries_above(problem_.f().view(), problem_.g().view(), t);
      ++searches_;
      if (static_cast<std::size_t>(found.size()) >= most) break;
    }
    const auto first = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), found.row_pointers);
    const auto columns = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), found.columns);
    const Numbers slack = to_host(found.values);
    double smallest = -std::numeric_limits<double>::infinity();
    if (slack.size() > most) {
      Numbers sorted = slack;
      std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(most) - 1,
                       sorted.end(), std::greater<>());
      smallest = sorted[most - 1];
    }
    first_.assign(1, 0);
    columns_of_.clear();
    values_.clear();
    for (std::size_t i = 0; i < a_.size(); ++i) {
      for (auto k = static_cast<std::size_t>(first(i)); k < static_cast<std::size_t>(first(i + 1));
           ++k)
        if (slack[k] >= smallest) {
          columns_of_.push_back(columns(k));
          values_.push_back(std::exp(slack[k] / eps));
        }
      first_.push_back(static_cast<GlobalIndex>(values_.size()));
    }
  }

  void newton() {
    const Numbers f = f_, g = g_, gradient = gradient_;
    const double value = value_, eps = problem_.regularization();
    sparsify();
    const HostPlan P{static_cast<Index>(b_.size()), first_, columns_of_, values_};
    const auto H = std::make_shared<const BipartiteMatrix>(P, rows_, columns_);
    const Vector b("sns::gradient", H->row_partition());
    to_device(gradient, b.view());
    LinearSystem system(H, b, b.like("sns::step"));
    if (auto* tunable = dynamic_cast<Tunable*>(cg_.get()))
      tunable->set_parameter("relative_tolerance", std::clamp(violation_, 1e-8, 1e-2));
    const Report inner = cg_->solve(system, Monitor::none());
    inner_ += inner.iterations;
    const Numbers z = to_host(system.x().view());
    double slope = 0.0;
    for (std::size_t k = 0; k < z.size(); ++k) slope += gradient[k] * z[k];
    if (!(slope > 0.0) || !std::isfinite(slope)) {
      end(Status::stagnated,
          "conjugate gradients found no ascent direction (" + inner.reason + "): " + so_far());
      return;
    }
    for (double t = 1.0; t > 1e-10 && !stop_; t *= 0.5) {
      for (std::size_t i = 0; i < f.size(); ++i) f_[i] = f[i] + t * eps * z[i];
      for (std::size_t j = 0; j < g.size(); ++j) g_[j] = g[j] + t * eps * z[f.size() + j];
      const double reached = evaluate(f_, g_);
      double slope_at = 0.0;
      for (std::size_t k = 0; k < z.size(); ++k) slope_at += gradient_[k] * z[k];
      if (std::isfinite(violation_)) observe(violation_);
      const bool has_grown =
          reached >= value + 1e-4 * t * slope * eps || slope_at >= 0.0 ||
          (std::abs(reached - value) <= 1e-12 * std::abs(value) && slope_at >= -0.8 * slope);
      if (std::isfinite(reached) && has_grown) {
        ++steps_;
        return;
      }
    }
    f_ = f;
    g_ = g;
    end(Status::stagnated, "no step raises the dual any more: " + so_far());
  }

  const SinkhornNewtonSparseOptions& options_;
  TransportProblem& problem_;
  Monitor& monitor_;
  SinkhornSweeps sweeps_;
  std::unique_ptr<LinearSolver> cg_;
  Numbers a_, b_, f_, g_, rows_, columns_, gradient_;
  VectorView r_, c_;
  double value_ = 0.0, violation_ = 0.0;
  std::vector<GlobalIndex> first_;
  std::vector<Index> columns_of_;
  Numbers values_;
  std::int64_t evaluations_ = 0, steps_ = 0, searches_ = 0, inner_ = 0;
  std::optional<Report> stop_;
};

}  // namespace

Report SinkhornNewtonSparse::solve(TransportProblem& problem, Monitor& monitor) {
  if (problem.a().communicator().size() > 1 || !problem.is_balanced())
    throw Unsupported(
        std::string("method 'sinkhorn-newton-sparse' is for balanced problems on one rank; use ") +
        (problem.is_balanced() ? "'sinkhorn'" : "'sns'"));
  problem.set_plan(std::nullopt);
  return Solve(options_, context_, problem, monitor).run();
}

}  // namespace sinkhorn_newton
