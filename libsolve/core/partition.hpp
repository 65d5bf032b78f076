#pragma once

#include <libsolve/core/communicator.hpp>
#include <libsolve/core/types.hpp>

namespace libsolve {

/// How the rows of a vector or operator lie over the ranks: contiguous blocks in rank order.
/// `global_size` is 64-bit; a rank's own part has at most 2^31 - 1 rows (ShapeError beyond).
class LIBSOLVE_EXPORT Partition {
 public:
  Partition() = default;
  /// All rows on one rank.
  explicit Partition(GlobalIndex global_size);
  /// This rank's share; collective. `local_size` may be 0.
  Partition(Communicator comm, GlobalIndex local_size);

  GlobalIndex global_size() const noexcept { return global_size_; }
  GlobalIndex first_row() const noexcept { return first_row_; }
  Index local_size() const noexcept { return local_size_; }
  const Communicator& communicator() const noexcept { return comm_; }
  /// Same sizes on this rank (the communicators are not compared).
  bool operator==(const Partition& other) const noexcept {
    return global_size_ == other.global_size_ && first_row_ == other.first_row_ &&
           local_size_ == other.local_size_;
  }

 private:
  Communicator comm_;
  GlobalIndex global_size_ = 0;
  GlobalIndex first_row_ = 0;
  Index local_size_ = 0;
};

}  // namespace libsolve
