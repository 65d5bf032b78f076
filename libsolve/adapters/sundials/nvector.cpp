#include <libsolve/adapters/sundials/nvector.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <libsolve/adapters/sundials/detail/nvector_kernels.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <limits>
#include <vector>

namespace libsolve::sun {

namespace {

struct Content {
  Vector vector;  // without data after N_VCloneEmpty
  Partition partition;
};

constexpr bool host_reads = Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemSpace>::accessible;

Content& content(N_Vector v) {
  return *static_cast<Content*>(v->content);
}
double* data(N_Vector v) {
  return content(v).vector.data();
}
Index size(N_Vector v) {
  return content(v).partition.local_size();
}
const Communicator& comm(N_Vector v) {
  return content(v).partition.communicator();
}

/// f(), or NaN where it throws: nothing may pass through SUNDIALS, which is C.
template <class Function>
double number(const Function& f) noexcept {
  try {
    return f();
  } catch (...) {
    return std::numeric_limits<double>::quiet_NaN();
  }
}

/// 0, or an error code where f throws.
template <class Function>
int code(const Function& f) noexcept {
  try {
    f();
    return 0;
  } catch (...) {
    return -1;
  }
}

template <class Body>
void rows(const char* label, N_Vector v, const Body& body) {
  for_rows(default_space(), label, size(v), body);
}

template <class Body>
double local_sum(const char* label, N_Vector v, const Body& body) {
  return reduce_rows<Sums<1>>(default_space(), label, size(v), body).value[0];
}

template <class Body>
double local_min(const char* label, N_Vector v, const Body& body) {
  double least = SUN_BIG_REAL;
  using Policy = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>;
  Kokkos::parallel_reduce(kernel_label(label), Policy(default_space(), 0, size(v)), body,
                          Kokkos::Min<double>(least));
  return std::min(least, static_cast<double>(SUN_BIG_REAL));
}

double min_over_ranks(N_Vector v, double value) {
  comm(v).min(std::span(&value, 1));
  return value;
}

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

// ---- Standard operations ------------------------------------------------------------------------

void linear_sum(sunrealtype a, N_Vector x, sunrealtype b, N_Vector y, N_Vector z) noexcept {
  rows("sun::linear_sum", x, detail::LinearSumBody{a, data(x), b, data(y), data(z)});
}
void constant(sunrealtype c, N_Vector z) noexcept {
  fill(content(z).vector, c);
}
void prod(N_Vector x, N_Vector y, N_Vector z) noexcept {
  multiply(content(x).vector, content(y).vector, content(z).vector);
}
void div(N_Vector x, N_Vector y, N_Vector z) noexcept {
  rows("sun::div", x, detail::DivBody{data(x), data(y), data(z)});
}
void scale_to(sunrealtype c, N_Vector x, N_Vector z) noexcept {
  const Vector& from = content(x).vector;
  const Vector& to = content(z).vector;
  if (from.data() == to.data())
    scale(c, to);
  else if (c == 1.0)
    copy(from, to);
  else
    linear_combination(c, from, 0.0, from, to);
}
void abs(N_Vector x, N_Vector z) noexcept {
  rows("sun::abs", x, detail::AbsBody{data(x), data(z)});
}
void inv(N_Vector x, N_Vector z) noexcept {
  rows("sun::inv", x, detail::InvBody{data(x), data(z)});
}
void add_const(N_Vector x, sunrealtype b, N_Vector z) noexcept {
  rows("sun::add_const", x, detail::AddConstBody{data(x), b, data(z)});
}
void compare(sunrealtype c, N_Vector x, N_Vector z) noexcept {
  rows("sun::compare", x, detail::CompareBody{c, data(x), data(z)});
}

// ---- Reductions: this rank's part, then all ranks -----------------------------------------------

double dot_local(N_Vector x, N_Vector y) {
  const double* const ys[] = {data(y)};
  return local_sum("sun::dot_prod", x, detail::DotProdMultiBody<1>{data(x), {ys[0]}});
}
double max_norm_local_(N_Vector x) {
  // A vector of its own, so that no other rank is asked.
  return norm_max(Vector(content(x).vector.view(), Partition(size(x))));
}
double wsqr_sum(N_Vector x, N_Vector w) {
  return local_sum("sun::wsqr_sum", x, detail::WSqrSumBody{data(x), data(w)});
}
double wsqr_sum_mask(N_Vector x, N_Vector w, N_Vector id) {
  return local_sum("sun::wsqr_sum", x, detail::WSqrSumMaskBody{data(x), data(w), data(id)});
}
double l1_norm_local_(N_Vector x) {
  return local_sum("sun::l1_norm", x, detail::L1NormBody{data(x)});
}
double num_zeros(N_Vector x, N_Vector z) {
  return local_sum("sun::inv_test", x, detail::InvTestBody{data(x), data(z)});
}
double num_violations(N_Vector c, N_Vector x, N_Vector m) {
  return local_sum("sun::constr_mask", x, detail::ConstrMaskBody{data(c), data(x), data(m)});
}

sunrealtype dot_prod_local(N_Vector x, N_Vector y) noexcept {
  return number([&] { return dot_local(x, y); });
}
sunrealtype dot_prod(N_Vector x, N_Vector y) noexcept {
  return number([&] { return comm(x).sum(dot_local(x, y)); });
}
sunrealtype max_norm_local(N_Vector x) noexcept {
  return number([&] { return max_norm_local_(x); });
}
sunrealtype max_norm(N_Vector x) noexcept {
  return number([&] { return norm_max(content(x).vector); });
}
sunrealtype wsqr_sum_local(N_Vector x, N_Vector w) noexcept {
  return number([&] { return wsqr_sum(x, w); });
}
sunrealtype wsqr_sum_mask_local(N_Vector x, N_Vector w, N_Vector id) noexcept {
  return number([&] { return wsqr_sum_mask(x, w, id); });
}
double mean_root(N_Vector x, double local) {
  return std::sqrt(comm(x).sum(local) / static_cast<double>(content(x).partition.global_size()));
}
sunrealtype wrms_norm(N_Vector x, N_Vector w) noexcept {
  return number([&] { return mean_root(x, wsqr_sum(x, w)); });
}
sunrealtype wrms_norm_mask(N_Vector x, N_Vector w, N_Vector id) noexcept {
  return number([&] { return mean_root(x, wsqr_sum_mask(x, w, id)); });
}
sunrealtype wl2_norm(N_Vector x, N_Vector w) noexcept {
  return number([&] { return std::sqrt(comm(x).sum(wsqr_sum(x, w))); });
}
sunrealtype l1_norm_local(N_Vector x) noexcept {
  return number([&] { return l1_norm_local_(x); });
}
sunrealtype l1_norm(N_Vector x) noexcept {
  return number([&] { return comm(x).sum(l1_norm_local_(x)); });
}
sunrealtype min_local(N_Vector x) noexcept {
  return number([&] { return local_min("sun::min", x, detail::MinBody{data(x)}); });
}
sunrealtype min(N_Vector x) noexcept {
  return number(
      [&] { return min_over_ranks(x, local_min("sun::min", x, detail::MinBody{data(x)})); });
}
sunrealtype min_quotient_local(N_Vector num, N_Vector denom) noexcept {
  return number([&] {
    return local_min("sun::min_quotient", num, detail::MinQuotientBody{data(num), data(denom)});
  });
}
sunrealtype min_quotient(N_Vector num, N_Vector denom) noexcept {
  return number([&] {
    return min_over_ranks(
        num, local_min("sun::min_quotient", num, detail::MinQuotientBody{data(num), data(denom)}));
  });
}
sunbooleantype is_none(double count) {
  return count == 0.0 ? SUNTRUE : SUNFALSE;
}
sunbooleantype inv_test_local(N_Vector x, N_Vector z) noexcept {
  return is_none(number([&] { return num_zeros(x, z); }));
}
sunbooleantype inv_test(N_Vector x, N_Vector z) noexcept {
  return is_none(number([&] { return comm(x).sum(num_zeros(x, z)); }));
}
sunbooleantype constr_mask_local(N_Vector c, N_Vector x, N_Vector m) noexcept {
  return is_none(number([&] { return num_violations(c, x, m); }));
}
sunbooleantype constr_mask(N_Vector c, N_Vector x, N_Vector m) noexcept {
  return is_none(number([&] { return comm(x).sum(num_violations(c, x, m)); }));
}

// ---- Fused operations: at most `max_fused` vectors a pass ---------------------------------------

/// Sums kept in SIMD lanes run out of registers earlier than plain updates.
constexpr int max_fused = 8;
constexpr int max_fused_sums = 4;

template <int K>
void combine(const sunrealtype* c, N_Vector* x, N_Vector z, bool add_to_z) {
  detail::LinearCombinationBody<K> body;
  for (int k = 0; k < K; ++k) {
    const bool is_z = add_to_z && k == 0;
    body.c[k] = is_z ? 1.0 : c[k - (add_to_z ? 1 : 0)];
    body.x[k] = is_z ? data(z) : data(x[k - (add_to_z ? 1 : 0)]);
  }
  body.z = data(z);
  rows("sun::combine", z, body);
}

template <int K>
void scale_add(const sunrealtype* a, N_Vector x, N_Vector* y, N_Vector* z) {
  detail::ScaleAddMultiBody<K> body;
  for (int k = 0; k < K; ++k) {
    body.a[k] = a[k];
    body.y[k] = data(y[k]);
    body.z[k] = data(z[k]);
  }
  body.x = data(x);
  rows("sun::scale_add", x, body);
}

template <int K>
void dots(N_Vector x, N_Vector* y, sunrealtype* sums) {
  detail::DotProdMultiBody<K> body;
  body.x = data(x);
  for (int k = 0; k < K; ++k) body.y[k] = data(y[k]);
  const auto result = reduce_rows<Sums<K>>(default_space(), "sun::dots", size(x), body);
  for (int k = 0; k < K; ++k) sums[k] = result.value[k];
}

/// f.template operator()<n>() for n in 1..N.
template <int N, class Function>
void with_count(int n, const Function& f) {
  if constexpr (N > 0) {
    if (n == N)
      f.template operator()<N>();
    else
      with_count<N - 1>(n, f);
  }
}

int linear_combination_of(int n, sunrealtype* c, N_Vector* x, N_Vector z) noexcept {
  return code([&] {
    bool again = false;  // later passes add to z
    for (int done = 0; done < n;) {
      const int count = std::min(n - done, max_fused - (again ? 1 : 0));
      with_count<max_fused>(count + (again ? 1 : 0),
                            [&]<int K>() { combine<K>(c + done, x + done, z, again); });
      done += count;
      again = true;
    }
  });
}

int scale_add_multi(int n, sunrealtype* a, N_Vector x, N_Vector* y, N_Vector* z) noexcept {
  return code([&] {
    for (int done = 0; done < n; done += max_fused)
      with_count<max_fused>(std::min(n - done, max_fused),
                            [&]<int K>() { scale_add<K>(a + done, x, y + done, z + done); });
  });
}

int dot_prod_multi_local(int n, N_Vector x, N_Vector* y, sunrealtype* sums) noexcept {
  return code([&] {
    for (int done = 0; done < n; done += max_fused_sums)
      with_count<max_fused_sums>(std::min(n - done, max_fused_sums),
                                 [&]<int K>() { dots<K>(x, y + done, sums + done); });
  });
}

int dot_prod_multi_allreduce(int n, N_Vector x, sunrealtype* sums) noexcept {
  return code([&] { comm(x).sum(std::span(sums, static_cast<size_t>(n))); });
}

int dot_prod_multi(int n, N_Vector x, N_Vector* y, sunrealtype* sums) noexcept {
  const int failed = dot_prod_multi_local(n, x, y, sums);
  return failed != 0 ? failed : dot_prod_multi_allreduce(n, x, sums);
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

  ops->nvlinearsum = linear_sum;
  ops->nvconst = constant;
  ops->nvprod = prod;
  ops->nvdiv = div;
  ops->nvscale = scale_to;
  ops->nvabs = abs;
  ops->nvinv = inv;
  ops->nvaddconst = add_const;
  ops->nvdotprod = dot_prod;
  ops->nvmaxnorm = max_norm;
  ops->nvwrmsnorm = wrms_norm;
  ops->nvwrmsnormmask = wrms_norm_mask;
  ops->nvmin = min;
  ops->nvwl2norm = wl2_norm;
  ops->nvl1norm = l1_norm;
  ops->nvcompare = compare;
  ops->nvinvtest = inv_test;
  ops->nvconstrmask = constr_mask;
  ops->nvminquotient = min_quotient;

  ops->nvlinearcombination = linear_combination_of;
  ops->nvscaleaddmulti = scale_add_multi;
  ops->nvdotprodmulti = dot_prod_multi;

  ops->nvdotprodlocal = dot_prod_local;
  ops->nvmaxnormlocal = max_norm_local;
  ops->nvminlocal = min_local;
  ops->nvl1normlocal = l1_norm_local;
  ops->nvinvtestlocal = inv_test_local;
  ops->nvconstrmasklocal = constr_mask_local;
  ops->nvminquotientlocal = min_quotient_local;
  ops->nvwsqrsumlocal = wsqr_sum_local;
  ops->nvwsqrsummasklocal = wsqr_sum_mask_local;
  ops->nvdotprodmultilocal = dot_prod_multi_local;
  ops->nvdotprodmultiallreduce = dot_prod_multi_allreduce;

  ops->nvbufsize = buf_size;
  ops->nvbufpack = buf_pack;
  ops->nvbufunpack = buf_unpack;
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
