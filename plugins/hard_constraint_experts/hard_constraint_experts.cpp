#include "hard_constraint_experts.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/io/weights_file.hpp>

#include "residual_loss.hpp"

namespace hard_constraint_experts {

namespace {

/// What the reference of an error is solved to.
constexpr double reference_tolerance = 1e-12;

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

const SorptionGrid& grid_of(const NonlinearProgram& problem, const std::string& method) {
  const auto* program = dynamic_cast<const SorptionProgram*>(&problem.functions());
  if (program == nullptr)
    throw Unsupported("method '" + method +
                      "' knows the equations of the source 'diffusion-sorption' alone, got " +
                      problem.description() + "; use 'ipopt' or 'sketch-newton'");
  return program->grid();
}

/// NaN where one is not finite.
double larger(double a, double b) {
  return std::isfinite(a) && std::isfinite(b) ? std::max(a, b) : NAN;
}

double largest_entry(const double* c, std::size_t count) {
  double most = 0.0;
  for (std::size_t i = 0; i < count; ++i) most = larger(most, std::abs(c[i]));
  return most;
}

double largest_residual(const SorptionGrid& grid, const std::vector<double>& u,
                        std::vector<double>& c) {
  residual(grid, u.data(), c.data());
  return largest_entry(c.data(), c.size());
}

void store(NonlinearProgram& problem, const std::vector<double>& u) {
  const std::vector<double> zero(u.size(), 0.0);
  problem.set_solution(u, zero, zero);  // f = 0: all multipliers are
  problem.has_multipliers = true;
}

std::string unsolved(const SorptionGrid& grid, const TimeStepping& done) {
  return "time step " + std::to_string(done.times + 1) + " of " + std::to_string(grid.steps) +
         " was not solved, its residual is " + short_number(done.residual) + " after " +
         std::to_string(done.newton_steps) + " Newton steps in all; ";
}

/// One solve.
class Solve {
 public:
  Solve(NonlinearProgram& problem, const HardConstraintExpertsOptions& options,
        const Context& context)
      : problem_(problem),
        options_(options),
        context_(context),
        grid_(grid_of(problem, "hard-constraint-experts")),
        u_(problem.host_x()),
        kept_(u_),
        c_(u_.size()) {}

  Report run(Monitor& monitor) {
    largest_ = largest_residual(grid_, u_, c_);
    bool goes_on = observe(monitor, "the residual of the start");
    if (goes_on && options_.basis != "none") {
      monitor.begin_phase("setup");
      const Basis basis = make_basis();
      monitor.begin_phase("solve");
      goes_on = fit(basis, monitor);
    }
    if (goes_on) refine(monitor);
    finish();
    if (options_.reference && not_finite_.empty() && verdict_ == Verdict::proceed)
      add_reference(monitor);
    return report_;
  }

 private:
  /// Whether there is anything left to do. `what`: of this point, said where it is not finite;
  /// then the point before is kept.
  bool observe(Monitor& monitor, const std::string& what) {
    const Sample samples[] = {{"kkt_residual", largest_}};
    verdict_ = monitor.observe(report_.iterations, samples);
    if (!std::isfinite(largest_)) {
      not_finite_ = what;
      u_ = kept_;
      largest_ = largest_residual(grid_, u_, c_);
      return false;
    }
    kept_ = u_;
    return largest_ > options_.tolerance && verdict_ == Verdict::proceed;
  }
  /// Why the run ends: what is not finite comes first, then what is solved, then who asked to stop.
  void finish() {
    if (!not_finite_.empty())
      stop(Status::non_finite, not_finite_ + " is not finite; ");
    else if (largest_ <= options_.tolerance)
      stop(Status::converged, "");
    else if (verdict_ != Verdict::proceed)
      stop(status_of(verdict_), "");
    else if (at_rounding_)
      stop(Status::stagnated, "Newton's method is at rounding; ");
    else if (options_.newton_steps > 0)
      stop(Status::max_iterations, "newton_steps came first; ");
    else if (open_ > stagnated_)
      stop(Status::max_iterations, std::to_string(open_ - stagnated_) + " of " +
                                       std::to_string(num_experts_) +
                                       " experts were not at their least squares in "
                                       "expert_iterations steps; ");
    else if (stagnated_ > 0)
      stop(Status::stagnated, std::to_string(stagnated_) + " of " + std::to_string(num_experts_) +
                                  " experts found no step that lowers their squares, short of "
                                  "expert_tolerance; ");
    else
      stop(Status::stagnated,
           "the experts are at their least squares (newton_steps go on from there); ");
  }
  void stop(Status status, const std::string& why) {
    store(problem_, u_);
    report_.status = status;
    report_.reason = why + "largest residual " + short_number(largest_) + ", tolerance " +
                     short_number(options_.tolerance);
    verify_report(problem_, options_.tolerance, report_);
    if (std::isfinite(largest_))
      report_.measures.push_back({"relative_newton_step", relative_newton_step(grid_, u_), ""});
  }
  /// The error of what was found, unless `monitor` has enough of it.
  void add_reference(Monitor& monitor) {
    const Stopwatch watch;
    std::vector<double> exact(u_.size());
    const TimeStepping done =
        step_through_time(grid_, {.tolerance = reference_tolerance}, exact.data(),
                          [&](int, double, const double*) { return monitor.poll(); });
    report_.seconds.push_back({"reference", watch.seconds(), "s"});
    if (done.times < grid_.steps) {
      const std::string why = done.failed
                                  ? unsolved(grid_, done)
                                  : "stopped after time step " + std::to_string(done.times) +
                                        " of " + std::to_string(grid_.steps) + "; ";
      report_.notes.push_back("reference: " + why + "no error to tell");
      return;
    }
    report_.counts.push_back({"reference_newton_steps", static_cast<double>(done.newton_steps)});
    report_.measures.push_back({"relative_error", relative_difference(u_, exact), ""});
  }

