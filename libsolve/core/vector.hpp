#pragma once

#include <libsolve/core/partition.hpp>
#include <libsolve/core/types.hpp>
#include <string>

namespace libsolve {

/// A distributed vector: this rank's entries and how the whole lies over the ranks. A handle, as
/// Kokkos views are: copies share the data. A caller's own view is wrapped without a copy.
class LIBSOLVE_EXPORT Vector {
 public:
  Vector() = default;
  /// Zero-initialised; `label` appears in profiles.
  Vector(const std::string& label, Partition partition);
  /// Wraps `local` (length partition.local_size(), else ShapeError).
  Vector(VectorView local, Partition partition);

  const Partition& partition() const noexcept { return partition_; }
  const Communicator& communicator() const noexcept { return partition_.communicator(); }
  GlobalIndex global_size() const noexcept { return partition_.global_size(); }
  Index local_size() const noexcept { return partition_.local_size(); }
  /// The rank's entries; constness is that of the handle's owner, as with Kokkos views.
  const VectorView& view() const noexcept { return view_; }
  double* data() const noexcept { return view_.data(); }
  /// A new zero vector of the same partition.
  Vector like(const std::string& label) const { return Vector(label, partition_); }

 private:
  VectorView view_;
  Partition partition_;
};

}  // namespace libsolve
