#pragma once

#include <libsolve/transport/detail/exp2.hpp>
#include <libsolve/transport/detail/host_passes.hpp>

/// Functors for FunctorCost. They hold raw pointers: who makes them keeps the storage.
namespace libsolve {

namespace detail {

inline Pack<double> root_of(const Pack<double>& s) {
#if defined(__AVX512F__) && defined(__GNUC__) && !defined(__CUDACC__)
  return (Pack<double>)_mm512_maskz_sqrt_pd(all_lanes, (__m512d)s);
#else
  Pack<double> p;
  for (int k = 0; k < lanes<double>; ++k) p[k] = std::sqrt(s[k]);
  return p;
#endif
}

inline Pack<double> size_of(const Pack<double>& s) {
#if defined(__GNUC__) && !defined(__CUDACC__)
  return s < 0.0 ? -s : s;
#else
  Pack<double> p;
  for (int k = 0; k < lanes<double>; ++k) p[k] = std::fabs(s[k]);
  return p;
#endif
}

}  // namespace detail

/// A stored matrix, rows of `stride`.
struct StoredEntries {
  const double* values;
  std::size_t stride;
  KOKKOS_FUNCTION double operator()(Index i, Index j) const {
    return values[static_cast<std::size_t>(i) * stride + static_cast<std::size_t>(j)];
  }
  detail::Pack<double> pack(Index i, Index j) const {
    return detail::load<double>(values + static_cast<std::size_t>(i) * stride +
                                static_cast<std::size_t>(j));
  }
};

/// Two clouds of points: coordinate d of point i at x[d * x_stride + i]. D = 0: `dimension` of them.
template <int D>
struct Clouds {
  const double* x;
  const double* y;
  std::size_t x_stride;
  std::size_t y_stride;
  int dimension;
  KOKKOS_FUNCTION int size() const { return D > 0 ? D : dimension; }
  KOKKOS_FUNCTION double difference(Index i, Index j, int d) const {
    return x[static_cast<std::size_t>(d) * x_stride + static_cast<std::size_t>(i)] -
           y[static_cast<std::size_t>(d) * y_stride + static_cast<std::size_t>(j)];
  }
  detail::Pack<double> differences(Index i, Index j, int d) const {
    return detail::all<double>(
               x[static_cast<std::size_t>(d) * x_stride + static_cast<std::size_t>(i)]) -
           detail::load<double>(y + static_cast<std::size_t>(d) * y_stride +
                                static_cast<std::size_t>(j));
  }
};

/// |x - y|_2^2.
template <int D>
struct SquaredDistance {
  Clouds<D> clouds;
  KOKKOS_FUNCTION double operator()(Index i, Index j) const {
    double s = 0.0;
    for (int d = 0; d < clouds.size(); ++d) {
      const double t = clouds.difference(i, j, d);
      s += t * t;
    }
    return s;
  }
  detail::Pack<double> pack(Index i, Index j) const {
    detail::Pack<double> s = detail::all<double>(0.0);
    for (int d = 0; d < clouds.size(); ++d) {
      const detail::Pack<double> t = clouds.differences(i, j, d);
      s += t * t;
    }
    return s;
  }
};

/// |x - y|_2.
template <int D>
struct Distance {
  SquaredDistance<D> square;
  KOKKOS_FUNCTION double operator()(Index i, Index j) const { return Kokkos::sqrt(square(i, j)); }
  detail::Pack<double> pack(Index i, Index j) const { return detail::root_of(square.pack(i, j)); }
};

/// |x - y|_2^p.
template <int D>
struct PowerDistance {
  SquaredDistance<D> square;
  double p;
  KOKKOS_FUNCTION double operator()(Index i, Index j) const {
    return Kokkos::pow(square(i, j), 0.5 * p);
  }
};

/// |x - y|_1.
template <int D>
struct ManhattanDistance {
  Clouds<D> clouds;
  KOKKOS_FUNCTION double operator()(Index i, Index j) const {
    double s = 0.0;
    for (int d = 0; d < clouds.size(); ++d) s += Kokkos::abs(clouds.difference(i, j, d));
    return s;
  }
  detail::Pack<double> pack(Index i, Index j) const {
    detail::Pack<double> s = detail::all<double>(0.0);
    for (int d = 0; d < clouds.size(); ++d) s += detail::size_of(clouds.differences(i, j, d));
    return s;
  }
};

namespace detail {

/// For |x - y|^2 the exponent is bilinear, with scale = 1 / (eps log 2):
///   scale (f_i - |x_i|^2) + scale (g_j - |y_j|^2) + sum_d (2 scale x_id) y_jd,
/// D fused multiply-adds and one addition. Its terms are as large as those of f + g - C where the
/// points are centred, which PointCost sees to.
template <int D>
class Exponents<SquaredDistance<D>> {
 public:
  static constexpr int kept = D > 0 ? D : 1;
  struct Row {
    Index i;
    double shift;
    double x[kept];
  };
  Exponents(const SquaredDistance<D>& cost, Index m, const double* f, const double* g, double eps,
            Scratch& scratch)
      : clouds_(cost.clouds), m_(m), f_(f), scale_(log2_of_e / eps) {
    double* const scaled = scratch.get(static_cast<std::size_t>(padded(m)));
    for (Index j = 0; j < m; ++j) scaled[j] = (g[j] - square(clouds_.y, clouds_.y_stride, j)) * scale_;
    for (Index j = m; j < padded(m); ++j) scaled[j] = -std::numeric_limits<double>::infinity();
    g_ = scaled;
  }
  Row row(Index i) const {
    Row r;
    r.i = i;
    r.shift = (f_[i] - square(clouds_.x, clouds_.x_stride, i)) * scale_;
    for (int d = 0; d < D; ++d)
      r.x[d] = 2.0 * scale_ * clouds_.x[static_cast<std::size_t>(d) * clouds_.x_stride +
                                        static_cast<std::size_t>(i)];
    return r;
  }
  Pack<double> at(const Row& row, Index j) const {
    Pack<double> e = load<double>(g_ + j) + all<double>(row.shift);
    for (int d = 0; d < clouds_.size(); ++d) {
      const double x = D > 0 ? row.x[D > 0 ? d : 0]
                             : 2.0 * scale_ * clouds_.x[static_cast<std::size_t>(d) * clouds_.x_stride +
                                                        static_cast<std::size_t>(row.i)];
      // y is stored in whole registers, zero beyond m.
      e += all<double>(x) * load<double>(clouds_.y + static_cast<std::size_t>(d) * clouds_.y_stride + j);
    }
    return e;
  }

 private:
  double square(const double* p, std::size_t stride, Index i) const {
    double s = 0.0;
    for (int d = 0; d < clouds_.size(); ++d) {
      const double t = p[static_cast<std::size_t>(d) * stride + static_cast<std::size_t>(i)];
      s += t * t;
    }
    return s;
  }
  Clouds<D> clouds_;
  Index m_;
  const double* f_;
  double scale_;
  const double* g_ = nullptr;
};

}  // namespace detail

}  // namespace libsolve
