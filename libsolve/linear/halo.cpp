#include <algorithm>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/linear/exchange.hpp>
#include <libsolve/linear/halo.hpp>
#include <string>
#include <tuple>
#include <type_traits>

namespace libsolve {

namespace detail {

template <class T>
struct Gather {
  const T* from;
  const Index* row;
  T* to;
  KOKKOS_FUNCTION void operator()(Index i) const { to[i] = from[row[i]]; }
};

struct ScatterAdd {
  const double* from;
  const Index* row;
  double* to;
  KOKKOS_FUNCTION void operator()(Index i) const { to[row[i]] += from[i]; }
};

template <class T>
using Numbers = Kokkos::View<T*, MemSpace>;
template <class T>
using HostNumbers = typename Numbers<T>::HostMirror;

/// Room for what is sent; on a device also for what comes, where MPI can reach it.
template <class T>
struct Buffers {
  Numbers<T> packed = {};
  HostNumbers<T> sent = {};
  HostNumbers<T> wanted = {};
  Numbers<T> room = {};

  void allocate(Index num_sent, Index num_wanted) {
    if (packed.extent(0) != static_cast<size_t>(num_sent)) {
      packed = Numbers<T>(Kokkos::view_alloc("halo::packed", Kokkos::WithoutInitializing),
                          static_cast<size_t>(num_sent));
      sent = Kokkos::create_mirror_view(packed);
    }
    if constexpr (!runs_on_host<ExecSpace>)
      if (wanted.extent(0) != static_cast<size_t>(num_wanted))
        wanted = HostNumbers<T>(Kokkos::view_alloc("halo::wanted", Kokkos::WithoutInitializing),
                                static_cast<size_t>(num_wanted));
  }
  /// Where the wanted numbers arrive.
  T* target(const Numbers<T>& device) const {
    if constexpr (runs_on_host<ExecSpace>)
      return device.data();
    else
      return wanted.data();
  }
};

template <class T>
constexpr EntryType entry_type =
    std::is_same_v<T, float>    ? EntryType::float32
    : std::is_same_v<T, double> ? EntryType::float64
                                : EntryType::int64;

}  // namespace detail

struct Halo::Impl {
  Partition owner = {};
  Index num_wanted = 0;
  std::unique_ptr<Exchange> exchange = {};  ///< null on one rank
  /// This rank's rows that go out; on one rank, the wanted ones.
  Kokkos::View<const Index*, MemSpace> rows = {};
  std::tuple<detail::Buffers<float>, detail::Buffers<double>, detail::Buffers<std::int64_t>>
      buffers = {};

