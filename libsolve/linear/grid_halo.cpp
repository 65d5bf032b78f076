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

}  // namespace detail

template <class T>
void copy_box(const Box& part, const Box& from_box, const Kokkos::View<const T*, MemSpace>& from,
              const Box& to_box, const Kokkos::View<T*, MemSpace>& to) {
  detail::copy_box(detail::box_copy(part, from_box, to_box), from.data(), to.data());
}

GridHalo::GridHalo(const GridPartition& from, Index width)
    : GridHalo(from, from.extended(width)) {}

GridHalo::GridHalo(const GridPartition& from, const Box& target, const Box& source)
    : target_(target), source_(source) {
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
  Index place = 0;  // of the first cell of a row of the target
  const auto want = [&](Index begin, Index end, Index j, Index k) {
    if (begin >= end) return;
    from.append_rows(begin, end, j, k, wanted);
    for (Index i = begin; i < end; ++i) places.push_back(place + i - target_.begin[0]);
  };
  if (target_.num_cells() > 0)
    for (Index k = target_.begin[2]; k < target_.end[2]; ++k)
      for (Index j = target_.begin[1]; j < target_.end[1]; ++j, place += target_.cells(0)) {
        const bool holds_own = j >= own_.begin[1] && j < own_.end[1] && k >= own_.begin[2] &&
                               k < own_.end[2] && own_.cells(0) > 0;
        want(target_.begin[0], holds_own ? own_.begin[0] : target_.end[0], j, k);
        if (holds_own) want(own_.end[0], target_.end[0], j, k);
      }
  halo_ = Halo(from.partition(), wanted);
  const Kokkos::View<Index*, MemSpace> copy("grid_halo::places", places.size());
  const auto host = Kokkos::create_mirror_view(copy);
  std::copy(places.begin(), places.end(), host.data());
  Kokkos::deep_copy(copy, host);
  places_ = copy;
  sent_places_ = halo_.sent_rows();
  if (source_ == whole_own_) return;
  const auto rows = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), sent_places_);
  const Kokkos::View<Index*, MemSpace> sent("grid_halo::sent_places", rows.extent(0));
  const auto sent_host = Kokkos::create_mirror_view(sent);
  const Index nx = std::max<Index>(1, whole_own_.cells(0));
  const Index ny = std::max<Index>(1, whole_own_.cells(1));
  for (size_t s = 0; s < rows.extent(0); ++s) {
    const Index line = rows(s) / nx;
    const Index i = whole_own_.begin[0] - source_.begin[0] + rows(s) - line * nx;
    const Index j = whole_own_.begin[1] - source_.begin[1] + line % ny;
    const Index k = whole_own_.begin[2] - source_.begin[2] + line / ny;
    sent_host(s) = i + source_.cells(0) * (j + source_.cells(1) * k);
  }
  Kokkos::deep_copy(sent, sent_host);
  sent_places_ = sent;
}

template <class T>
void GridHalo::fetch(const Kokkos::View<const T*, MemSpace>& source,
                     const Kokkos::View<T*, MemSpace>& to) const {
  const Kokkos::View<T*, MemSpace> wanted = halo_.room<T>();
  halo_.begin_at<T>(source, sent_places_, wanted);
  if (to.data() != source.data())
    detail::copy_box(detail::box_copy(own_, source_, target_), source.data(), to.data());
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
