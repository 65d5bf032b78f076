#pragma once

#include <libsolve/core/random.hpp>
#include <libsolve/linear/tuner.hpp>
#include <libsolve/plugin/registry.hpp>

namespace tuning {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// Numbers of a stored state, taken one after the other; DataError where there are too few, or,
/// at the end, too many.
class StoredNumbers {
 public:
  explicit StoredNumbers(std::vector<double> numbers) : numbers_(std::move(numbers)) {}
  double take();
  template <class Range>
  void take_all(Range& range) {
    for (double& x : range) x = take();
  }
  void end() const;

 private:
  std::vector<double> numbers_;
  size_t next_ = 0;
};

/// The learner without context: Tsallis-INF (Zimmert, Seldin 2021) as Khodak et al. 2024 use it.
///   p_i = 4 / (eta_t (k_i / s - x))^2,  x by Newton's method so that sum of p_i = 1,
///   eta_t = 2 / sqrt(t),  s the running mean of cost - 1,
///   k_i <- k_i + (cost - 1) / p_i for the arm i that was played.
class TsallisLearner {
 public:
  /// `least_cost`: the 1 below where costs are no iterations.
  explicit TsallisLearner(size_t num_arms = 0, double least_cost = 1.0);
  /// The arm at `uniform` in [0, 1) of the distribution p.
  size_t choose(double uniform) const;
  /// Learns, and finds p of the next round.
  void observe(size_t arm, double cost);
  double probability(size_t arm) const { return arms_[arm].p; }
  void append_state(std::vector<double>& out) const;
  void take_state(StoredNumbers& numbers);

 private:
  void update_probabilities();
  struct Arm {
    double k = 0.0;  ///< importance-weighted sum of costs
    double p = 0.0;
  };
  std::vector<Arm> arms_;
  double rounds_ = 0.0;
  double sum_ = 0.0;  ///< of cost - 1
  double least_cost_;
  double y_ = 0.0;    ///< s x of the last round, where Newton's method starts
};

/// One learner for all systems, or one for each of several bins of the context.
class TsallisTuner : public Tuner {
 public:
  TsallisTuner(int bins, const Context& context)
      : bins_(bins), stream_(context.seed, "tuning::tsallis_inf") {}
  void begin(const TuningSpace& space) override;
  double choose(const TuningSituation& situation) override;
  void observe(double cost) override;
  std::vector<Field> state() const override;
  void restore(const StateSource& state, const Problem& problem) override;

 private:
  int bins_;
  RandomStream stream_;
  TuningSpace space_;
  std::vector<TsallisLearner> learners_;
  std::uint64_t draws_ = 0;
  size_t learner_ = 0;
  size_t arm_ = 0;
};

struct NoOptions {
  static void describe(Fields<NoOptions>&) {}
};

/// "tsallis-inf"
class TsallisInf final : public TsallisTuner {
 public:
  using Options = NoOptions;
  TsallisInf(const Options&, const Context& context) : TsallisTuner(1, context) {}
};

struct BinOptions {
  int bins = 6;
  static void describe(Fields<BinOptions>& f) {
    f.add("bins", &BinOptions::bins, Range::closed(1, 10000),
          "equal parts of the context's range, with a learner each");
  }
};

/// "tsallis-inf-cb"
class TsallisInfCb final : public TsallisTuner {
 public:
  using Options = BinOptions;
  TsallisInfCb(const Options& options, const Context& context)
      : TsallisTuner(options.bins, context) {}
};

struct FixedOptions {
  double value = 1.0;
  static void describe(Fields<FixedOptions>& f) {
    f.add("value", &FixedOptions::value, "played for every system");
  }
};

/// "fixed": what a user without a tuner has.
class Fixed final : public Tuner {
 public:
  using Options = FixedOptions;
  Fixed(const Options& options, const Context&) : options_(options) {}
  void begin(const TuningSpace&) override {}
  double choose(const TuningSituation&) override { return options_.value; }
  void observe(double) override {}
  std::vector<Field> state() const override { return {}; }
  void restore(const StateSource&, const Problem&) override {}

 private:
  Options options_;
};

/// The range of contexts, or Unsupported saying that `tuner` needs one.
void need_context_range(const TuningSpace& space, const std::string& tuner);

}  // namespace tuning
