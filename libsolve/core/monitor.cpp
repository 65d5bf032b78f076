#include <libsolve/core/monitor.hpp>

namespace libsolve {

Monitor::~Monitor() = default;
void Monitor::begin_phase(std::string_view) {}
Verdict Monitor::poll() {
  return Verdict::proceed;
}
bool Monitor::wants_text() const {
  return true;
}

Monitor& Monitor::none() {
  struct Silent final : Monitor {
    Verdict observe(std::int64_t, std::span<const Sample>) override { return Verdict::proceed; }
  };
  static Silent silent;
  return silent;
}

InnerMonitor::~InnerMonitor() = default;
Verdict InnerMonitor::observe(std::int64_t, std::span<const Sample>) {
  return poll();
}
Verdict InnerMonitor::poll() {
  if (verdict_ == Verdict::proceed) verdict_ = outer_->poll();
  return verdict_;
}
bool InnerMonitor::wants_text() const {
  return false;
}

}  // namespace libsolve
