#include <algorithm>
#include <cmath>
#include <libsolve/adapters/sundials/detail/nvector_content.hpp>
#include <libsolve/adapters/sundials/detail/nvector_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <limits>
#include <span>

/// This rank's part, then all ranks.
namespace libsolve::sun::detail {

namespace {

/// f(), or NaN where it throws: nothing may pass through SUNDIALS, which is C.
template <class Function>
double number(const Function& f) noexcept {
  try {
    return f();
  } catch (...) {
    return std::numeric_limits<double>::quiet_NaN();
  }
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

double dot_local(N_Vector x, N_Vector y) {
  const double* const ys[] = {data(y)};
  return local_sum("sun::dot_prod", x, DotProdMultiBody<1>{data(x), {ys[0]}});
}
double max_norm_local_(N_Vector x) {
  // A vector of its own, so that no other rank is asked.
  return norm_max(Vector(content(x).vector.view(), Partition(size(x))));
}
double wsqr_sum(N_Vector x, N_Vector w) {
  return local_sum("sun::wsqr_sum", x, WSqrSumBody{data(x), data(w)});
}
double wsqr_sum_mask(N_Vector x, N_Vector w, N_Vector id) {
  return local_sum("sun::wsqr_sum", x, WSqrSumMaskBody{data(x), data(w), data(id)});
}
double l1_norm_local_(N_Vector x) {
  return local_sum("sun::l1_norm", x, L1NormBody{data(x)});
}
double num_zeros(N_Vector x, N_Vector z) {
  return local_sum("sun::inv_test", x, InvTestBody{data(x), data(z)});
}
double num_violations(N_Vector c, N_Vector x, N_Vector m) {
  return local_sum("sun::constr_mask", x, ConstrMaskBody{data(c), data(x), data(m)});
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
  return number([&] { return local_min("sun::min", x, MinBody{data(x)}); });
}
sunrealtype min(N_Vector x) noexcept {
  return number([&] { return min_over_ranks(x, local_min("sun::min", x, MinBody{data(x)})); });
}
sunrealtype min_quotient_local(N_Vector num, N_Vector denom) noexcept {
  return number([&] {
    return local_min("sun::min_quotient", num, MinQuotientBody{data(num), data(denom)});
  });
}
sunrealtype min_quotient(N_Vector num, N_Vector denom) noexcept {
  return number([&] {
    return min_over_ranks(
        num, local_min("sun::min_quotient", num, MinQuotientBody{data(num), data(denom)}));
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

// ---- Fused reductions ---------------------------------------------------------------------------

/// Vectors a pass: sums kept in SIMD lanes run out of registers earlier than plain updates.
constexpr int max_fused_sums = 4;

template <int K>
void dots(N_Vector x, N_Vector* y, sunrealtype* sums) {
  DotProdMultiBody<K> body;
  body.x = data(x);
  for (int k = 0; k < K; ++k) body.y[k] = data(y[k]);
  const auto result = reduce_rows<Sums<K>>(default_space(), "sun::dots", size(x), body);
  for (int k = 0; k < K; ++k) sums[k] = result.value[k];
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

}  // namespace

void set_reductions(N_Vector_Ops ops) {
  ops->nvdotprod = dot_prod;
  ops->nvmaxnorm = max_norm;
  ops->nvwrmsnorm = wrms_norm;
  ops->nvwrmsnormmask = wrms_norm_mask;
  ops->nvmin = min;
  ops->nvwl2norm = wl2_norm;
  ops->nvl1norm = l1_norm;
  ops->nvinvtest = inv_test;
  ops->nvconstrmask = constr_mask;
  ops->nvminquotient = min_quotient;
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
}

}  // namespace libsolve::sun::detail
