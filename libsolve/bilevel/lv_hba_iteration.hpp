#pragma once

#include <cmath>
#include <cstdint>
#include <libsolve/core/export.hpp>
#include <libsolve/core/types.hpp>

namespace libsolve {

/// The numbers of LV-HBA, in the paper's notation.
struct LvHbaSettings {
  double alpha = 0.05;   ///< step of (x, y)
  double beta = 0.05;    ///< step of z
  double eta = 0.1;      ///< step of (theta, lambda)
  double gamma1 = 10.0;  ///< proximal weight of theta
  double gamma2 = 10.0;  ///< of lambda
  double c0 = 5.0;       ///< c_k = c0 (k + 1)^p
  double p = 0.3;
  double r = 1e6;  ///< bound of the multipliers, Z = [0, r]^m (equalities: [-r, r]^m)
  double row_length =
      0.0;  ///< constraints scaled so that their gradients at the start have it; 0: unscaled
};

/// c_k.
inline double lv_hba_weight(const LvHbaSettings& s, std::int64_t k) {
  return s.c0 * std::pow(static_cast<double>(k + 1), s.p);
}
/// The multiplier of low <= g <= high after an ascent step on l g - sup {l u: low <= u <= high}
/// that leads to `moved` for g alone: for g <= 0 the projection of moved onto [0, r], for g = 0
/// onto
/// [-r, r].
KOKKOS_INLINE_FUNCTION double lv_hba_multiplier(double moved, double eta, double low, double high,
                                                double r) {
  const double at_high = moved - eta * high, at_low = moved - eta * low;
  const double l = at_high > 0.0 ? at_high : at_low < 0.0 ? at_low : 0.0;
  return l > r ? r : l < -r ? -r : l;
}
/// z projected onto Z: a sign only where one bound is there.
KOKKOS_INLINE_FUNCTION double lv_hba_center(double z, double low, double high, double r) {
  const double smallest = low > -largest_double ? -r : 0.0;
  const double largest = high < largest_double ? r : 0.0;
  return z > largest ? largest : z < smallest ? smallest : z;
}

/// What an iteration measures of itself.
struct LvHbaProgress {
  double movement = 0.0;        ///< |(x, y) after - before| / alpha
  double lower_movement = 0.0;  ///< |theta after - before| / eta
};

/// The state and the loop body of LV-HBA (Yao, Yu, Zeng, Zhang, Constrained bi-level optimization:
/// proximal Lagrangian value function approach and Hessian-free algorithm, ICLR 2024, Algorithm 1)
/// on one problem: the general one works by ProgramFunctions and Projection; a problem whose
/// functions are sums over elements can offer one that does an iteration in one pass over memory
/// (SeparableLvHba).
class LIBSOLVE_EXPORT LvHbaIteration {
 public:
  virtual ~LvHbaIteration();
  /// Starts anew from v = (x, y), theta = y, lambda = z = 0.
  virtual void start(const ConstVectorView& v) = 0;
  /// Iterations k = first, ..., first + count - 1; the progress is that of the last one.
  virtual LvHbaProgress run(const LvHbaSettings& settings, std::int64_t first,
                            std::int64_t count) = 0;
  /// The current (x, y), theta and lambda (one for each lower-level constraint).
  virtual void current(const VectorView& v, const VectorView& theta, const VectorView& lambda) = 0;
  /// Bytes that an iteration must move at least: reads and writes of the state.
  virtual double bytes_per_iteration() const = 0;
};

}  // namespace libsolve
