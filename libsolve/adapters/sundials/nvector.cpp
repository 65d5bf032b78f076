#include <libsolve/adapters/sundials/nvector.hpp>

#include <libsolve/adapters/sundials/detail/nvector_content.hpp>
#include <libsolve/core/errors.hpp>

namespace libsolve::sun {

using detail::code;
using detail::comm;
using detail::Content;
using detail::content;
using detail::data;
using detail::host_reads;
using detail::size;

namespace {

// ---- Constructors, destructors, access ----------------------------------------------------------

N_Vector_ID get_id(N_Vector) {
  return SUNDIALS_NVEC_CUSTOM;
}

N_Vector new_like(N_Vector w, Vector vector, const Partition& partition) {
  N_Vector v = N_VNewEmpty(w->sunctx);
  if (v == nullptr) return nullptr;
  if (N_VCopyOps(w, v) != 0) {
    N_VFreeEmpty(v);
    return nullptr;
  }
  v->content = new Content{std::move(vector), partition};
  return v;
}

N_Vector clone(N_Vector w) noexcept {
  try {
    const Partition& partition = content(w).partition;
    return new_like(w, Vector("sundials::clone", partition), partition);
  } catch (...) {
    return nullptr;
  }
}

N_Vector clone_empty(N_Vector w) noexcept {
  try {
    return new_like(w, Vector(), content(w).partition);
  } catch (...) {
    return nullptr;
  }
}

void destroy(N_Vector v) noexcept {
  if (v == nullptr) return;
  delete static_cast<Content*>(v->content);
  v->content = nullptr;
  N_VFreeEmpty(v);
}

void space(N_Vector v, sunindextype* reals, sunindextype* integers) {
  *reals = static_cast<sunindextype>(content(v).partition.global_size());
  *integers = static_cast<sunindextype>(2 * comm(v).size());
}

sunrealtype* array_pointer(N_Vector v) {
  return host_reads ? data(v) : nullptr;
}
sunrealtype* device_pointer(N_Vector v) {
  return data(v);
}

/// The data of `v` becomes the caller's array.
void set_array_pointer(sunrealtype* values, N_Vector v) noexcept {
  Content& c = content(v);
  c.vector =
      values == nullptr
          ? Vector()
          : Vector(VectorView(values, static_cast<size_t>(c.partition.local_size())), c.partition);
}

CommHandle get_communicator(N_Vector v) {
  return comm_handle(comm(v));
}
sunindextype get_length(N_Vector v) {
  return static_cast<sunindextype>(content(v).partition.global_size());
}
sunindextype get_local_length(N_Vector v) {
  return size(v);
}

// ---- Buffers ------------------------------------------------------------------------------------

using HostArray = Kokkos::View<double*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

int buf_size(N_Vector v, sunindextype* bytes) {
  *bytes = static_cast<sunindextype>(sizeof(double)) * size(v);
  return 0;
}
int buf_pack(N_Vector v, void* buffer) noexcept {
  return code([&] {
    Kokkos::deep_copy(HostArray(static_cast<double*>(buffer), static_cast<size_t>(size(v))),
                      content(v).vector.view());
  });
}
int buf_unpack(N_Vector v, void* buffer) noexcept {
  return code([&] {
    Kokkos::deep_copy(content(v).vector.view(),
                      HostArray(static_cast<double*>(buffer), static_cast<size_t>(size(v))));
  });
}

void fill_ops(N_Vector_Ops ops) {
  ops->nvgetvectorid = get_id;
  ops->nvclone = clone;
  ops->nvcloneempty = clone_empty;
  ops->nvdestroy = destroy;
  ops->nvspace = space;
  ops->nvgetarraypointer = array_pointer;
  ops->nvgetdevicearraypointer = device_pointer;
  if (host_reads) ops->nvsetarraypointer = set_array_pointer;
  ops->nvgetcommunicator = get_communicator;
  ops->nvgetlength = get_length;
  ops->nvgetlocallength = get_local_length;
  ops->nvbufsize = buf_size;
  ops->nvbufpack = buf_pack;
  ops->nvbufunpack = buf_unpack;
  detail::set_operations(ops);
  detail::set_reductions(ops);
}

}  // namespace

N_Vector make_nvector(const Vector& v, SUNContext context) {
  N_Vector result = N_VNewEmpty(context);
  if (result == nullptr)
    throw BackendError("N_VNewEmpty gave no vector; was the SUNContext created, and not freed?");
  fill_ops(result->ops);
  try {
    result->content = new Content{v, v.partition()};
  } catch (...) {
    N_VFreeEmpty(result);
    throw;
  }
  return result;
}

bool is_nvector(N_Vector v) noexcept {
  return v != nullptr && v->ops != nullptr && v->ops->nvgetvectorid == get_id;
}

const Vector& vector_of(N_Vector v) {
  if (!is_nvector(v))
    throw Unsupported(
        "an N_Vector that was not made by libsolve::sun::make_nvector holds no libsolve vector; "
        "as_vector() takes any");
  return content(v).vector;
}

Partition partition_of(N_Vector v) {
  if (is_nvector(v)) return content(v).partition;
  if (v->ops->nvgetlength == nullptr) throw Unsupported("this N_Vector does not tell its length");
  const auto length = static_cast<GlobalIndex>(v->ops->nvgetlength(v));
  const Communicator communicator = v->ops->nvgetcommunicator == nullptr
                                        ? Communicator()
                                        : communicator_of(v->ops->nvgetcommunicator(v));
  if (communicator.size() == 1) return Partition(length);
  if (v->ops->nvgetlocallength == nullptr)
    throw Unsupported("this N_Vector does not tell how much of it lies on this rank");
  return Partition(communicator, static_cast<GlobalIndex>(v->ops->nvgetlocallength(v)));
}

Vector as_vector(N_Vector v, const Partition& partition) {
  const auto check = [&](GlobalIndex length) {
    if (length != partition.global_size())
      throw ShapeError("an N_Vector of " + std::to_string(length) + " entries was given where " +
                       std::to_string(partition.global_size()) + " are expected");
  };
  if (is_nvector(v)) {
    check(content(v).partition.global_size());
    return content(v).vector;
  }
  if (v->ops->nvgetlength != nullptr) check(static_cast<GlobalIndex>(v->ops->nvgetlength(v)));
  sunrealtype* values = nullptr;
  if (host_reads && v->ops->nvgetarraypointer != nullptr) values = v->ops->nvgetarraypointer(v);
  if (!host_reads && v->ops->nvgetdevicearraypointer != nullptr)
    values = v->ops->nvgetdevicearraypointer(v);
  if (values == nullptr && partition.local_size() > 0)
    throw Unsupported("this N_Vector offers no pointer to its data in " +
                      std::string(MemSpace::name()) +
                      "; take vectors from libsolve::sun::make_nvector");
  return Vector(VectorView(values, static_cast<size_t>(partition.local_size())), partition);
}

}  // namespace libsolve::sun
