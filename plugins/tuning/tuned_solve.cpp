#include "tuned_solve.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace tuning {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point t) {
  return std::chrono::duration<double>(Clock::now() - t).count();
}

/// A monitor that passes everything on, and knows when the solver was set up.
class SetUpWatch final : public Monitor {
 public:
  explicit SetUpWatch(Monitor& outer) : outer_(outer) {}
  Verdict observe(std::int64_t iteration, std::span<const Sample> samples) override {
    return outer_.observe(iteration, samples);
  }
  Verdict poll() override { return outer_.poll(); }
  bool wants_text() const override { return outer_.wants_text(); }
  void begin_phase(std::string_view name) override {
    if (name == "solve") began_ = Clock::now();
    outer_.begin_phase(name);
  }
  /// When the solver began to solve, or `start` where it does not say.
  Clock::time_point began(Clock::time_point start) const { return std::max(began_, start); }

 private:
  Monitor& outer_;
  Clock::time_point began_ = {};
};

/// Seconds of a tuner's decision, added to a sum. The clock is read once for nothing: after a solve
/// its code is out of the caches, and fetching that is no part of the decision.
class DecisionTimer {
 public:
  explicit DecisionTimer(double& sum) : sum_(sum) {
    (void)Clock::now();
    start_ = Clock::now();
  }
  ~DecisionTimer() { sum_ += seconds_since(start_); }
  DecisionTimer(const DecisionTimer&) = delete;
  DecisionTimer& operator=(const DecisionTimer&) = delete;

 private:
  double& sum_;
  Clock::time_point start_;
};

Report stopped_by(Monitor& monitor) {
  Report report;
  report.status = status_of(monitor.poll());
  report.reason = "stopped while all values were tried";
  return report;
}

/// Of a failure before anything was solved, in iterations or seconds.
constexpr double least_penalty = 100.0;

