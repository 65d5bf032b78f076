#pragma once

#include <libsolve/optimize/program_functions.hpp>
#include <memory>

namespace libsolve {

/// Rows z_i of samples, compressed, in MemSpace; columns ascend in each row.
struct SampleRows {
  Index num_rows = 0;
  Index num_columns = 0;
  Kokkos::View<const GlobalIndex*, MemSpace> row_pointers = {};
  Kokkos::View<const Index*, MemSpace> columns = {};
  ConstVectorView values = {};
};

/// What functions that are sums over data offer beside ProgramFunctions, for methods that sample
/// (found by dynamic_cast):
///   f(x) = 1/N sum_i phi_i(z_i^T x) + r/2 |x|^2,   f''(x) = Z^T diag(w(x)) Z + r I, w >= 0,
/// with constraints that are linear (ProgramFunctions::is_linear) but for at most one, |x|^2 = 1.
/// The Lagrangian's Hessian is sigma f'' + 2 lambda_sphere I.
class LIBSOLVE_EXPORT SampleSum {
 public:
  virtual ~SampleSum();
  /// N rows, in random order: the first k are a random sample of all.
  virtual SampleRows samples() const = 0;
  /// w_i(x) = phi_i''(z_i^T x) / N, length N. At the x of the last evaluation it costs nothing;
  /// valid until the next one at another x.
  virtual ConstVectorView weights(const ConstVectorView& x) = 0;
  virtual double regularization() const = 0;
  /// The constraint |x|^2 - 1, or -1 where there is none.
  virtual Index sphere() const = 0;
  /// The same program with the mean over the first `count` samples; shares the data.
  virtual std::shared_ptr<ProgramFunctions> over_first(Index count) const = 0;
};

}  // namespace libsolve
