#pragma once

#include <libsolve/core/resumable.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/tuner.hpp>
#include <libsolve/plugin/registry.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "oracle.hpp"
#include "parameter.hpp"

namespace tuning {

struct TuningOptions {
  ComponentSpec solver = default_solver();
  std::string parameter = "preconditioner.omega";
  std::vector<double> values = {};
  double low = 1.0;
  double high = 1.95;
  int count = 20;
  std::vector<std::string> words = {};
  ComponentSpec tuner = "relax-prior";
  std::string cost = "iterations";
  std::string stop_by = "solver";
  double reduction = 1e-8;
  std::vector<double> context_range = {};
  bool oracles = false;

  static ComponentSpec default_solver();
  template <class O>
  static void describe_common(Fields<O>& f) {
    f.add_component("solver", &O::solver, LinearSolver::kind, "what solves each system");
    f.add("parameter", &O::parameter,
          "the option of the solver to tune: \"omega\", \"preconditioner.omega\"; \"\" for none");
    f.add("values", &O::values, "the values to choose from; empty: `count` of them, evenly spaced");
    f.add("low", &O::low, "smallest value");
    f.add("high", &O::high, "largest value");
    f.add("count", &O::count, Range::closed(1, 1000), "how many values");
    f.add("words", &O::words, "the words to choose from, for an option that is no number");
    f.add_component("tuner", &O::tuner, Tuner::kind, "what chooses");
    f.add("cost", &O::cost, Choices{{"iterations", "seconds"}}, "what a choice is judged by");
    f.add("stop_by", &O::stop_by, Choices{{"initial-residual", "solver"}},
          "each solve ends when ||b - A x|| <= reduction times that of its initial guess, or when "
          "the solver's own tolerances say so");
    f.add("reduction", &O::reduction, Range::open(0.0, 1.0), "for stop_by = \"initial-residual\"");
    f.add("context_range", &O::context_range,
          "smallest and largest context to expect; empty: what the problem says");
    f.add("oracles", &O::oracles,
          "solve each system with every value, too, and report what was best in hindsight");
  }
  static void check(const TuningOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// One solver, of which a tuner chooses one parameter anew for each system (Khodak et al. 2024). With
/// `oracles` every system is also solved with every arm, from the same initial guess, for
/// comparison: the best fixed value in hindsight and the best one for each system. A value that does
/// not solve a system costs twice the dearest solve so far, and the system is solved again with the
/// last value that has solved one. Nothing is learned from a solve that the monitor stops;
/// the same value is chosen again for that system.
class TunedSolve final : public Resumable {
 public:
  TunedSolve(const TuningOptions& options, const Context& context);
  ~TunedSolve() override;

  /// Tells the tuner which contexts to expect, where the options do not; before the first solve.
  void begin(std::optional<std::pair<double, double>> range);
  /// Report::status is time_limit or interrupted where the monitor stopped it; a time integrator that
  /// stops the solver because it needs no more, and whose poll() does not say stop, has its solution.
  Report solve(LinearSystem& system, double context, Monitor& monitor);
  /// x of the last solve as it was before.
  void put_back_guess(LinearSystem& system) const { copy(start_, system.x()); }

  double value() const { return value_; }  ///< played last
  double cost() const { return cost_; }    ///< of the last solve
  double mean_cost() const { return totals_.cost / std::max(totals_.systems, 1.0); }
  std::string value_text() const { return solver_.text(value_); }
  const Oracle& oracle() const { return oracle_; }
  const TuningOptions& options() const { return options_; }
  /// Adds counts, seconds and metrics of all solves so far.
  void summarise(Report& report) const;

  std::vector<Field> state() const override;
  /// `problem`: the next LinearSystem.
  void restore(const StateSource& state, const Problem& problem) override;

 private:
  struct Totals {
    double systems = 0.0, cost = 0.0, iterations = 0.0, decision_s = 0.0, solve_s = 0.0,
           iterate_s = 0.0, failed_choices = 0.0;
  };
  double tolerance(const LinearSystem& system);
  double choose(const TuningSituation& situation);
  /// Tells the tuner what its last choice has cost, if that is still to be done. Put off until the next
  /// choice: after a solve the tuner's memory is out of the caches, and then comes in once for both.
  void learn() const;
  /// How a solve with one value went.
  struct Play {
    Report report;
    bool is_solved = false;
    bool is_stopped = false;  ///< by the monitor, unsolved
    double seconds = 0.0;
    double iterate_seconds = 0.0;  ///< without setting up
    double cost = 0.0;
  };
  /// x is the guess again where that does not work, the last iterate where it was stopped.
  Play play(LinearSystem& system, double value, double tolerance, Monitor& monitor);
  double cost_of(const Play& play, const LinearSystem& system) const;
  /// Costs of all values, fewer where the monitor stopped it; x is the guess again.
  std::vector<double> play_all_arms(LinearSystem& system, double tolerance, Monitor& monitor);
  /// Plays a value for the record.
  Play count(Play play, double value);

  TuningOptions options_;
  TuningSpace space_;
  ParameterisedSolver solver_;
  std::unique_ptr<Tuner> tuner_;
  Oracle oracle_;
  bool begun_ = false;
  Totals totals_;
  double value_ = 0.0;
  double cost_ = 0.0;
  mutable std::optional<double> unlearned_;  ///< cost of the last choice, see learn()
  double worst_cost_ = 0.0;             ///< of what was solved
  std::optional<double> safe_value_;    ///< that solved a system last
  Vector start_;                        ///< the initial guess
  Vector r_;                            ///< its residual, for stop_by = "initial-residual"
};

}  // namespace tuning
