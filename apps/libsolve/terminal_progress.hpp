#pragma once

#include <libsolve/run/progress.hpp>
#include <string>

namespace app {

/// Progress on standard error: one line that refreshes itself on a terminal, and in a log a line
/// now and then, further apart the longer it takes.
class TerminalProgress final : public libsolve::Progress {
 public:
  TerminalProgress();
  ~TerminalProgress() override;
  void message(const std::string& line) override;
  void phase(std::string_view name, double seconds) override;
  void iteration(std::int64_t iteration, double seconds,
                 std::span<const libsolve::Sample> samples) override;

 private:
  void refresh(const std::string& line);
  void clear();

  bool is_terminal_;
  bool line_is_open_ = false;
  std::string phase_;
  double next_s_ = 0.0;
};

}  // namespace app