std::vector<double> arms(const TuningOptions& o) {
  std::vector<double> values = o.values;
  if (!o.words.empty()) {
    values.clear();
    for (size_t k = 0; k < o.words.size(); ++k) values.push_back(static_cast<double>(k));
  } else if (o.parameter.empty()) {
    values = {0.0};
  } else if (values.empty()) {
    for (int k = 0; k < o.count; ++k)
      values.push_back(o.count == 1 ? o.low : o.low + (o.high - o.low) * k / (o.count - 1));
  }
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

ComponentSpec TuningOptions::default_solver() {
  ComponentSpec cg("cg");
  cg.options.set("preconditioner", "ssor");
  return cg;
}

void TuningOptions::check(const TuningOptions& o, const std::string& prefix,
                          const SourceLocation& where, Diagnostics& problems) {
  if (!(o.low <= o.high))
    problems.add(
        where, prefix + "low",
        "must not be above high = " + format_number(o.high) + ", is " + format_number(o.low));
  if (!o.words.empty() && !o.values.empty())
    problems.add(where, prefix + "words", "an option has words or values, not both");
  if (!o.words.empty() && o.parameter.empty())
    problems.add(where, prefix + "parameter", "must name the option that takes the words");
  if (!o.context_range.empty() &&
      (o.context_range.size() != 2 || !(o.context_range[0] < o.context_range[1])))
    problems.add(where, prefix + "context_range", "must be two numbers, the smaller one first");
}

TunedSolve::TunedSolve(const TuningOptions& options, const Context& context)
    : options_(options),
      solver_(options.solver, options.parameter, options.words, context),
      tuner_(context.make<Tuner>(options.tuner)),
      oracle_(arms(options)) {
  space_.parameter = options.parameter;
  space_.values = arms(options);
  space_.least_cost = options.cost == "seconds" ? 0.0 : 1.0;
  // Options that do not exist and values out of range are refused now, not at some system.
  solver_.check(space_.values);
  solver_.with(space_.values.front(), -1.0);
  space_.is_continuous =
      options.words.empty() && options.values.empty() && options.count > 1 && solver_.is_in_place();
}

TunedSolve::~TunedSolve() = default;

void TunedSolve::begin(std::optional<std::pair<double, double>> range) {
  if (begun_) return;
  if (!options_.context_range.empty())
    range = {{options_.context_range[0], options_.context_range[1]}};
  if (range) std::tie(space_.context_low, space_.context_high) = *range;
  tuner_->begin(space_);
  begun_ = true;
}

double TunedSolve::tolerance(const LinearSystem& system) {
  if (options_.stop_by != "initial-residual") return -1.0;
  if (r_.data() == nullptr || !(r_.partition() == system.b().partition()))
    r_ = system.b().like("tuned_solve::r");
  return options_.reduction * std::sqrt(system.A().residual(system.b(), system.x(), r_));
}

/// The same on all ranks: seconds are those of the slowest. What does not solve the system costs
/// twice the dearest solve so far, however soon it gave up.
double TunedSolve::cost_of(const Play& play, const LinearSystem& system) const {
  const double cost = options_.cost == "seconds"
                          ? system.b().communicator().max(play.seconds)
                          : std::max(1.0, static_cast<double>(play.report.iterations));
  if (play.is_solved) return cost;
  return std::max(cost, 2.0 * (worst_cost_ > 0.0 ? worst_cost_ : least_penalty));
}

TunedSolve::Play TunedSolve::play(LinearSystem& system, double value, double absolute,
                                  Monitor& monitor) {
  Play play;
  SetUpWatch watch(monitor);
  const auto start = Clock::now();
  play.report = solver_.with(value, absolute).solve(system, watch);
  play.iterate_seconds = seconds_since(watch.began(start));
  play.seconds = seconds_since(start);
  const Status status = play.report.status;
  // One that is stopped by a caller that needs no more has solved it, too.
  play.is_stopped = status == Status::time_limit ||
                    (status == Status::interrupted && monitor.poll() != Verdict::proceed);
  play.is_solved = play.report.converged() || (status == Status::interrupted && !play.is_stopped);
  if (!play.is_solved && !play.is_stopped) copy(start_, system.x());
  play.cost = cost_of(play, system);
  return play;
}

std::vector<double> TunedSolve::play_all_arms(LinearSystem& system, double absolute,
                                              Monitor& monitor) {
  InnerMonitor inner(monitor);
  std::vector<double> costs;
  for (const double value : space_.values) {
    const Play arm = play(system, value, absolute, inner);
    copy(start_, system.x());
    if (arm.is_stopped) break;
    costs.push_back(arm.cost);
  }
  return costs;
}

TunedSolve::Play TunedSolve::count(Play play, double value) {
  if (play.is_solved) {
    worst_cost_ = std::max(worst_cost_, play.cost);
    safe_value_ = value;
  }
  value_ = value;
  cost_ += play.cost;
  totals_.solve_s += play.seconds;
  totals_.iterate_s += play.iterate_seconds;
  totals_.iterations += static_cast<double>(play.report.iterations);
  return play;
}

double TunedSolve::choose(const TuningSituation& situation) {
  const DecisionTimer timer(totals_.decision_s);
  learn();
  return tuner_->choose(situation);
}

void TunedSolve::learn() const {
  if (unlearned_) tuner_->observe(*unlearned_);
  unlearned_.reset();
}

Report TunedSolve::solve(LinearSystem& system, double context, Monitor& monitor) {
  begin({});
  if (!std::isfinite(context))
    throw DataError("the context of a system must be a finite number, is " +
                    format_number(context));
  if (!(start_.partition() == system.x().partition()) || start_.data() == nullptr)
    start_ = system.x().like("tuned_solve::start");
  copy(system.x(), start_);
  const double absolute = tolerance(system);
  std::vector<double> arm_costs;
  if (options_.oracles) {
    arm_costs = play_all_arms(system, absolute, monitor);
    if (arm_costs.size() < space_.values.size()) return stopped_by(monitor);
  }

  const double chosen = choose({.context = context,
                                .system = &system,
                                .reduction = absolute < 0.0 ? 1e-8 : options_.reduction});
  value_ = chosen;
  Play played = play(system, chosen, absolute, monitor);
  if (played.is_stopped) return std::move(played.report);
  cost_ = 0.0;
  played = count(std::move(played), chosen);
  unlearned_ = cost_;
  // A value that does not solve the system is paid for, and one that has solved others is played.
  if (!played.is_solved && safe_value_ && *safe_value_ != chosen) {
    totals_.failed_choices += 1.0;
    const double safe = *safe_value_;
    played = count(play(system, safe, absolute, monitor), safe);
  }
  if (!played.is_solved) return std::move(played.report);
  if (options_.oracles) oracle_.add(arm_costs);
  totals_.systems += 1.0;
  totals_.cost += cost_;
  return std::move(played.report);
}

void TunedSolve::summarise(Report& report) const {
  report.counts.push_back({"systems", totals_.systems, ""});
  report.counts.push_back({"inner_iterations", totals_.iterations, ""});
  report.counts.push_back({"failed_choices", totals_.failed_choices, ""});
  report.counts.push_back({"solvers_made", static_cast<double>(solver_.num_made()), ""});
  const double systems = std::max(totals_.systems, 1.0);
  const double iteration = totals_.iterate_s / std::max(totals_.iterations, 1.0);
  const double estimate = tuner_->extra_seconds() / systems;
  const double decision = totals_.decision_s / systems - estimate;
  report.seconds.push_back({"solve", totals_.solve_s, "s"});
  report.seconds.push_back({"solver_setup", totals_.solve_s - totals_.iterate_s, "s"});
  report.seconds.push_back({"decisions", totals_.decision_s, "s"});
  const char* unit = options_.cost == "seconds" ? "s" : "";
  report.metrics.push_back({"mean_cost", totals_.cost / systems, unit});
  report.metrics.push_back({"iteration_seconds", iteration, "s"});
  // A decision: choosing and learning. Estimates of eigenvalues are counted beside it, as products.
  report.metrics.push_back({"decision_seconds", decision, "s"});
  report.metrics.push_back({"decision_in_iterations", decision / std::max(iteration, 1e-12), ""});
  report.metrics.push_back({"estimate_seconds", estimate, "s"});
  report.metrics.push_back({"estimate_in_iterations", estimate / std::max(iteration, 1e-12), ""});
  report.metrics.push_back({"extra_products", tuner_->extra_products(), ""});
  if (!options_.oracles || oracle_.num_systems() == 0) return;
  const auto counted = static_cast<double>(oracle_.num_systems());
  const size_t fixed = oracle_.best_fixed();
  report.metrics.push_back({"best_fixed_value", oracle_.values()[fixed], ""});
  report.metrics.push_back({"mean_cost_best_fixed", oracle_.total(fixed) / counted, unit});
  report.metrics.push_back({"mean_cost_best_of_each", oracle_.total_of_best() / counted, unit});
}

// ---- stopping and going on
// -----------------------------------------------------------------------

namespace {

constexpr const char* tuner_prefix = "tuner_";

/// The part of a state whose names begin with a prefix.
class Prefixed final : public StateSource {
 public:
  Prefixed(const StateSource& all, std::string prefix) : all_(all), prefix_(std::move(prefix)) {}
  bool has(std::string_view name) const override { return all_.has(full(name)); }
  std::vector<double> numbers(std::string_view name) const override {
    return all_.numbers(full(name));
  }
  void read(std::string_view name, const Field& into) const override {
    all_.read(full(name), into);
  }

 private:
  std::string full(std::string_view name) const { return prefix_ + std::string(name); }
  const StateSource& all_;
  std::string prefix_;
};

}  // namespace

std::vector<Field> TunedSolve::state() const {
  if (!begun_) return {};
  learn();
  std::vector<Field> fields = {
      numbers_field("totals",
                    {totals_.systems, totals_.cost, totals_.iterations, totals_.decision_s,
                     totals_.solve_s, totals_.iterate_s, totals_.failed_choices, worst_cost_,
                     safe_value_.value_or(std::nan("")), space_.context_low, space_.context_high},
                    "systems, cost, iterations, seconds deciding, solving and iterating, choices "
                    "that failed, dearest "
                    "solve, last value that solved one, context range"),
      numbers_field("arms", oracle_.values(), "the values to choose from")};
  if (options_.oracles && oracle_.num_systems() > 0) {
    fields.push_back(numbers_field("arm_costs", oracle_.costs(),
                                   "what each value costs in each system, (systems, arms)"));
    fields.back().shape = {static_cast<GlobalIndex>(oracle_.num_systems()),
                           static_cast<GlobalIndex>(oracle_.values().size())};
  }
  for (Field& field : tuner_->state()) {
    field.name = tuner_prefix + field.name;
    fields.push_back(std::move(field));
  }
  return fields;
}

void TunedSolve::restore(const StateSource& state, const Problem& problem) {
  if (!state.has("totals")) return;
  const std::vector<double> t = state.numbers("totals");
  if (t.size() != 11) throw DataError("the stored sequence has other totals than this one");
  if (state.numbers("arms") != oracle_.values())
    throw DataError("the stored run chose between other values than this one");
  totals_ = {t[0], t[1], t[2], t[3], t[4], t[5], t[6]};
  worst_cost_ = t[7];
  if (!std::isnan(t[8])) safe_value_ = t[8];
  begin({{t[9], t[10]}});
  if (options_.oracles && state.has("arm_costs")) {
    const std::vector<double> costs = state.numbers("arm_costs");
    const size_t arms = oracle_.values().size();
    for (size_t i = 0; i + arms <= costs.size(); i += arms)
      oracle_.add({costs.begin() + static_cast<std::ptrdiff_t>(i),
                   costs.begin() + static_cast<std::ptrdiff_t>(i + arms)});
  }
  tuner_->restore(Prefixed(state, tuner_prefix), problem);
}

}  // namespace tuning
