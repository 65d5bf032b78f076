#pragma once

#include <cstdint>
#include <libsolve/core/partition.hpp>
#include <libsolve/core/types.hpp>
#include <memory>
#include <vector>

namespace libsolve {

/// Fetches entries of distributed arrays from the ranks that own them, as often as wanted. On one
/// rank a copy; on several through PETSc (Unsupported in a build without it). One exchange at a
/// time for each Halo and its copies, which share buffers.
class LIBSOLVE_EXPORT Halo {
 public:
  /// Nothing wanted, no ranks.
  Halo();
  /// `wanted`: rows of `owner` on any rank, in any order, own ones allowed. Collective.
  /// ShapeError for rows that are not there.
  Halo(const Partition& owner, const std::vector<GlobalIndex>& wanted);

  Index num_wanted() const noexcept;

  /// wanted[w] = the entry at row w of the constructor's list, from `own`, which holds this rank's
  /// part (length local_size()). Collective, as all below. T: float, double or std::int64_t.
  template <class T>
  void fetch(const Kokkos::View<const T*, MemSpace>& own,
             const Kokkos::View<T*, MemSpace>& wanted) const {
    begin(own, wanted);
    end(wanted);
  }
  /// The same in two halves, so that work can go on in between; `own` may change after begin().
  template <class T>
  void begin(const Kokkos::View<const T*, MemSpace>& own,
             const Kokkos::View<T*, MemSpace>& wanted) const;
  template <class T>
  void end(const Kokkos::View<T*, MemSpace>& wanted) const;
  /// begin() from an array in which the rows that go out lie elsewhere: places[s] is where the row
  /// sent_rows()[s] is.
  template <class T>
  void begin_at(const Kokkos::View<const T*, MemSpace>& array,
                const Kokkos::View<const Index*, MemSpace>& places,
                const Kokkos::View<T*, MemSpace>& wanted) const;
  /// Own rows that begin() reads, in its order.
  Kokkos::View<const Index*, MemSpace> sent_rows() const noexcept;

  /// Room for num_wanted() numbers that is kept with the Halo, for callers that put them elsewhere.
  template <class T>
  Kokkos::View<T*, MemSpace> room() const;

  /// own[r] += the sum over all ranks of what they hold for row r in `wanted`: the transpose of
  /// fetch().
  void add(const ConstVectorView& wanted, const VectorView& own) const;

  /// Messages that this rank sends in one exchange, and the entries in them.
  std::int64_t messages() const noexcept;
  std::int64_t entries() const noexcept;
  double memory_bytes() const noexcept;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

extern template void Halo::begin(const Kokkos::View<const float*, MemSpace>&,
                                 const Kokkos::View<float*, MemSpace>&) const;
extern template void Halo::begin(const Kokkos::View<const double*, MemSpace>&,
                                 const Kokkos::View<double*, MemSpace>&) const;
extern template void Halo::begin(const Kokkos::View<const std::int64_t*, MemSpace>&,
                                 const Kokkos::View<std::int64_t*, MemSpace>&) const;
extern template Kokkos::View<float*, MemSpace> Halo::room() const;
extern template Kokkos::View<double*, MemSpace> Halo::room() const;
extern template Kokkos::View<std::int64_t*, MemSpace> Halo::room() const;
extern template void Halo::begin_at(const Kokkos::View<const float*, MemSpace>&,
                                    const Kokkos::View<const Index*, MemSpace>&,
                                    const Kokkos::View<float*, MemSpace>&) const;
extern template void Halo::begin_at(const Kokkos::View<const double*, MemSpace>&,
                                    const Kokkos::View<const Index*, MemSpace>&,
                                    const Kokkos::View<double*, MemSpace>&) const;
extern template void Halo::begin_at(const Kokkos::View<const std::int64_t*, MemSpace>&,
                                    const Kokkos::View<const Index*, MemSpace>&,
                                    const Kokkos::View<std::int64_t*, MemSpace>&) const;
extern template void Halo::end(const Kokkos::View<float*, MemSpace>&) const;
extern template void Halo::end(const Kokkos::View<double*, MemSpace>&) const;
extern template void Halo::end(const Kokkos::View<std::int64_t*, MemSpace>&) const;

}  // namespace libsolve