  Index num_sent() const { return static_cast<Index>(rows.extent(0)); }
};

Halo::Halo() : impl_(std::make_shared<Impl>()) {}

Halo::Halo(const Partition& owner, const std::vector<GlobalIndex>& wanted)
    : impl_(std::make_shared<Impl>()) {
  impl_->owner = owner;
  impl_->num_wanted = static_cast<Index>(wanted.size());
  std::vector<Index> rows;
  if (owner.communicator().size() > 1) {
    impl_->exchange = make_exchange(owner, wanted);
    rows = impl_->exchange->sent_rows();
  } else {
    rows.reserve(wanted.size());
    for (const GlobalIndex row : wanted) {
      if (row < 0 || row >= owner.global_size())
        throw ShapeError("row " + std::to_string(row) + " was asked for, and there are " +
                         std::to_string(owner.global_size()));
      rows.push_back(static_cast<Index>(row));
    }
  }
  const Kokkos::View<Index*, MemSpace> copy("halo::rows", rows.size());
  const auto host = Kokkos::create_mirror_view(copy);
  std::copy(rows.begin(), rows.end(), host.data());
  Kokkos::deep_copy(copy, host);
  impl_->rows = copy;
}

Index Halo::num_wanted() const noexcept { return impl_->num_wanted; }

Kokkos::View<const Index*, MemSpace> Halo::sent_rows() const noexcept { return impl_->rows; }

template <class T>
void Halo::begin(const Kokkos::View<const T*, MemSpace>& own,
                 const Kokkos::View<T*, MemSpace>& wanted) const {
  begin_at<T>(own, impl_->rows, wanted);
}

template <class T>
void Halo::begin_at(const Kokkos::View<const T*, MemSpace>& array,
                    const Kokkos::View<const Index*, MemSpace>& places,
                    const Kokkos::View<T*, MemSpace>& wanted) const {
  Impl& h = *impl_;
  const ExecSpace& exec = default_space();
  if (!h.exchange) {
    for_rows(exec, "halo::copy", h.num_sent(),
             detail::Gather<T>{array.data(), places.data(), wanted.data()});
    return;
  }
  auto& buffer = std::get<detail::Buffers<T>>(h.buffers);
  buffer.allocate(h.num_sent(), h.num_wanted);
  for_rows(exec, "halo::pack", h.num_sent(),
           detail::Gather<T>{array.data(), places.data(), buffer.packed.data()});
  if constexpr (!runs_on_host<ExecSpace>) {
    exec.fence("halo::pack");
    Kokkos::deep_copy(buffer.sent, buffer.packed);
  }
  h.exchange->begin(detail::entry_type<T>, buffer.sent.data(), buffer.target(wanted));
  h.owner.communicator().count_messages(h.exchange->messages(),
                                        h.exchange->entries() * std::int64_t{sizeof(T)});
}

template <class T>
void Halo::end(const Kokkos::View<T*, MemSpace>& wanted) const {
  Impl& h = *impl_;
  if (!h.exchange) return;
  const auto& buffer = std::get<detail::Buffers<T>>(h.buffers);
  h.exchange->end(detail::entry_type<T>, buffer.sent.data(), buffer.target(wanted));
  if constexpr (!runs_on_host<ExecSpace>)
    Kokkos::deep_copy(
        Kokkos::subview(wanted, std::pair<Index, Index>(0, h.num_wanted)), buffer.wanted);
}

template <class T>
Kokkos::View<T*, MemSpace> Halo::room() const {
  auto& room = std::get<detail::Buffers<T>>(impl_->buffers).room;
  if (room.extent(0) != static_cast<size_t>(impl_->num_wanted))
    room = detail::Numbers<T>(Kokkos::view_alloc("halo::room", Kokkos::WithoutInitializing),
                              static_cast<size_t>(impl_->num_wanted));
  return room;
}

void Halo::add(const ConstVectorView& wanted, const VectorView& own) const {
  Impl& h = *impl_;
  const ExecSpace& exec = default_space();
  if (!h.exchange) {  // a row may be wanted more than once: one after the other
    const auto from = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), wanted);
    const auto rows = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), h.rows);
    const auto to = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), own);
    for (Index w = 0; w < h.num_wanted; ++w) to(rows(w)) += from(w);
    Kokkos::deep_copy(own, to);
    return;
  }
  auto& buffer = std::get<detail::Buffers<double>>(h.buffers);
  buffer.allocate(h.num_sent(), h.num_wanted);
  Kokkos::deep_copy(buffer.sent, 0.0);
  const auto from = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), wanted);
  h.exchange->add(from.data(), buffer.sent.data());
  if constexpr (!runs_on_host<ExecSpace>) Kokkos::deep_copy(buffer.packed, buffer.sent);
  for_rows(exec, "halo::add", h.num_sent(),
           detail::ScatterAdd{buffer.packed.data(), h.rows.data(), own.data()});
  h.owner.communicator().count_messages(h.exchange->messages(),
                                        h.exchange->entries() * std::int64_t{sizeof(double)});
}

std::int64_t Halo::messages() const noexcept {
  return impl_->exchange ? impl_->exchange->messages() : 0;
}
std::int64_t Halo::entries() const noexcept {
  return impl_->exchange ? impl_->exchange->entries() : 0;
}

double Halo::memory_bytes() const noexcept {
  const auto count = static_cast<double>(impl_->num_sent() + impl_->num_wanted);
  return count * (sizeof(Index) + sizeof(double));
}

template void Halo::begin(const Kokkos::View<const float*, MemSpace>&,
                          const Kokkos::View<float*, MemSpace>&) const;
template void Halo::begin(const Kokkos::View<const double*, MemSpace>&,
                          const Kokkos::View<double*, MemSpace>&) const;
template void Halo::begin(const Kokkos::View<const std::int64_t*, MemSpace>&,
                          const Kokkos::View<std::int64_t*, MemSpace>&) const;
template void Halo::begin_at(const Kokkos::View<const float*, MemSpace>&,
                             const Kokkos::View<const Index*, MemSpace>&,
                             const Kokkos::View<float*, MemSpace>&) const;
template void Halo::begin_at(const Kokkos::View<const double*, MemSpace>&,
                             const Kokkos::View<const Index*, MemSpace>&,
                             const Kokkos::View<double*, MemSpace>&) const;
template void Halo::begin_at(const Kokkos::View<const std::int64_t*, MemSpace>&,
                             const Kokkos::View<const Index*, MemSpace>&,
                             const Kokkos::View<std::int64_t*, MemSpace>&) const;
template Kokkos::View<float*, MemSpace> Halo::room() const;
template Kokkos::View<double*, MemSpace> Halo::room() const;
template Kokkos::View<std::int64_t*, MemSpace> Halo::room() const;
template void Halo::end(const Kokkos::View<float*, MemSpace>&) const;
template void Halo::end(const Kokkos::View<double*, MemSpace>&) const;
template void Halo::end(const Kokkos::View<std::int64_t*, MemSpace>&) const;

}  // namespace libsolve
