#pragma once

#include <Kokkos_Core.hpp>
#include <bit>
#include <cstdint>

namespace logistic {

/// log(1 + exp(-t)) with its first two derivatives -s and s (1 - s), s = 1 / (1 + exp(t)). Without
/// branches, so that loops over margins become SIMD code; 2 units in the last place. NaN gives NaN.
struct Loss {
  double value = 0.0;
  double slope = 0.0;
  double curvature = 0.0;
};

/// exp(-a) for a >= 0; 0 beyond 708.
KOKKOS_INLINE_FUNCTION double exp_of_minus(double a) {
  a = a > 708.0 ? 708.0 : a;
  // a = k log 2 + r, |r| <= log(2) / 2. Adding 1.5 * 2^52 leaves k in the last bits of the sum.
  constexpr double magic = 6755399441055744.0;
  const double shifted = a * 1.4426950408889634 + magic;
  const double k = shifted - magic;
  const double r = (k * 0.693147180369123816490 - a) + k * 1.90821492927058770002e-10;
  // exp(r) by its series to r^13 / 13!, error 4e-18.
  double p = 1.6059043836821613e-10;
  p = p * r + 2.0876756987868100e-09;
  p = p * r + 2.5052108385441720e-08;
  p = p * r + 2.7557319223985893e-07;
  p = p * r + 2.7557319223985888e-06;
  p = p * r + 2.4801587301587302e-05;
  p = p * r + 1.9841269841269841e-04;
  p = p * r + 1.3888888888888889e-03;
  p = p * r + 8.3333333333333332e-03;
  p = p * r + 4.1666666666666664e-02;
  p = p * r + 1.6666666666666666e-01;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  // 2^-k from its exponent's bits.
  const auto bits = std::bit_cast<std::uint64_t>(shifted);
  return p * std::bit_cast<double>((std::uint64_t{1023} - (bits & 0x7ff)) << 52);
}

/// log(1 + u) for 0 <= u <= 1: 2 atanh(u / (2 + u)) by its series.
KOKKOS_INLINE_FUNCTION double log_one_plus(double u) {
  const double s = u / (2.0 + u);
  const double q = s * s;  // <= 1/9
  double p = 1.0 / 35.0;
  p = p * q + 1.0 / 33.0;
  p = p * q + 1.0 / 31.0;
  p = p * q + 1.0 / 29.0;
  p = p * q + 1.0 / 27.0;
  p = p * q + 1.0 / 25.0;
  p = p * q + 1.0 / 23.0;
  p = p * q + 1.0 / 21.0;
  p = p * q + 1.0 / 19.0;
  p = p * q + 1.0 / 17.0;
  p = p * q + 1.0 / 15.0;
  p = p * q + 1.0 / 13.0;
  p = p * q + 1.0 / 11.0;
  p = p * q + 1.0 / 9.0;
  p = p * q + 1.0 / 7.0;
  p = p * q + 1.0 / 5.0;
  p = p * q + 1.0 / 3.0;
  p = p * q + 1.0;
  return 2.0 * s * p;
}

KOKKOS_INLINE_FUNCTION Loss loss_at(double t) {
  const double a = t < 0.0 ? -t : t;
  const double u = exp_of_minus(a);    // exp(-|t|)
  const double small = u / (1.0 + u);  // 1 / (1 + exp(|t|))
  const double large = 1.0 / (1.0 + u);
  Loss loss;
  loss.value = log_one_plus(u) + (t < 0.0 ? -t : 0.0);
  loss.slope = t < 0.0 ? -large : -small;
  loss.curvature = small * large;
  return loss;
}

}  // namespace logistic
