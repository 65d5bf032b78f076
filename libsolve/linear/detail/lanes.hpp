#pragma once

#include <libsolve/core/types.hpp>

#if defined(__AVX512F__) && defined(__AVX512VL__) && !defined(__CUDACC__)
#define LIBSOLVE_LANES_AVX512 1
#include <immintrin.h>
#else
#define LIBSOLVE_LANES_AVX512 0
#endif

namespace libsolve::detail {

/// Eight doubles in one register where the processor has such (AVX-512), else an array that the
/// compiler vectorises. g++ 12 turns neither the gather nor the reduction below into vector code by
/// itself, hence the intrinsics.
struct Lanes {
  static constexpr int count = 8;
#if LIBSOLVE_LANES_AVX512
  __m512d v = _mm512_setzero_pd();

  static Lanes load(const double* p) {
    return {_mm512_loadu_pd(p)};
  }
  /// p[index[l]] in lane l, as eight loads: on Zen 4 the gather instruction is no faster.
  static Lanes gather(const double* p, const Index* index) {
    return {_mm512_set_pd(p[index[7]], p[index[6]], p[index[5]], p[index[4]], p[index[3]],
                          p[index[2]], p[index[1]], p[index[0]])};
  }
  void store(double* p) const {
    _mm512_storeu_pd(p, v);
  }
  /// this += a b.
  void add_product(const Lanes& a, const Lanes& b) {
    v = _mm512_fmadd_pd(a.v, b.v, v);
  }
  void add(const Lanes& a) {
    v = _mm512_add_pd(v, a.v);
  }
  static Lanes difference(const Lanes& a, const Lanes& b) {
    return {_mm512_sub_pd(a.v, b.v)};
  }
#else
  double v[count] = {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0};

  static Lanes load(const double* p) {
    Lanes a;
    for (int l = 0; l < count; ++l) a.v[l] = p[l];
    return a;
  }
  static Lanes gather(const double* p, const Index* index) {
    Lanes a;
    for (int l = 0; l < count; ++l) a.v[l] = p[index[l]];
    return a;
  }
  void store(double* p) const {
    for (int l = 0; l < count; ++l) p[l] = v[l];
  }
  void add_product(const Lanes& a, const Lanes& b) {
    for (int l = 0; l < count; ++l) v[l] += a.v[l] * b.v[l];
  }
  void add(const Lanes& a) {
    for (int l = 0; l < count; ++l) v[l] += a.v[l];
  }
  static Lanes difference(const Lanes& a, const Lanes& b) {
    Lanes d;
    for (int l = 0; l < count; ++l) d.v[l] = a.v[l] - b.v[l];
    return d;
  }
#endif
  double sum() const {
    double a[count];
    store(a);
    return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]));
  }
};

}  // namespace libsolve::detail
