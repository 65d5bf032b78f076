#include <algorithm>
#include <libsolve/adapters/sundials/detail/nvector_content.hpp>
#include <libsolve/adapters/sundials/detail/nvector_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace libsolve::sun::detail {

namespace {

template <class Body>
void rows(const char* label, N_Vector v, const Body& body) {
  for_rows(default_space(), label, size(v), body);
}

void linear_sum(sunrealtype a, N_Vector x, sunrealtype b, N_Vector y, N_Vector z) noexcept {
  rows("sun::linear_sum", x, LinearSumBody{a, data(x), b, data(y), data(z)});
}
void constant(sunrealtype c, N_Vector z) noexcept {
  fill(content(z).vector, c);
}
void prod(N_Vector x, N_Vector y, N_Vector z) noexcept {
  multiply(content(x).vector, content(y).vector, content(z).vector);
}
void div(N_Vector x, N_Vector y, N_Vector z) noexcept {
  rows("sun::div", x, DivBody{data(x), data(y), data(z)});
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
  rows("sun::abs", x, AbsBody{data(x), data(z)});
}
void inv(N_Vector x, N_Vector z) noexcept {
  rows("sun::inv", x, InvBody{data(x), data(z)});
}
void add_const(N_Vector x, sunrealtype b, N_Vector z) noexcept {
  rows("sun::add_const", x, AddConstBody{data(x), b, data(z)});
}
void compare(sunrealtype c, N_Vector x, N_Vector z) noexcept {
  rows("sun::compare", x, CompareBody{c, data(x), data(z)});
}

// ---- Fused operations ---------------------------------------------------------------------------

/// Vectors a pass.
constexpr int max_fused = 8;

template <int K>
void combine(const sunrealtype* c, N_Vector* x, N_Vector z, bool add_to_z) {
  LinearCombinationBody<K> body;
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
  ScaleAddMultiBody<K> body;
  for (int k = 0; k < K; ++k) {
    body.a[k] = a[k];
    body.y[k] = data(y[k]);
    body.z[k] = data(z[k]);
  }
  body.x = data(x);
  rows("sun::scale_add", x, body);
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

}  // namespace

void set_operations(N_Vector_Ops ops) {
  ops->nvlinearsum = linear_sum;
  ops->nvconst = constant;
  ops->nvprod = prod;
  ops->nvdiv = div;
  ops->nvscale = scale_to;
  ops->nvabs = abs;
  ops->nvinv = inv;
  ops->nvaddconst = add_const;
  ops->nvcompare = compare;
  ops->nvlinearcombination = linear_combination_of;
  ops->nvscaleaddmulti = scale_add_multi;
}

}  // namespace libsolve::sun::detail