  Basis make_basis() {
    const Stopwatch watch;
    Basis basis;
    if (options_.basis == "chebyshev") {
      const int in_space = options_.degrees[0] + 1, in_time = options_.degrees[1] + 1;
      basis = empty_basis(in_space * in_time, "method.degrees");
      evaluate_chebyshev(grid_, in_space, in_time, basis);
    } else {
      const std::string file = find_weights(options_.weights, context_.base_folder);
      const Weights weights = read_weights(file);
      const BasisNetwork network(weights);
      require_operator(weights, "diffusion-sorption", 2);
      basis = empty_basis(network.options().functions, "method.weights");
      network.evaluate(grid_, basis);
      report_.notes.push_back("weights: " + file + ", trained on " +
                              weights.trained_on.description);
      const std::string other = TrainedRange::of(weights).what_differs(grid_);
      if (!other.empty())
        report_.notes.push_back("the weights have not seen " + other + ": expect larger errors");
    }
    report_.seconds.push_back({"setup", watch.seconds(), "s"});
    report_.metrics.push_back({"basis_functions", static_cast<double>(basis.extent(1)), ""});
    return basis;
  }

  /// Nothing is allocated before it is known that the basis and the experts can be kept.
  Basis empty_basis(int functions, const std::string& key) const {
    const auto nodes = (std::int64_t{grid_.size} + 1) * (std::int64_t{grid_.steps} + 1);
    if (nodes * functions > Experts::most_entries)
      throw InputError({}, key,
                       "gives " + std::to_string(functions) + " functions, " +
                           std::to_string(nodes * functions) + " values at the " +
                           std::to_string(nodes) + " nodes of the grid; take at most " +
                           std::to_string(Experts::most_entries / nodes) +
                           " functions, or a coarser grid");
    Experts::check_size(grid_, options_.experts, functions, "method.");
    return Basis("hard_constraint_experts::basis", static_cast<std::size_t>(nodes),
                 static_cast<std::size_t>(functions));
  }

  bool fit(const Basis& basis, Monitor& monitor) {
    const Stopwatch watch;
    Experts experts(grid_, options_.experts, static_cast<int>(basis.extent(1)));
    experts.sample(context_.seed, 0);
    open_ = experts.solve(basis, u_.data());
    num_experts_ = experts.num_experts();
    int steps = 0, most = 0, not_finite = 0;
    for (int k = 0; k < num_experts_; ++k) {
      const int taken = experts.solver().iterations()(k);
      const auto status = static_cast<LevenbergMarquardtStatus>(experts.solver().status()(k));
      steps += taken;
      most = std::max(most, taken);
      stagnated_ += status == LevenbergMarquardtStatus::stagnated ? 1 : 0;
      not_finite += status == LevenbergMarquardtStatus::non_finite ? 1 : 0;
    }
    report_.seconds.push_back({"experts", watch.seconds(), "s"});
    report_.counts = {{"expert_steps", static_cast<double>(steps)},
                      {"experts_not_converged", static_cast<double>(open_)},
                      {"experts_stagnated", static_cast<double>(stagnated_)}};
    report_.metrics.push_back({"experts", static_cast<double>(num_experts_), ""});
    report_.iterations = most;
    largest_ = largest_residual(grid_, u_, c_);
    const bool goes_on = observe(monitor, "the residual of what the experts found");
    if (not_finite > 0)
      not_finite_ = "the least squares of " + std::to_string(not_finite) + " of " +
                    std::to_string(num_experts_) + " experts";
    return goes_on && not_finite == 0;
  }

  /// Newton's method for all times at once, u -= c'(u)^-1 c(u).
  void refine(Monitor& monitor) {
    const Stopwatch watch;
    int taken = 0;
    bool goes_on = true;
    while (goes_on && taken < options_.newton_steps) {
      const double before = largest_;
      solve_linear(grid_, u_.data(), c_.data());
      for (std::size_t k = 0; k < u_.size(); ++k) u_[k] -= c_[k];
      largest_ = largest_residual(grid_, u_, c_);
      ++report_.iterations;
      ++taken;
      goes_on = observe(monitor, "the residual of the next point");
      at_rounding_ = goes_on && largest_ > 0.5 * before &&
                     largest_ <= rounding_level(grid_, u_.data(), u_.size());
      goes_on = goes_on && !at_rounding_;
    }
    report_.counts.push_back({"newton_steps", static_cast<double>(taken)});
    report_.seconds.push_back({"newton", watch.seconds(), "s"});
  }

