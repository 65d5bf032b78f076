#pragma once

#include <cstdint>
#include <libsolve/core/export.hpp>
#include <libsolve/core/report.hpp>
#include <span>
#include <string_view>

namespace libsolve {

class Vector;

/// A number a method measured in this iteration. Names are string literals and stay the same over
/// a solve: they become columns of the history.
struct Sample {
  std::string_view name;
  double value;
};

/// What a monitor answers: go on, or stop after this iteration and why.
enum class Verdict { proceed, time_limit, interrupted };
/// The Status of a method that stops because a monitor answered `verdict` (not `proceed`).
constexpr Status status_of(Verdict verdict) noexcept {
  return verdict == Verdict::time_limit ? Status::time_limit : Status::interrupted;
}

/// Watches an iteration. A method calls observe() once per iteration, on all ranks, with the same
/// values on all; iteration 0 is the state before the first step. The method stops at once when the
/// answer is not `proceed` and returns the matching Status with its current solution in place.
/// Terminal lines, history tables, time limits, signals and snapshots are monitors.
class LIBSOLVE_EXPORT Monitor {
 public:
  virtual ~Monitor();
  virtual Verdict observe(std::int64_t iteration, std::span<const Sample> samples) = 0;
  /// Called around the phases of a solve ("setup", "solve"); for profiles and progress lines.
  virtual void begin_phase(std::string_view name);
  /// Whether to stop, asked without an iteration to tell of: by an inner solve that goes on for
  /// long. On all ranks, like observe(). Once it says stop it keeps to that.
  virtual Verdict poll();
  /// Whether anybody reads the report. A caller that solves in its innermost loop (a time
  /// integrator) may say no; then a method that succeeds need return no more than status and
  /// iterations, and so makes no text. One that fails still says why.
  virtual bool wants_text() const;
  /// One that keeps nothing and never stops.
  static Monitor& none();
};

/// For the solves inside a method's iteration: they stop when `outer` says so, and keep their own
/// iterations and text to themselves.
class LIBSOLVE_EXPORT InnerMonitor final : public Monitor {
 public:
  /// `outer` outlives it.
  explicit InnerMonitor(Monitor& outer) : outer_(&outer) {}
  ~InnerMonitor() override;
  Verdict observe(std::int64_t iteration, std::span<const Sample> samples) override;
  Verdict poll() override;
  bool wants_text() const override;

 private:
  Monitor* outer_;
  Verdict verdict_ = Verdict::proceed;
};

}  // namespace libsolve
