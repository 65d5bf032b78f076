/// \file
/// 2^x for a SIMD register of doubles, relative error below 4e-16 for x in [-1022, 1023], 0 far below.
#pragma once

#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstdint>
#include <libsolve/core/pack.hpp>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace libsolve::detail {

/// Exponents below this are taken for this: their power is 0, and no infinity gets into the way.
inline constexpr double smallest_exponent = -5000.0;

#if defined(__GNUC__) && !defined(__CUDACC__)

#if defined(__AVX512F__)

/// Masked intrinsics with all lanes: the others make g++ 12 warn of its own header.
inline constexpr __mmask8 all_lanes = 0xff;

/// x = k / 16 + r with |r| <= 1 / 32: 2^x = 2^floor(k / 16) * table[k mod 16] * p(r). p interpolates
/// 2^r at the Chebyshev points (degree 6, error 7e-18); the table lies in two registers.
inline Pack<double> exp2_of(const Pack<double>& exponent) {
  const __m512d table_low = _mm512_set_pd(
      0x1.5ab07dd485429p+0, 0x1.4bfdad5362a27p+0, 0x1.3dea64c123422p+0, 0x1.306fe0a31b715p+0,
      0x1.2387a6e756238p+0, 0x1.172b83c7d517bp+0, 0x1.0b5586cf9890fp+0, 0x1.0p+0);
  const __m512d table_high = _mm512_set_pd(
      0x1.ea4afa2a490dap+0, 0x1.d5818dcfba487p+0, 0x1.c199bdd85529cp+0, 0x1.ae89f995ad3adp+0,
      0x1.9c49182a3f090p+0, 0x1.8ace5422aa0dbp+0, 0x1.7a11473eb0187p+0, 0x1.6a09e667f3bcdp+0);
  const __m512d shift = _mm512_set1_pd(0x1.8p48);  // its last bit is worth 1 / 16
  // NaN stays NaN: the second operand is returned where either is one.
  const __m512d x = _mm512_maskz_max_pd(all_lanes, _mm512_set1_pd(smallest_exponent),
                                        (__m512d)exponent);
  const __m512d shifted = _mm512_add_pd(x, shift);
  const __m512d k = _mm512_sub_pd(shifted, shift);
  const __m512d r = _mm512_sub_pd(x, k);
  __m512d p = _mm512_set1_pd(0x1.430a49610efc6p-13);
  p = _mm512_fmadd_pd(p, r, _mm512_set1_pd(0x1.5d89be4c12513p-10));
  p = _mm512_fmadd_pd(p, r, _mm512_set1_pd(0x1.3b2ab6fb09b31p-7));
  p = _mm512_fmadd_pd(p, r, _mm512_set1_pd(0x1.c6b08d6e8a384p-5));
  p = _mm512_fmadd_pd(p, r, _mm512_set1_pd(0x1.ebfbdff82c594p-3));
  p = _mm512_fmadd_pd(p, r, _mm512_set1_pd(0x1.62e42fefa39fdp-1));
  const __m512d t =
      _mm512_permutex2var_pd(table_low, _mm512_castpd_si512(shifted), table_high);
  p = _mm512_fmadd_pd(_mm512_mul_pd(p, r), t, t);
  return (Pack<double>)_mm512_maskz_scalef_pd(all_lanes, p, k);
}

/// The same in float: relative error 1e-7, 0 far below 2^-126.
inline Pack<float> exp2_of(const Pack<float>& exponent) {
  const __m512 table =
      _mm512_set_ps(0x1.ea4afap+0f, 0x1.d5818ep+0f, 0x1.c199bep+0f, 0x1.ae89fap+0f, 0x1.9c4918p+0f,
                    0x1.8ace54p+0f, 0x1.7a1148p+0f, 0x1.6a09e6p+0f, 0x1.5ab07ep+0f, 0x1.4bfdaep+0f,
                    0x1.3dea64p+0f, 0x1.306fe0p+0f, 0x1.2387a6p+0f, 0x1.172b84p+0f, 0x1.0b5586p+0f,
                    0x1.0p+0f);
  const __m512 shift = _mm512_set1_ps(0x1.8p19f);  // its last bit is worth 1 / 16
  const __m512 x = (__m512)exponent;  // narrow() has seen to its range
  const __m512 shifted = _mm512_add_ps(x, shift);
  const __m512 k = _mm512_sub_ps(shifted, shift);
  const __m512 r = _mm512_sub_ps(x, k);
  __m512 p = _mm512_set1_ps(0x1.c6b348p-5f);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.ec00ccp-3f));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0x1.62e42fp-1f));
  const __m512 t = _mm512_maskz_permutexvar_ps(static_cast<__mmask16>(0xffff),
                                              _mm512_castps_si512(shifted), table);
  p = _mm512_fmadd_ps(_mm512_mul_ps(p, r), t, t);
  return (Pack<float>)_mm512_maskz_scalef_ps(static_cast<__mmask16>(0xffff), p, k);
}

