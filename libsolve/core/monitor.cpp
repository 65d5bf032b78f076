#include <libsolve/core/monitor.hpp>

namespace libsolve {

Monitor::~Monitor() = default;
void Monitor::begin_phase(std::string_view) {}
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

}  // namespace libsolve
