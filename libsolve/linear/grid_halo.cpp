#include <algorithm>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/linear/grid_halo.hpp>

namespace libsolve {

namespace detail {

/// Cells of a box inside two arrays over larger boxes.
struct BoxCopy {
  Index n[3];
  GlobalIndex from_first, from_stride[2];
  GlobalIndex to_first, to_stride[2];
};

BoxCopy box_copy(const Box& part, const Box& from, const Box& to) {
  BoxCopy c{};
  const auto place = [&](const Box& outer, GlobalIndex& first, GlobalIndex* stride) {
    stride[0] = outer.cells(0);
    stride[1] = GlobalIndex{outer.cells(0)} * outer.cells(1);
    first = (part.begin[0] - outer.begin[0]) + stride[0] * (part.begin[1] - outer.begin[1]) +
            stride[1] * (part.begin[2] - outer.begin[2]);
  };
  for (int a = 0; a < 3; ++a) c.n[a] = part.cells(a);
  place(from, c.from_first, c.from_stride);
  place(to, c.to_first, c.to_stride);
  return c;
}

/// One row of the box.
template <class T>
struct CopyRow {
  BoxCopy c;
  const T* from;
  T* to;
  KOKKOS_FUNCTION void operator()(Index row) const {
    const Index j = row % c.n[1];
    const Index k = row / c.n[1];
    const T* source = from + c.from_first + c.from_stride[0] * j + c.from_stride[1] * k;
    T* target = to + c.to_first + c.to_stride[0] * j + c.to_stride[1] * k;
    for (Index i = 0; i < c.n[0]; ++i) target[i] = source[i];
  }
};

template <class T>
struct Scatter {
  const T* from;
  const Index* place;
  T* to;
  KOKKOS_FUNCTION void operator()(Index i) const { to[place[i]] = from[i]; }
};

template <class T>
void copy_box(const BoxCopy& c, const T* from, T* to) {
  if (c.n[0] <= 0 || c.n[1] <= 0 || c.n[2] <= 0) return;
  Kokkos::parallel_for("grid_halo::copy",
                       Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>(
                           default_space(), 0, c.n[1] * c.n[2]),
                       CopyRow<T>{c, from, to});
}

bool is_inside(const Box& box, Index i, Index j, Index k) {
  return i >= box.begin[0] && i < box.end[0] && j >= box.begin[1] && j < box.end[1] &&
         k >= box.begin[2] && k < box.end[2];
}

}  // namespace detail

template <class T>
void copy_box(const Box& part, const Box& from_box, const Kokkos::View<const T*, MemSpace>& from,
              const Box& to_box, const Kokkos::View<T*, MemSpace>& to) {
  detail::copy_box(detail::box_copy(part, from_box, to_box), from.data(), to.data());
}

GridHalo::GridHalo(const GridPartition& from, Index width) : target_(from.extended(width)) {
  prepare(from);
}

GridHalo::GridHalo(const GridPartition& from, const Box& target) : target_(target) {
  prepare(from);
}

void GridHalo::prepare(const GridPartition& from) {
  whole_own_ = from.own();
  for (int a = 0; a < 3; ++a) {
    own_.begin[a] = std::max(whole_own_.begin[a], target_.begin[a]);
    own_.end[a] = std::max(own_.begin[a], std::min(whole_own_.end[a], target_.end[a]));
  }
  std::vector<GlobalIndex> wanted;
  std::vector<Index> places;
  Index place = 0;
  if (target_.num_cells() > 0)
    for (Index k = target_.begin[2]; k < target_.end[2]; ++k)
      for (Index j = target_.begin[1]; j < target_.end[1]; ++j)
        for (Index i = target_.begin[0]; i < target_.end[0]; ++i, ++place) {
          if (detail::is_inside(own_, i, j, k)) continue;
          wanted.push_back(from.row(i, j, k));
          places.push_back(place);
        }
  halo_ = Halo(from.partition(), wanted);
  const Kokkos::View<Index*, MemSpace> copy("grid_halo::places", places.size());
  const auto host = Kokkos::create_mirror_view(copy);
  std::copy(places.begin(), places.end(), host.data());
  Kokkos::deep_copy(copy, host);
  places_ = copy;
}

template <class T>
void GridHalo::fetch(const Kokkos::View<const T*, MemSpace>& own,
                     const Kokkos::View<T*, MemSpace>& to) const {
  const Kokkos::View<T*, MemSpace> wanted(
      Kokkos::view_alloc("grid_halo::wanted", Kokkos::WithoutInitializing),
      static_cast<size_t>(halo_.num_wanted()));
  halo_.begin<T>(own, wanted);
  detail::copy_box(detail::box_copy(own_, whole_own_, target_), own.data(), to.data());
  halo_.end<T>(wanted);
  for_rows(default_space(), "grid_halo::place", halo_.num_wanted(),
           detail::Scatter<T>{wanted.data(), places_.data(), to.data()});
}

template <class T>
void GridHalo::take_own(const Kokkos::View<const T*, MemSpace>& all,
                        const Kokkos::View<T*, MemSpace>& own) const {
  detail::copy_box(detail::box_copy(own_, target_, whole_own_), all.data(), own.data());
}

template void GridHalo::fetch(const Kokkos::View<const float*, MemSpace>&,
                              const Kokkos::View<float*, MemSpace>&) const;
template void GridHalo::fetch(const Kokkos::View<const double*, MemSpace>&,
                              const Kokkos::View<double*, MemSpace>&) const;
template void copy_box(const Box&, const Box&, const Kokkos::View<const float*, MemSpace>&,
                       const Box&, const Kokkos::View<float*, MemSpace>&);
template void copy_box(const Box&, const Box&, const Kokkos::View<const double*, MemSpace>&,
                       const Box&, const Kokkos::View<double*, MemSpace>&);
template void GridHalo::take_own(const Kokkos::View<const float*, MemSpace>&,
                                 const Kokkos::View<float*, MemSpace>&) const;
template void GridHalo::take_own(const Kokkos::View<const double*, MemSpace>&,
                                 const Kokkos::View<double*, MemSpace>&) const;

}  // namespace libsolve
