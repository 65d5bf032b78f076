/// \file
/// One SIMD register of numbers on the host.
#pragma once

namespace libsolve::detail {

#if defined(__AVX512F__)
inline constexpr int register_bytes = 64;
#elif defined(__AVX__)
inline constexpr int register_bytes = 32;
#else
inline constexpr int register_bytes = 16;
#endif

template <class T>
inline constexpr int lanes = register_bytes / static_cast<int>(sizeof(T));

#if defined(__GNUC__) && !defined(__CUDACC__)

/// The compiler's own vector type: sums of products over it become fused multiply-adds, and arrays
/// of it stay in registers, which loops over lanes do not (g++ 12).
template <class T>
struct PackOf;
template <>
struct PackOf<float> {
  typedef float type __attribute__((vector_size(register_bytes)));
  typedef float loose __attribute__((vector_size(register_bytes), aligned(4), may_alias));
};
template <>
struct PackOf<double> {
  typedef double type __attribute__((vector_size(register_bytes)));
  typedef double loose __attribute__((vector_size(register_bytes), aligned(8), may_alias));
};
template <class T>
using Pack = typename PackOf<T>::type;

template <class T>
inline Pack<T> load(const T* from) {
  return *reinterpret_cast<const typename PackOf<T>::loose*>(from);
}
template <class T>
inline void store(const Pack<T>& v, T* to) {
  *reinterpret_cast<typename PackOf<T>::loose*>(to) = v;
}
template <class T>
inline Pack<T> all(T value) {
  return value - Pack<T>{};
}
template <class T>
inline Pack<T> positive_part(const Pack<T>& v) {
  const Pack<T> zero{};
  return v > zero ? v : zero;
}

#else

template <class T>
struct Pack {
  T v[lanes<T>] = {};
  T& operator[](int i) { return v[i]; }
  T operator[](int i) const { return v[i]; }
  Pack& operator+=(const Pack& o) {
    for (int i = 0; i < lanes<T>; ++i) v[i] += o.v[i];
    return *this;
  }
  friend Pack operator+(Pack a, const Pack& b) { return a += b; }
  friend Pack operator-(const Pack& a, const Pack& b) { return a + T(-1) * b; }
  friend Pack operator*(T s, const Pack& p) {
    Pack r;
    for (int i = 0; i < lanes<T>; ++i) r.v[i] = s * p.v[i];
    return r;
  }
  friend Pack operator*(const Pack& a, const Pack& b) {
    Pack r;
    for (int i = 0; i < lanes<T>; ++i) r.v[i] = a.v[i] * b.v[i];
    return r;
  }
};
template <class T>
inline Pack<T> load(const T* from) {
  Pack<T> p;
  for (int i = 0; i < lanes<T>; ++i) p.v[i] = from[i];
  return p;
}
template <class T>
inline void store(const Pack<T>& p, T* to) {
  for (int i = 0; i < lanes<T>; ++i) to[i] = p.v[i];
}
template <class T>
inline Pack<T> all(T value) {
  Pack<T> p;
  for (int i = 0; i < lanes<T>; ++i) p.v[i] = value;
  return p;
}
template <class T>
inline Pack<T> positive_part(const Pack<T>& a) {
  Pack<T> p;
  for (int i = 0; i < lanes<T>; ++i) p.v[i] = a.v[i] > T(0) ? a.v[i] : T(0);
  return p;
}

#endif

/// The first n lanes only.
template <class T>
inline Pack<T> load_first(const T* from, int n) {
  alignas(register_bytes) T part[lanes<T>] = {};
  for (int i = 0; i < n; ++i) part[i] = from[i];
  return load<T>(part);
}
template <class T>
inline void store_first(const Pack<T>& p, T* to, int n) {
  alignas(register_bytes) T part[lanes<T>];
  store<T>(p, part);
  for (int i = 0; i < n; ++i) to[i] = part[i];
}
template <class T>
inline T sum_of(const Pack<T>& p) {
  T s = T(0);
  for (int i = 0; i < lanes<T>; ++i) s += p[i];
  return s;
}

}  // namespace libsolve::detail
