/// \file
/// The speed of the memory bus: the unit of all our figures ("td").
#pragma once

#include <libsolve/core/communicator.hpp>
#include <libsolve/core/export.hpp>
#include <libsolve/core/types.hpp>

namespace libsolve {

/// STREAM triad a_i = b_i + s c_i (McCalpin), three doubles counted for each element: what the
/// write of a reads first is not counted, as in STREAM. The arrays come from `zero_array` and the
/// loop is `for_rows`, as in the solvers, so that large pages and threads are the same for both.
class LIBSOLVE_EXPORT Triad {
 public:
  using Clock = double (*)();  ///< seconds from an arbitrary origin

  /// 128 MiB an array: four times a cache of 32 MiB, which is STREAM's rule.
  static constexpr Index default_size = 1 << 24;

  /// Holds three arrays of `size` doubles, already touched. No clock: wall time.
  explicit Triad(Index size = default_size, Clock clock = nullptr);

  /// Best of `passes`, in seconds for each double moved. At 25 GB/s a pass over the default size
  /// takes 16 ms.
  [[nodiscard]] double seconds_per_double(int passes = 5) const;

 private:
  VectorView a_, b_, c_;
  Clock clock_;
};

/// Best of ten passes of a Triad of default size that is gone afterwards, in seconds for each
/// double moved. On several ranks all of them pass at the same time, the slowest counts, and the
/// doubles are those of all: the buses of the job together. Collective, the same on all ranks.
LIBSOLVE_EXPORT double triad_seconds_per_double(const Communicator& comm = Communicator::self());

}  // namespace libsolve
