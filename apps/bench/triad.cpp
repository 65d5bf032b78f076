#include <chrono>
#include <ctime>
#include <libsolve/core/row_kernels.hpp>

#include "bench.hpp"

namespace bench {

double now(Clock clock) {
  if (clock == Clock::cpu) {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  }
  const auto t = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(t).count();
}

struct TriadKernel {
  double s;
  const double* b;
  const double* c;
  double* a;
  KOKKOS_FUNCTION void operator()(Index i) const { a[i] = b[i] + s * c[i]; }
};

Triad::Triad(const Settings& settings)
    : settings_(settings),
      a_("bench::a", settings.triad_size),
      b_("bench::b", settings.triad_size),
      c_("bench::c", settings.triad_size) {
  Kokkos::deep_copy(b_, 1.0);
  Kokkos::deep_copy(c_, 2.0);
}

double Triad::seconds_per_double(int repeat) const {
  double best = 1e300;
  for (int r = 0; r < repeat; ++r) {
    const double start = now(settings_.clock);
    libsolve::for_rows(libsolve::ExecSpace(), "bench::triad", settings_.triad_size,
                       TriadKernel{3.0, b_.data(), c_.data(), a_.data()});
    Kokkos::fence("bench::triad");
    best = std::min(best, now(settings_.clock) - start);
  }
  return best / (3.0 * settings_.triad_size);
}

}  // namespace bench
