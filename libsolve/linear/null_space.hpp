#pragma once

#include <libsolve/core/vector.hpp>

namespace libsolve {

/// The null space of a symmetric singular operator of Neumann type: functions constant on each
/// connected component. Kept as one label per row, so that many components cost one integer a row.
class LIBSOLVE_EXPORT NullSpace {
 public:
  using Labels = Kokkos::View<const Index*, MemSpace>;
  /// One component: all rows.
  static NullSpace constants(const Partition& partition);
  /// labels[i] in [0, num_components), or -1 for rows outside every component (solid cells).
  NullSpace(Labels labels, Index num_components, Partition partition);

  Index num_components() const noexcept { return num_components_; }
  /// One label per row, -1 for rows outside every component; empty: all rows are component 0.
  const Labels& labels() const noexcept { return labels_; }
  /// v -= its mean over each component: the orthogonal projection onto the range. Returns the
  /// 2-norm of what was removed.
  double project_out(const Vector& v) const;

 private:
  NullSpace() = default;

  Labels labels_;  ///< empty: all rows are component 0
  Index num_components_ = 1;
  Partition partition_;
  std::vector<double> counts_;
};

}  // namespace libsolve