  NonlinearProgram& problem_;
  const HardConstraintExpertsOptions& options_;
  const Context& context_;
  const SorptionGrid grid_;
  std::vector<double> u_, kept_, c_;
  double largest_ = 0.0;
  int num_experts_ = 0;
  int open_ = 0, stagnated_ = 0;  ///< experts that have not converged, those of them that stagnated
  Verdict verdict_ = Verdict::proceed;
  bool at_rounding_ = false;
  std::string not_finite_;
  Report report_;
};

}  // namespace

void HardConstraintExpertsOptions::describe(Fields<HardConstraintExpertsOptions>& f) {
  using O = HardConstraintExpertsOptions;
  f.add("basis", &O::basis, Choices{{"network", "chebyshev", "none"}},
        "where the basis functions come from: a trained network, polynomials; none: no experts, "
        "Newton's method alone");
  f.add("weights", &O::weights, "of the network: a file, or the name of trained ones");
  f.add("degrees", &O::degrees, Range::closed(0, 32), "of the polynomials, in space and in time");
  f.add_group(&O::experts);
  f.add("tolerance", &O::tolerance, Range::above(0.0), "largest residual of the equations");
  f.add("newton_steps", &O::newton_steps, Range::closed(0, 1000),
        "at most, for all times at once, from what the experts found");
  f.add("reference", &O::reference,
        "also step through time, for the error of the solution and the seconds that takes");
}

void HardConstraintExpertsOptions::check(const HardConstraintExpertsOptions& o,
                                         const std::string& prefix, const SourceLocation& where,
                                         Diagnostics& problems) {
  ExpertOptions::check(o.experts, prefix, where, problems);
  if (o.degrees.size() != 2)
    problems.add(
        where, prefix + "degrees",
        "has " + std::to_string(o.degrees.size()) + " entries; give two, [in space, in time]");
  if (o.basis == "none" && o.newton_steps == 0)
    problems.add(where, prefix + "newton_steps",
                 "is 0 with basis = \"none\": nothing is left to do; give it some");
}

Report HardConstraintExperts::solve(NonlinearProgram& problem, Monitor& monitor) {
  return Solve(problem, options_, context_).run(monitor);
}

Report ImplicitTimeStepping::solve(NonlinearProgram& problem, Monitor& monitor) {
  const SorptionGrid grid = grid_of(problem, "implicit-time-stepping");
  const Stopwatch watch;
  const auto inner = static_cast<std::size_t>(grid.inner());
  std::vector<double> u = problem.host_x(), c(u.size());
  Report report;
  residual(grid, u.data(), c.data());
  // The largest residual of this time and all later ones, as the start has them.
  std::vector<double> later(static_cast<std::size_t>(grid.steps) + 2, 0.0);
  for (int n = grid.steps; n >= 1; --n) {
    const auto k = static_cast<std::size_t>(n);
    later[k] = larger(later[k + 1], largest_entry(c.data() + grid.at(n, 1), inner));
  }
  double largest = later[1], solved = 0.0;
  const Sample first[] = {{"kkt_residual", largest}};
  TimeStepping done;
  done.verdict = monitor.observe(0, first);
  if (done.verdict == Verdict::proceed && !(largest <= options_.tolerance)) {
    std::vector<double> mass_next(inner);
    const auto after = [&](int n, double size, const double* mass) {
      const auto k = static_cast<std::size_t>(n);
      solved = std::max(solved, size);
      largest = solved;
      if (n < grid.steps)
        largest = larger(larger(largest, later[k + 2]),
                         step_residual(grid, u.data() + grid.at(n + 1, 1), mass,
                                       c.data() + grid.at(n + 1, 1), mass_next.data()));
      const Sample samples[] = {{"kkt_residual", largest}};
      return monitor.observe(n, samples);
    };
    done = step_through_time(grid, {options_.tolerance, options_.newton_steps}, u.data(), after);
  }
  report.iterations = done.times;
  const auto end = [&](Status status, const std::string& why) {
    report.status = status;
    report.reason = why + "largest residual " + short_number(largest) + ", tolerance " +
                    short_number(options_.tolerance);
  };
  if (done.failed && !std::isfinite(done.residual))
    end(Status::non_finite, unsolved(grid, done));
  else if (!std::isfinite(largest))
    end(Status::non_finite, "the residual is not finite; ");
  else if (largest <= options_.tolerance)
    end(Status::converged, "");
  else if (done.verdict != Verdict::proceed)
    end(status_of(done.verdict), "");
  else if (done.failed)
    end(Status::max_iterations, unsolved(grid, done));
  else
    end(Status::stagnated, "all times are solved to rounding; ");
  store(problem, u);
  report.counts = {{"newton_steps", static_cast<double>(done.newton_steps)}};
  report.seconds = {{"solve", watch.seconds(), "s"}};
  verify_report(problem, options_.tolerance, report);
  return report;
}

}  // namespace hard_constraint_experts
