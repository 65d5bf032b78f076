#pragma once

#include <algorithm>
#include <libsolve/core/pack.hpp>

#include "bench.hpp"

namespace bench {

/// Floating-point operations a second of one core in multiply-adds on registers.
template <class Real>
double peak_flops(const Settings& settings) {
  namespace kernels = libsolve::detail;
  using Pack = kernels::Pack<Real>;
  constexpr int chains =
      12;  // more than a multiply-add takes cycles, fewer than there are registers
  constexpr long rounds = 4'000'000;
  double best = 0.0;
  for (int r = 0; r < 5; ++r) {
    Pack sum[chains];
    for (int c = 0; c < chains; ++c) sum[c] = kernels::all<Real>(Real(1e-3) * static_cast<Real>(c));
    const Pack factor = kernels::all<Real>(Real(0.9375)), term = kernels::all<Real>(Real(1e-3));
    const double start = now(settings.clock);
    for (long k = 0; k < rounds; ++k)
#pragma GCC unroll 12
      for (int c = 0; c < chains; ++c) {
        Pack next = term;
        next += sum[c] * factor;
        sum[c] = next;
      }
    const double seconds = now(settings.clock) - start;
    Real all = Real(0);
    for (const Pack& s : sum) all += kernels::sum_of<Real>(s);
    if (!(all > Real(-1e9))) continue;  // keeps the sums
    best = std::max(best,
                    2.0 * kernels::lanes<Real> * chains * static_cast<double>(rounds) / seconds);
  }
  return best;
}

}  // namespace bench
