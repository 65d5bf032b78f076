#include "terminal_progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace app {

namespace {
constexpr double refresh_interval_s = 0.1;
constexpr double first_log_line_s = 2.0;
constexpr double longest_log_interval_s = 60.0;

int terminal_width() {
  winsize size = {};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}
}  // namespace

TerminalProgress::TerminalProgress()
    : is_terminal_(isatty(STDERR_FILENO) != 0), next_s_(is_terminal_ ? 0.0 : first_log_line_s) {}

TerminalProgress::~TerminalProgress() {
  clear();
}

void TerminalProgress::clear() {
  if (line_is_open_) fmt::print(stderr, "\r\033[K");
  line_is_open_ = false;
  std::fflush(stderr);
}

void TerminalProgress::refresh(const std::string& line) {
  fmt::print(stderr, "\r\033[K{}", line.substr(0, static_cast<size_t>(terminal_width() - 1)));
  std::fflush(stderr);
  line_is_open_ = true;
}

void TerminalProgress::message(const std::string& line) {
  clear();
  fmt::print(stderr, "{}\n", line);
}

void TerminalProgress::phase(std::string_view name, double seconds) {
  phase_ = name;
  if (is_terminal_) refresh(fmt::format("{:8.1f} s  {}", seconds, name));
}

void TerminalProgress::iteration(std::int64_t iteration, double seconds,
                                 std::span<const libsolve::Sample> samples) {
  if (seconds < next_s_) return;
  std::string line = fmt::format("{:8.1f} s  iteration {}", seconds, iteration);
  for (const libsolve::Sample& s : samples) line += fmt::format("  {} {:.3e}", s.name, s.value);
  if (is_terminal_) {
    refresh(line);
    next_s_ = seconds + refresh_interval_s;
  } else {
    fmt::print(stderr, "{}\n", line);
    next_s_ = seconds + std::min(0.5 * seconds, longest_log_interval_s);
  }
}

}  // namespace app
