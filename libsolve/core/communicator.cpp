#include <libsolve/core/communicator.hpp>
#include <libsolve/core/config.hpp>
#include <libsolve/core/errors.hpp>

#if LIBSOLVE_HAVE_MPI
#include <mpi.h>
#endif

namespace libsolve {

#if LIBSOLVE_HAVE_MPI
struct Communicator::Impl {
  MPI_Comm comm = MPI_COMM_NULL;
  int rank = 0;
  int size = 1;
  mutable Traffic traffic = {};
};

namespace {
void check(int code, const char* what) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw BackendError(std::string(what) + ": " + std::string(text, static_cast<size_t>(length)));
}

template <class Impl, class T>
void reduce(const Impl& impl, std::span<T> values, MPI_Datatype type, MPI_Op op) {
  ++impl.traffic.reductions;
  check(MPI_Allreduce(MPI_IN_PLACE, values.data(), static_cast<int>(values.size()), type, op,
                      impl.comm),
        "MPI_Allreduce");
}
}  // namespace
#else
struct Communicator::Impl {};
#endif

Communicator::Communicator() = default;
Communicator::Communicator(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Communicator Communicator::world() {
#if LIBSOLVE_HAVE_MPI
  int up = 0;
  MPI_Initialized(&up);
  int down = 0;
  MPI_Finalized(&down);
  if (up != 0 && down == 0) {
    const MPI_Comm comm = MPI_COMM_WORLD;
    return from_mpi(&comm);
  }
#endif
  return self();
}

Communicator Communicator::from_mpi(const void* mpi_comm) {
#if LIBSOLVE_HAVE_MPI
  auto impl = std::make_shared<Impl>();
  impl->comm = *static_cast<const MPI_Comm*>(mpi_comm);
  check(MPI_Comm_rank(impl->comm, &impl->rank), "MPI_Comm_rank");
  check(MPI_Comm_size(impl->comm, &impl->size), "MPI_Comm_size");
  return Communicator(std::move(impl));
#else
  (void)mpi_comm;
  throw Unsupported(
      "an MPI communicator was given, but this libsolve was built without MPI; configure with "
      "LIBSOLVE_ENABLE_MPI=ON");
#endif
}

#if LIBSOLVE_HAVE_MPI
int Communicator::rank() const noexcept { return impl_ ? impl_->rank : 0; }
int Communicator::size() const noexcept { return impl_ ? impl_->size : 1; }
const void* Communicator::mpi_comm() const noexcept { return impl_ ? &impl_->comm : nullptr; }

void Communicator::sum(std::span<double> v) const {
  if (size() > 1) reduce(*impl_, v, MPI_DOUBLE, MPI_SUM);
}
void Communicator::sum(std::span<std::int64_t> v) const {
  if (size() > 1) reduce(*impl_, v, MPI_INT64_T, MPI_SUM);
}
void Communicator::max(std::span<double> v) const {
  if (size() > 1) reduce(*impl_, v, MPI_DOUBLE, MPI_MAX);
}
void Communicator::min(std::span<double> v) const {
  if (size() > 1) reduce(*impl_, v, MPI_DOUBLE, MPI_MIN);
}
std::int64_t Communicator::exclusive_scan(std::int64_t value) const {
  std::int64_t before = 0;
  if (size() > 1) {
    ++impl_->traffic.reductions;
    check(MPI_Exscan(&value, &before, 1, MPI_INT64_T, MPI_SUM, impl_->comm), "MPI_Exscan");
    if (rank() == 0) before = 0;
  }
  return before;
}
void Communicator::broadcast(std::span<std::int64_t> v) const {
  if (size() == 1) return;
  ++impl_->traffic.reductions;
  check(MPI_Bcast(v.data(), static_cast<int>(v.size()), MPI_INT64_T, 0, impl_->comm), "MPI_Bcast");
}
std::string Communicator::broadcast(const std::string& text) const {
  if (size() == 1) return text;
  std::int64_t length = static_cast<std::int64_t>(text.size());
  broadcast(std::span<std::int64_t>(&length, 1));
  std::string copy = text;
  copy.resize(static_cast<size_t>(length));
  ++impl_->traffic.reductions;
  check(MPI_Bcast(copy.data(), static_cast<int>(length), MPI_CHAR, 0, impl_->comm), "MPI_Bcast");
  return copy;
}
void Communicator::barrier() const {
  if (size() == 1) return;
  ++impl_->traffic.reductions;
  check(MPI_Barrier(impl_->comm), "MPI_Barrier");
}
Traffic Communicator::traffic() const noexcept { return impl_ ? impl_->traffic : Traffic{}; }
void Communicator::count_messages(std::int64_t messages, std::int64_t bytes) const noexcept {
  if (!impl_) return;
  impl_->traffic.messages += messages;
  impl_->traffic.message_bytes += bytes;
}
#else
int Communicator::rank() const noexcept { return 0; }
int Communicator::size() const noexcept { return 1; }
const void* Communicator::mpi_comm() const noexcept { return nullptr; }
void Communicator::sum(std::span<double>) const {}
void Communicator::sum(std::span<std::int64_t>) const {}
void Communicator::max(std::span<double>) const {}
void Communicator::min(std::span<double>) const {}
std::int64_t Communicator::exclusive_scan(std::int64_t) const { return 0; }
void Communicator::broadcast(std::span<std::int64_t>) const {}
std::string Communicator::broadcast(const std::string& text) const { return text; }
void Communicator::barrier() const {}
Traffic Communicator::traffic() const noexcept { return {}; }
void Communicator::count_messages(std::int64_t, std::int64_t) const noexcept {}
#endif

double Communicator::sum(double value) const {
  sum(std::span<double>(&value, 1));
  return value;
}
std::int64_t Communicator::sum(std::int64_t value) const {
  sum(std::span<std::int64_t>(&value, 1));
  return value;
}
double Communicator::max(double value) const {
  max(std::span<double>(&value, 1));
  return value;
}
bool Communicator::any(bool value) const { return max(value ? 1.0 : 0.0) > 0.0; }

}  // namespace libsolve
