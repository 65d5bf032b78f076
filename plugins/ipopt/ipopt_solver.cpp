#include "ipopt_solver.hpp"

#include <IpIpoptApplication.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/peak_memory.hpp>
#include <libsolve/core/text.hpp>
#include <mutex>
#include <sstream>

#include "program_view.hpp"

namespace ipopt {

void IpoptOptions::describe(Fields<IpoptOptions>& f) {
  using O = IpoptOptions;
  f.add("tolerance", &O::tolerance, Range::above(0.0),
        "converged when the KKT residual, recomputed at the end, is at most this");
  f.add(
      "tol", &O::tol, Range::above(0.0),
      "at which Ipopt stops, on its own scaled error; auto: tolerance / 100, its default of 1e-8");
  f.add("max_iterations", &O::max_iterations, Range::closed(0.0, 2147483647.0),
        "steps, those of restorations included");
  f.add("linear_solver", &O::linear_solver,
        "of those that Ipopt was built with: mumps, ma27, ...; auto: its default");
  f.add("hessian", &O::hessian, Choices{{"exact", "limited-memory"}},
        "of the Lagrangian: that of the program, or approximated from gradients");
  f.add("warm_start", &O::warm_start,
        "begin at the multipliers of the problem where it has some, close to the bounds");
  f.add("print_level", &O::print_level, Range::closed(0.0, 12.0),
        "of Ipopt's own lines on standard error");
  f.add("options", &O::options,
        "in Ipopt's words: [\"mu_strategy adaptive\", \"bound_push 1e-4\"]");
}

namespace {

using Ipopt::ApplicationReturnStatus;

struct Meaning {
  ApplicationReturnStatus code;
  const char* name;
  Status status;
  /// The point may be a solution all the same: the recomputed residual says.
  bool may_be_solved;
};

const Meaning& meaning_of(ApplicationReturnStatus code) {
  using namespace Ipopt;  // NOLINT: the names of the codes
  static constexpr Meaning meanings[] = {
      {Internal_Error, "Internal_Error", Status::breakdown, false},
      {Solve_Succeeded, "Solve_Succeeded", Status::stagnated, true},
      {Solved_To_Acceptable_Level, "Solved_To_Acceptable_Level", Status::stagnated, true},
      {Infeasible_Problem_Detected, "Infeasible_Problem_Detected", Status::infeasible, false},
      {Search_Direction_Becomes_Too_Small, "Search_Direction_Becomes_Too_Small", Status::stagnated,
       true},
      {Diverging_Iterates, "Diverging_Iterates", Status::unbounded, false},
      {User_Requested_Stop, "User_Requested_Stop", Status::interrupted, false},
      {Feasible_Point_Found, "Feasible_Point_Found", Status::stagnated, true},
      {Maximum_Iterations_Exceeded, "Maximum_Iterations_Exceeded", Status::max_iterations, false},
      {Restoration_Failed, "Restoration_Failed", Status::stagnated, true},
      {Error_In_Step_Computation, "Error_In_Step_Computation", Status::breakdown, true},
      {Maximum_CpuTime_Exceeded, "Maximum_CpuTime_Exceeded", Status::time_limit, false},
      {Not_Enough_Degrees_Of_Freedom, "Not_Enough_Degrees_Of_Freedom", Status::breakdown, false},
      {Invalid_Problem_Definition, "Invalid_Problem_Definition", Status::breakdown, false},
      {Invalid_Option, "Invalid_Option", Status::breakdown, false},
      {Invalid_Number_Detected, "Invalid_Number_Detected", Status::non_finite, false},
      {Unrecoverable_Exception, "Unrecoverable_Exception", Status::breakdown, false},
      {NonIpopt_Exception_Thrown, "NonIpopt_Exception_Thrown", Status::breakdown, false},
      {Insufficient_Memory, "Insufficient_Memory", Status::breakdown, false}};
  const auto* found =
      std::ranges::find_if(meanings, [&](const Meaning& m) { return m.code == code; });
  return found == std::end(meanings) ? meanings[0] : *found;
}

/// Ipopt with its options; `messages` takes what it complains of.
class Application {
 public:
  explicit Application(int print_level) : app_(new Ipopt::IpoptApplication(false)) {
    const Ipopt::SmartPtr<Ipopt::StreamJournal> complaints =
        new Ipopt::StreamJournal("complaints", Ipopt::J_ERROR);
    complaints->SetOutputStream(&messages_);
    app_->Jnlst()->AddJournal(Ipopt::GetRawPtr(complaints));
    if (print_level == 0) return;
    const Ipopt::SmartPtr<Ipopt::StreamJournal> lines =
        new Ipopt::StreamJournal("lines", static_cast<Ipopt::EJournalLevel>(print_level));
    lines->SetOutputStream(&std::cerr);
    app_->Jnlst()->AddJournal(Ipopt::GetRawPtr(lines));
  }