typedef float HalfPack __attribute__((vector_size(register_bytes / 2)));

/// Two registers of exponents as one of floats.
inline Pack<float> narrow(const Pack<double>& low, const Pack<double>& high) {
  const auto at_least = [](const Pack<double>& x) {
    return (Pack<double>)_mm512_maskz_max_pd(all_lanes, _mm512_set1_pd(-400.0), (__m512d)x);
  };
  const HalfPack a = __builtin_convertvector(at_least(low), HalfPack);
  const HalfPack b = __builtin_convertvector(at_least(high), HalfPack);
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
inline Pack<double> low_half(const Pack<float>& p) {
  const HalfPack h = __builtin_shufflevector(p, p, 0, 1, 2, 3, 4, 5, 6, 7);
  return __builtin_convertvector(h, Pack<double>);
}
inline Pack<double> high_half(const Pack<float>& p) {
  const HalfPack h = __builtin_shufflevector(p, p, 8, 9, 10, 11, 12, 13, 14, 15);
  return __builtin_convertvector(h, Pack<double>);
}

#else

/// x = k + r with |r| <= 1 / 2: 2^x = 2^k p(r), p of degree 11 (error 4e-18).
inline Pack<double> exp2_of(const Pack<double>& exponent) {
  typedef std::int64_t Integers __attribute__((vector_size(register_bytes)));
  const double shift = 0x1.8p52;
  Pack<double> x = exponent < -1022.0 ? all<double>(-1022.0) : exponent;
  x = x > 1023.0 ? all<double>(1023.0) : x;
  const Pack<double> shifted = x + shift;
  const Pack<double> r = x - (shifted - shift);
  Pack<double> p = all<double>(0x1.e9ec1fcb69a7fp-32);
  for (const double c :
       {0x1.e6228acd1c6e5p-28, 0x1.b524ebd13a55fp-24, 0x1.62bfc2c86d700p-20, 0x1.ffcbfc6da6ed1p-17,
        0x1.430913112c61bp-13, 0x1.5d87fe78a3f9cp-10, 0x1.3b2ab6fb9f1a5p-7, 0x1.c6b08d704a0c6p-5,
        0x1.ebfbdff82c5aep-3, 0x1.62e42fefa39efp-1, 0x1.0p+0})
    p = p * r + c;
  // The last bits of `shifted` are k: into the exponent's place.
  const Integers scaled = (Integers)p + ((Integers)shifted << 52);
  const Pack<double> result = exponent < -1022.0 ? Pack<double>{} : (Pack<double>)scaled;
  return x == x ? result : x;
}

#endif

#else

inline Pack<double> exp2_of(const Pack<double>& exponent) {
  Pack<double> p;
  for (int i = 0; i < lanes<double>; ++i) p[i] = std::exp2(exponent[i]);
  return p;
}

#endif

#if !defined(__AVX512F__) || defined(__CUDACC__)

inline Pack<float> exp2_of(const Pack<float>& exponent) {
  Pack<float> p;
  for (int i = 0; i < lanes<float>; ++i) p[i] = std::exp2(exponent[i]);
  return p;
}
inline Pack<float> narrow(const Pack<double>& low, const Pack<double>& high) {
  constexpr int w = lanes<double>;
  Pack<float> p;
  for (int i = 0; i < w; ++i) {
    p[i] = static_cast<float>(low[i]);
    p[w + i] = static_cast<float>(high[i]);
  }
  return p;
}
inline Pack<double> low_half(const Pack<float>& p) {
  Pack<double> d;
  for (int i = 0; i < lanes<double>; ++i) d[i] = p[i];
  return d;
}
inline Pack<double> high_half(const Pack<float>& p) {
  Pack<double> d;
  for (int i = 0; i < lanes<double>; ++i) d[i] = p[lanes<double> + i];
  return d;
}

#endif

}  // namespace libsolve::detail
