#pragma once

#include <libsolve/core/resumable.hpp>
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

/// For inner solves: never stops and reads no text.
class QuietMonitor final : public Monitor {
 public:
  Verdict observe(std::int64_t, std::span<const Sample>) override { return Verdict::proceed; }
  bool wants_text() const override { return false; }
};

/// One solver, of which a tuner chooses one parameter anew for each system (Khodak et al. 2024). With
/// `oracles` every system is also solved with every arm, from the same initial guess, for
/// comparison: the best fixed value in hindsight and the best one for each system. A value that does
/// not solve a system costs twice the dearest solve so far, and the system is solved again with the
/// last value that has solved one.
class TunedSolve final : public Resumable {
 public:
  TunedSolve(const TuningOptions& options, const Context& context);
  ~TunedSolve() override;

  /// Tells the tuner which contexts to expect, where the options do not; before the first solve.
  void begin(std::optional<std::pair<double, double>> range);
  Report solve(LinearSystem& system, double context, Monitor& monitor);

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
           failed_choices = 0.0;
  };
  double tolerance(const LinearSystem& system);
  double cost_of(const Report& report, const LinearSystem& system, double seconds) const;
  std::vector<double> play_all_arms(LinearSystem& system, double tolerance);
  /// Solves with one value; x is the guess again where that does not work.
  Report play(LinearSystem& system, double value, double tolerance, Monitor& monitor);

  TuningOptions options_;
  TuningSpace space_;
  ParameterisedSolver solver_;
  std::unique_ptr<Tuner> tuner_;
  Oracle oracle_;
  bool begun_ = false;
  Totals totals_;
  double value_ = 0.0;
  double cost_ = 0.0;
  double worst_cost_ = 0.0;             ///< of what was solved
  std::optional<double> safe_value_;    ///< that solved a system last
  Vector start_;                        ///< the initial guess
  Vector r_;                            ///< its residual, for stop_by = "initial-residual"
};

}  // namespace tuning