  void set(const char* name, const std::string& value) {
    require(app_->Options()->SetStringValue(name, value), name + (" " + value));
  }
  void set(const char* name, const char* value) { set(name, std::string(value)); }
  void set(const char* name, double value) {
    require(app_->Options()->SetNumericValue(name, value), name + (" " + format_number(value)));
  }
  void set(const char* name, std::int64_t value) {
    require(app_->Options()->SetIntegerValue(name, static_cast<Ipopt::Index>(value)),
            name + (" " + std::to_string(value)));
  }
  /// "name value".
  void set(const std::string& line) {
    std::istringstream stream(line + "\n");
    bool ok = false;
    try {
      ok = app_->Options()->ReadFromStream(*app_->Jnlst(), stream);
    } catch (const Ipopt::IpoptException& e) {
      messages_ << e.Message();
    }
    require(ok, line);
  }
  void initialize() {
    // No file: Ipopt would read ipopt.opt of the folder the program runs in.
    require(app_->Initialize(std::string()) == Ipopt::Solve_Succeeded, "these options");
  }
  ApplicationReturnStatus solve(const Ipopt::SmartPtr<ProgramView>& view) {
    return app_->OptimizeTNLP(Ipopt::GetRawPtr(view));
  }
  std::string messages() const {
    std::string text = messages_.str();
    std::ranges::replace(text, '\n', ' ');
    const std::size_t first = text.find_first_not_of(' ');
    return first == std::string::npos ? std::string() : text.substr(first, 300);
  }

