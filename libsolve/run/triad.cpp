#include <algorithm>
#include <chrono>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/run/triad.hpp>
#include <limits>

namespace libsolve {
namespace {

struct TriadKernel {
  double s;
  const double* b;
  const double* c;
  double* a;
  KOKKOS_FUNCTION void operator()(Index i) const { a[i] = b[i] + s * c[i]; }
};

double wall_seconds() {
  const auto t = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(t).count();
}

}  // namespace

Triad::Triad(Index size, Clock clock)
    : a_(zero_array<double>("triad::a", std::size_t(size))),
      b_(zero_array<double>("triad::b", std::size_t(size))),
      c_(zero_array<double>("triad::c", std::size_t(size))),
      clock_(clock != nullptr ? clock : wall_seconds) {
  Kokkos::deep_copy(b_, 1.0);
  Kokkos::deep_copy(c_, 2.0);
}

double Triad::seconds_per_double(int passes) const {
  const auto size = static_cast<Index>(a_.extent(0));
  double best = std::numeric_limits<double>::infinity();
  for (int pass = 0; pass < passes; ++pass) {
    const double start = clock_();
    for_rows(default_space(), "triad", size, TriadKernel{3.0, b_.data(), c_.data(), a_.data()});
    Kokkos::fence("triad");
    best = std::min(best, clock_() - start);
  }
  return best / (3.0 * size);
}

double triad_seconds_per_double(const Communicator& comm) {
  const Triad triad;
  double best = std::numeric_limits<double>::infinity();
  for (int pass = 0; pass < 10; ++pass) {
    comm.barrier();
    best = std::min(best, comm.max(triad.seconds_per_double(1)));
  }
  return best / comm.size();
}

}  // namespace libsolve
