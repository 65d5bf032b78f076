#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <libsolve/core/peak_memory.hpp>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace libsolve {

namespace {

/// A line of /proc/self/status, "VmHWM:" the peak or "VmRSS:" the present size; 0 without it.
double status_bytes(const char* format) {
  std::FILE* file = std::fopen("/proc/self/status", "r");
  if (file == nullptr) return 0.0;
  double kilobytes = 0.0;
  char line[256];
  while (std::fgets(line, sizeof line, file) != nullptr)
    if (std::sscanf(line, format, &kilobytes) == 1) break;
  std::fclose(file);
  return 1024.0 * kilobytes;
}

}  // namespace

PeakMemory::PeakMemory() {
#if defined(__GLIBC__)
  malloc_trim(0);  // free pages that are still there would be used again unseen
#endif
  // Takes the peak down to the present size (Linux 4.0).
  if (std::FILE* file = std::fopen("/proc/self/clear_refs", "w")) {
    std::fputs("5", file);
    std::fclose(file);
  }
  before_ = status_bytes("VmHWM: %lf");
}

double PeakMemory::bytes() const {
  return std::max(0.0, status_bytes("VmHWM: %lf") - before_);
}

}  // namespace libsolve