 private:
  void require(bool ok, const std::string& what) const {
    if (!ok) throw InputError({}, "method.options", "Ipopt refuses '" + what + "': " + messages());
  }
  std::ostringstream messages_;  // outlives the journals
  Ipopt::SmartPtr<Ipopt::IpoptApplication> app_;
};

bool has_start(const NonlinearProgram& problem) {
  const auto any = [](const std::vector<double>& v) {
    return std::ranges::any_of(v, [](double e) { return e != 0.0; });
  };
  return problem.has_multipliers &&
         (any(problem.host_multipliers()) || any(problem.host_bound_multipliers()));
}

void set_options(const IpoptOptions& o, bool is_warm, Application& app) {
  app.set("sb", "yes");
  app.set("tol", o.tol.value_or(std::min(1.0, o.tolerance / 100.0)));
  app.set("max_iter", o.max_iterations);
  if (o.linear_solver != "auto") app.set("linear_solver", o.linear_solver);
  if (o.hessian != "exact") app.set("hessian_approximation", o.hessian);
  if (is_warm) {
    // Stay where the start is: Ipopt's defaults would push it a hundredth away from the bounds.
    app.set("warm_start_init_point", "yes");
    for (const char* push :
         {"warm_start_bound_push", "warm_start_bound_frac", "warm_start_slack_bound_push",
          "warm_start_slack_bound_frac", "warm_start_mult_bound_push"})
      app.set(push, 1e-9);
    app.set("mu_init", 1e-6);
  }
  for (const std::string& line : o.options) app.set(line);
}

/// Ipopt takes fixed variables out of the problem and knows no multiplier of theirs.
std::vector<double> with_fixed(const NonlinearProgram& problem, const ProgramView& view) {
  std::vector<double> z = view.bound_multipliers();
  const Bounds& bounds = problem.variable_bounds();
  bool any = false;
  for (std::size_t j = 0; j < z.size(); ++j) any = any || bounds.is_equality(j);
  if (!any) return z;
  const HostAccess at(problem.functions());
  std::vector<double> g(z.size()), Jt_lambda(z.size());
  at.gradient(view.x(), g);
  if (problem.num_constraints() > 0)
    at.apply_jacobian_adjoint(view.x(), view.multipliers(), Jt_lambda);
  for (std::size_t j = 0; j < z.size(); ++j)
    if (bounds.is_equality(j)) z[j] = -(g[j] + Jt_lambda[j]);
  return z;
}

bool is_finite(const std::vector<double>& v) {
  return std::ranges::all_of(v, [](double e) { return std::isfinite(e); });
}

/// MUMPS keeps state in global variables. Recursive: functions of a program may solve another one.
std::recursive_mutex& one_at_a_time() {
  static std::recursive_mutex mutex;
  return mutex;
}

}  // namespace

Report IpoptSolver::solve(NonlinearProgram& problem, Monitor& monitor) {
  const bool wants_hessian = options_.hessian == "exact";
  ProgramFunctions& functions = problem.functions();
  if (!functions.has_entries())
    throw Unsupported("method 'ipopt' needs the entries of Jacobian and Hessian, " + problem.text +
                      " offers products only; choose a method that works with products");
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point from) {
    return std::chrono::duration<double>(Clock::now() - from).count();
  };
  const PeakMemory memory;  // outside of what is timed
  const auto begin = Clock::now();
  monitor.begin_phase("setup");
  const EvaluationCounts before = functions.counts();
  const bool is_warm = options_.warm_start && has_start(problem);
  Application app(options_.print_level);
  set_options(options_, is_warm, app);
  app.initialize();
  const Ipopt::SmartPtr<ProgramView> view = new ProgramView(problem, monitor, wants_hessian);
  const double setup_seconds = seconds(begin);

  monitor.begin_phase("solve");
  const std::lock_guard guard(one_at_a_time());
  const auto solve_begin = Clock::now();
  const ApplicationReturnStatus code = app.solve(view);
  const double solve_seconds = seconds(solve_begin);
  if (view->thrown()) std::rethrow_exception(view->thrown());

  const Meaning& meaning = meaning_of(code);
  Report report;
  report.iterations = view->iterations();
  report.status = meaning.may_be_solved ? Status::converged : meaning.status;
  if (view->verdict() != Verdict::proceed) report.status = status_of(view->verdict());
  report.reason = std::string("Ipopt: ") + meaning.name;
  const std::string messages = app.messages();
  if (code != Ipopt::Solve_Succeeded && !messages.empty()) report.reason += ", " + messages;
  if (is_warm) report.notes.push_back("started from the multipliers in the problem");
  report.seconds = {{"setup", setup_seconds, "s"}, {"solve", solve_seconds, "s"}};
  add_evaluation_counts(functions.counts(), before, report);
  report.counts.push_back(
      {"restoration_iterations", static_cast<double>(view->restoration_iterations())});
  report.metrics = {{"memory_bytes", memory.bytes(), "B"},
                    {"ipopt_status", static_cast<double>(code)}};

  if (view->is_finished() && is_finite(view->x()) && is_finite(view->multipliers()) &&
      is_finite(view->bound_multipliers()))
    problem.set_solution(view->x(), view->multipliers(), with_fixed(problem, *view));
  verify_report(problem, options_.tolerance, report);
  if (report.status == Status::stagnated) report.status = meaning.status;
  if (report.status == Status::infeasible &&
      report.value("constraint_violation") <= options_.tolerance) {
    report.status = Status::stagnated;
    report.reason += "; the point it stopped at is feasible";
  }
  return report;
}

}  // namespace ipopt
