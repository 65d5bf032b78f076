#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <libsolve/core/communicator.hpp>
#include <libsolve/core/monitor.hpp>
#include <libsolve/io/results_file.hpp>
#include <libsolve/run/progress.hpp>
#include <limits>

namespace libsolve {

/// The monitor of a run: keeps the history, tells the progress, and answers "stop" for the time
/// limit and for a stop flag that a signal handler sets. With several ranks all give the same
/// answer: they agree by one reduction about every tenth of a second, not every iteration.
class LIBSOLVE_EXPORT RunMonitor final : public Monitor {
 public:
  using Clock = std::chrono::steady_clock;
  struct Settings {
    Communicator comm = {};
    Clock::time_point start = Clock::now();  ///< where the time limit counts from
    double time_limit_s = std::numeric_limits<double>::infinity();
    const std::atomic<int>* stop_flag = nullptr;  ///< the number of the signal; 0 = go on
    Progress* progress = nullptr;
    /// Called on all ranks when a snapshot is due.
    std::function<void()> snapshot = {};
    double snapshot_interval_s = std::numeric_limits<double>::infinity();
    History earlier = {};  ///< of the run that this one continues
  };
  explicit RunMonitor(Settings settings);
  ~RunMonitor() override;

  Verdict observe(std::int64_t iteration, std::span<const Sample> samples) override;
  /// The same answer without a row in the history, and without a snapshot: the method is in the
  /// middle of an iteration.
  Verdict poll() override;
  void begin_phase(std::string_view name) override;

  /// Columns so far; seconds count from the construction of this monitor, or go on from those of
  /// the run it continues.
  const History& history() const noexcept { return history_; }
  /// The verdict that stopped the run, or `proceed`.
  Verdict verdict() const noexcept { return verdict_; }

 private:
  void record(std::int64_t iteration, double seconds, std::span<const Sample> samples);
  /// What all ranks say; `snapshot`: whether one is due, and then whether it is for any.
  Verdict agree(double seconds, bool& snapshot);

  Settings settings_;
  Clock::time_point begin_;
  double earlier_s_ = 0.0;
  bool is_continued_ = false;  ///< and nothing was observed yet
  History history_;
  Verdict verdict_ = Verdict::proceed;
  double next_snapshot_s_ = 0.0;
  std::int64_t calls_ = 0;
  std::int64_t next_agreement_ = 0;  ///< in calls
};

}  // namespace libsolve
