#pragma once

#include <libsolve/core/grid_partition.hpp>
#include <libsolve/linear/halo.hpp>

namespace libsolve {

/// Copies the cells of `part` from an array over one box to an array over another; both hold them.
/// T: float or double.
template <class T>
LIBSOLVE_EXPORT void copy_box(const Box& part, const Box& from_box,
                              const Kokkos::View<const T*, MemSpace>& from, const Box& to_box,
                              const Kokkos::View<T*, MemSpace>& to);

/// Copies the cells of this rank's box and those around it into an array over a larger box.
class LIBSOLVE_EXPORT GridHalo {
 public:
  GridHalo() = default;
  /// own() of `from` and `width` cells around it. Collective.
  GridHalo(const GridPartition& from, Index width);
  /// Any box of the grid on each rank (it may be empty): fetches what `from` holds of it. The arrays
  /// to fetch from cover own(), or `source`, a box around it.
  GridHalo(const GridPartition& from, const Box& target) : GridHalo(from, target, from.own()) {}
  GridHalo(const GridPartition& from, const Box& target, const Box& source);

  /// The box that fetch() fills.
  const Box& box() const noexcept { return target_; }

  /// to(cell of box()) from `source`, an array over the source box, of which the rank's own cells are
  /// read; x fastest. `to` may be `source` where the boxes are the same. Collective. T: float or
  /// double.
  template <class T>
  void fetch(const Kokkos::View<const T*, MemSpace>& source,
             const Kokkos::View<T*, MemSpace>& to) const;
  /// The rank's own cells of an array over box().
  template <class T>
  void take_own(const Kokkos::View<const T*, MemSpace>& all,
                const Kokkos::View<T*, MemSpace>& own) const;

  const Halo& halo() const noexcept { return halo_; }

 private:
  void prepare(const GridPartition& from);

  Box own_;     ///< empty where nothing of `from` on this rank is in the target
  Box target_;
  Box whole_own_;
  Box source_;
  Halo halo_;
  /// Where in the source the cells are that other ranks want.
  Kokkos::View<const Index*, MemSpace> sent_places_;
  /// Where in the target the fetched cells belong.
  Kokkos::View<const Index*, MemSpace> places_;
};

}  // namespace libsolve
