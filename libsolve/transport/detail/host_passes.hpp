/// \file
/// Passes over all entries of a cost on the host: rows in blocks of four, columns by SIMD registers,
/// a contiguous share of rows for each thread. See TransportCost for what each pass computes.
#pragma once

#include <algorithm>
#include <cmath>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/transport/detail/exp2.hpp>
#include <limits>
#include <type_traits>
#include <vector>

namespace libsolve::detail {

inline constexpr double log2_of_e = 1.4426950408889634074;

/// A length in whole registers.
inline Index padded(Index m) {
  constexpr Index w = lanes<double>;
  return (m + w - 1) / w * w;
}

/// Numbers from a 64-byte boundary, kept between calls; one for each purpose and thread.
class Scratch {
 public:
  double* get(std::size_t count) {
    if (store_.size() < count + 8) store_.resize(count + 8);
    auto address = reinterpret_cast<std::uintptr_t>(store_.data());
    return store_.data() + (((address + 63) / 64 * 64) - address) / sizeof(double);
  }

 private:
  std::vector<double> store_;
};

/// C_ij for the columns [j, j + lanes) of a row. A cost may have its own `pack`.
template <class F>
Pack<double> cost_pack(const F& cost, Index i, Index j) {
  if constexpr (requires { cost.pack(i, j); }) {
    return cost.pack(i, j);
  } else {
    alignas(register_bytes) double c[lanes<double>];
    for (int k = 0; k < lanes<double>; ++k) c[k] = cost(i, j + k);
    return load<double>(c);
  }
}

/// The same for the `count` columns that are left; `beyond` in the other lanes.
template <class F>
Pack<double> cost_rest(const F& cost, Index i, Index j, int count, double beyond) {
  alignas(register_bytes) double c[lanes<double>];
  for (int k = 0; k < lanes<double>; ++k) c[k] = k < count ? cost(i, j + k) : beyond;
  return load<double>(c);
}

/// log2 P_ij = (f_i + g_j - C_ij) / (eps log 2), by registers of columns. Costs with a cheaper form
/// specialise it; columns beyond m give -infinity.
template <class F>
class Exponents {
 public:
  struct Row {
    Index i;
    double shift;
  };
  Exponents(const F& cost, Index m, const double* f, const double* g, double eps, Scratch& scratch)
      : cost_(cost), m_(m), f_(f), scale_(log2_of_e / eps) {
    double* const scaled = scratch.get(static_cast<std::size_t>(padded(m)));
    g_ = scaled;
    for (Index j = 0; j < m; ++j) scaled[j] = g[j] * scale_;
    for (Index j = m; j < padded(m); ++j) scaled[j] = -std::numeric_limits<double>::infinity();
  }
  Row row(Index i) const { return {i, f_[i] * scale_}; }
  Pack<double> at(const Row& row, Index j) const {
    const Pack<double> c = j + lanes<double> <= m_ ? cost_pack(cost_, row.i, j)
                                                   : cost_rest(cost_, row.i, j, m_ - j, 0.0);
    return load<double>(g_ + j) + all<double>(row.shift) - all<double>(scale_) * c;
  }

 private:
  F cost_;
  Index m_;
  const double* f_;
  double scale_;
  const double* g_ = nullptr;
};

/// Rows [begin, end) of share s of `shares`.
struct Shares {
  Index rows;
  int count;
  Shares(Index n, Index m) : rows(n) {
    // Below about 20 000 entries a thread costs more than it brings.
    const GlobalIndex worth = GlobalIndex{n} * m / 20000 + 1;
    count = static_cast<int>(std::min<GlobalIndex>(
        {GlobalIndex{concurrency_of(default_space<ExecSpace>())}, worth, std::max<Index>(n, 1)}));
  }
  Index begin(int s) const {
    return static_cast<Index>(GlobalIndex{rows} * s / count / 4 * 4);
  }
  Index end(int s) const { return s + 1 == count ? rows : begin(s + 1); }
  /// work(s) for all shares, each on a thread.
  template <class Work>
  void run(const char* label, const Work& work) const {
    if (count == 1) {
      work(0);
      return;
    }
    using Policy = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, Kokkos::IndexType<int>>;
    Kokkos::parallel_for(kernel_label(label), Policy(0, count, Kokkos::ChunkSize(1)),
                         [&work](int s) { work(s); });
  }
};

/// Columns' sums of all shares, added in their order.
inline void add_shares(const double* part, int shares, Index stride, Index m, double* c) {
  for (Index j = 0; j < m; ++j) c[j] = part[j];
  for (int s = 1; s < shares; ++s) {
    const double* p = part + static_cast<std::size_t>(s) * stride;
#pragma omp simd
    for (Index j = 0; j < m; ++j) c[j] += p[j];
  }
}

/// The sums of R rows, and of their columns.
template <int R, class E>
inline void plan_rows(const E& exponents, Index i, Index m, double* column, double* r) {
  typename E::Row rows[R];
  Pack<double> sum[R];
  for (int k = 0; k < R; ++k) {
    rows[k] = exponents.row(i + k);
    sum[k] = all<double>(0.0);
  }
  for (Index j = 0; j < m; j += lanes<double>) {
    Pack<double> total = load<double>(column + j);
    for (int k = 0; k < R; ++k) {
      const Pack<double> p = exp2_of(exponents.at(rows[k], j));
      sum[k] += p;
      total += p;
    }
    store<double>(total, column + j);
  }
  for (int k = 0; k < R; ++k) r[k] = sum_of<double>(sum[k]);
}

template <class F>
void host_sums(const F& cost, Index n, Index m, const double* f, const double* g, double eps,
               double* r, double* c) {
  static thread_local Scratch for_exponents, for_columns;
  const Exponents<F> exponents(cost, m, f, g, eps, for_exponents);
  const Shares shares(n, m);
  const Index stride = padded(m) + lanes<double>;
  double* const part = for_columns.get(static_cast<std::size_t>(stride) * shares.count);
  shares.run("transport::sums", [&](int s) {
    double* const column = part + static_cast<std::size_t>(s) * stride;
    std::fill(column, column + padded(m), 0.0);
    Index i = shares.begin(s);
    for (; i + 4 <= shares.end(s); i += 4)
      plan_rows<4>(exponents, i, m, column, r + i);
    for (; i < shares.end(s); ++i)
      plan_rows<1>(exponents, i, m, column, r + i);
  });
  add_shares(part, shares.count, stride, m, c);
}

/// Rows that would have to be scaled by more have lost their entries to underflow.
template <class Real>
inline constexpr double largest_scaling = std::is_same_v<Real, double> ? 1e270 : 1e20;

/// What scale_rows() reads and writes beside g.
struct ScaledRows {
  const double* a;
  double* f;
  double* r;
  double* c;
  double eps;
  double damping;
};

/// 2^exponents of the columns [j, j + lanes<Real>) of a row; the exponent is a double in any case.
template <class Real, class E>
inline Pack<Real> exp_at(const E& exponents, const typename E::Row& row, Index j, Index m) {
  if constexpr (std::is_same_v<Real, double>) {
    return exp2_of(exponents.at(row, j));
  } else {
    constexpr Index w = lanes<double>;
    const Pack<double> low = exponents.at(row, j);
    return exp2_of(narrow(low, j + w < padded(m) ? exponents.at(row, j + w)
                                                 : all<double>(smallest_exponent)));
  }
}

/// column[j...] += total.
template <class Real>
inline void add_to(double* column, const Pack<Real>& total) {
  constexpr Index w = lanes<double>;
  if constexpr (std::is_same_v<Real, double>) {
    store<double>(load<double>(column) + total, column);
  } else {
    store<double>(load<double>(column) + low_half(total), column);
    store<double>(load<double>(column + w) + high_half(total), column + w);
  }
}

/// Rows [i, i + R): exps into `buffer` (rows of `stride`), sums, scaling, columns' sums.
template <class Real, int R, class E>
inline void scaled_rows(const E& exponents, Index i, Index m, Index stride, const ScaledRows& to,
                        Real* buffer, double* column) {
  constexpr Index w = lanes<Real>;
  constexpr Index run = 64 * w;  // of additions in Real
  typename E::Row rows[R];
  double sum[R] = {};
  for (int k = 0; k < R; ++k) rows[k] = exponents.row(i + k);
  for (Index begin = 0; begin < m; begin += run) {
    Pack<Real> part[R];
    for (int k = 0; k < R; ++k) part[k] = all<Real>(Real(0));
    for (Index j = begin; j < std::min(begin + run, m); j += w)
      for (int k = 0; k < R; ++k) {
        const Pack<Real> p = exp_at<Real>(exponents, rows[k], j, m);
        part[k] += p;
        store<Real>(p, buffer + k * stride + j);
      }
    for (int k = 0; k < R; ++k) sum[k] += sum_of<Real>(part[k]);
  }
  Pack<Real> scale[R];
  for (int k = 0; k < R; ++k) {
    const double ratio = to.a[i + k] / sum[k];
    double s = 0.0;
    if (ratio > 0.0 && ratio <= largest_scaling<Real>) {
      const double f = to.f[i + k];
      const double step = to.eps * std::log(ratio);
      to.f[i + k] = to.damping * (f + step);
      s = to.damping == 1.0 ? ratio : std::exp((to.f[i + k] - f) / to.eps);
    } else {
      // A row that cannot be scaled must not spread its infinities over the columns.
      std::fill(buffer + k * stride, buffer + k * stride + stride, Real(0));
      if (sum[k] <= std::numeric_limits<double>::max()) sum[k] = 0.0;
    }
    to.r[i + k] = sum[k];
    scale[k] = all<Real>(static_cast<Real>(s));
  }
  for (Index j = 0; j < m; j += w) {
    Pack<Real> total = scale[0] * load<Real>(buffer + j);
    for (int k = 1; k < R; ++k) total += scale[k] * load<Real>(buffer + k * stride + j);
    add_to<Real>(column + j, total);
  }
}

template <class Real, class F>
void host_scale_rows(const F& cost, Index n, Index m, const double* g, const ScaledRows& to) {
  static thread_local Scratch for_exponents, for_columns, for_rows;
  const Exponents<F> exponents(cost, m, to.f, g, to.eps, for_exponents);
  const Shares shares(n, m);
  const Index stride = padded(m) + lanes<float>;
  // Four rows while they stay in the second-level cache.
  const int block = stride * static_cast<Index>(sizeof(Real)) <= 131072 ? 4 : 1;
  double* const part = for_columns.get(static_cast<std::size_t>(stride) * shares.count);
  double* const rows = for_rows.get(static_cast<std::size_t>(stride) * block * shares.count);
  shares.run("transport::scale_rows", [&](int s) {
    double* const column = part + static_cast<std::size_t>(s) * stride;
    Real* const buffer = reinterpret_cast<Real*>(rows + static_cast<std::size_t>(s) * stride * block);
    std::fill(column, column + stride, 0.0);
    Index i = shares.begin(s);
    if (block == 4)
      for (; i + 4 <= shares.end(s); i += 4)
        scaled_rows<Real, 4>(exponents, i, m, stride, to, buffer, column);
    for (; i < shares.end(s); ++i)
      scaled_rows<Real, 1>(exponents, i, m, stride, to, buffer, column);
  });
  add_shares(part, shares.count, stride, m, to.c);
}

template <class F>
void host_row_minima(const F& cost, Index n, Index m, const double* g, double* u, Index* arg) {
  constexpr Index w = lanes<double>;
  const Shares shares(n, m);
  shares.run("transport::row_minima", [&](int s) {
    for (Index i = shares.begin(s); i < shares.end(s); ++i) {
      double best[w];
      Index at[w];
      std::fill(best, best + w, std::numeric_limits<double>::infinity());
      std::fill(at, at + w, 0);
      Index j = 0;
      for (; j + w <= m; j += w) {
        alignas(register_bytes) double v[w];
        store<double>(cost_pack(cost, i, j) - load<double>(g + j), v);
#pragma omp simd
        for (Index k = 0; k < w; ++k) {
          const bool less = v[k] < best[k];
          best[k] = less ? v[k] : best[k];
          at[k] = less ? j + k : at[k];
        }
      }
      for (; j < m; ++j) {
        const double v = cost(i, j) - g[j];
        if (v < best[0]) best[0] = v, at[0] = j;
      }
      int k = 0;
      for (int l = 1; l < w; ++l)
        if (best[l] < best[k] || (best[l] == best[k] && at[l] < at[k])) k = l;
      u[i] = best[k];
      if (arg != nullptr) arg[i] = at[k];
    }
  });
}

template <class F>
void host_column_minima(const F& cost, Index n, Index m, const double* f, double* v) {
  static thread_local Scratch for_columns;
  constexpr Index w = lanes<double>;
  const Shares shares(n, m);
  const Index stride = padded(m) + w;
  double* const part = for_columns.get(static_cast<std::size_t>(stride) * shares.count);
  shares.run("transport::column_minima", [&](int s) {
    double* const best = part + static_cast<std::size_t>(s) * stride;
    std::fill(best, best + padded(m), std::numeric_limits<double>::infinity());
    for (Index i = shares.begin(s); i < shares.end(s); ++i) {
      Index j = 0;
      for (; j + w <= m; j += w) {
        alignas(register_bytes) double x[w];
        store<double>(cost_pack(cost, i, j) - all<double>(f[i]), x);
#pragma omp simd
        for (Index k = 0; k < w; ++k) best[j + k] = x[k] < best[j + k] ? x[k] : best[j + k];
      }
      for (; j < m; ++j) best[j] = std::min(best[j], cost(i, j) - f[i]);
    }
  });
  for (Index j = 0; j < m; ++j) v[j] = part[j];
  for (int s = 1; s < shares.count; ++s)
    for (Index j = 0; j < m; ++j)
      v[j] = std::min(v[j], part[static_cast<std::size_t>(s) * stride + j]);
}

/// Which of a register's slacks are at least `t`, one bit each.
inline unsigned lanes_above(const Pack<double>& slack, double t) {
#if defined(__AVX512F__) && !defined(__CUDACC__)
  return _mm512_cmp_pd_mask((__m512d)slack, _mm512_set1_pd(t), _CMP_GE_OQ);
#else
  unsigned mask = 0;
  for (int k = 0; k < lanes<double>; ++k) mask |= slack[k] >= t ? 1u << k : 0u;
  return mask;
#endif
}

/// What a share of rows has found.
struct FoundEntries {
  std::vector<Index> columns;
  std::vector<double> slacks;
};

/// `first` (n + 1) := where each row begins; the found entries of share s follow those of s - 1.
template <class F>
std::vector<FoundEntries> host_entries_above(const F& cost, Index n, Index m, const double* f,
                                             const double* g, const double* threshold,
                                             GlobalIndex* first) {
  constexpr Index w = lanes<double>;
  const Shares shares(n, m);
  std::vector<FoundEntries> found(static_cast<std::size_t>(shares.count));
  shares.run("transport::entries_above", [&](int s) {
    FoundEntries mine;
    const auto take = [&mine](Index j, double slack) {
      mine.columns.push_back(j);
      mine.slacks.push_back(slack);
    };
    for (Index i = shares.begin(s); i < shares.end(s); ++i) {
      const std::size_t before = mine.columns.size();
      const double t = threshold[i];
      Index j = 0;
      for (; j + w <= m; j += w) {
        const Pack<double> slack = all<double>(f[i]) + load<double>(g + j) - cost_pack(cost, i, j);
        for (unsigned mask = lanes_above(slack, t); mask != 0; mask &= mask - 1) {
          const int k = __builtin_ctz(mask);
          take(j + k, slack[k]);
        }
      }
      for (; j < m; ++j) {
        const double slack = f[i] + g[j] - cost(i, j);
        if (slack >= t) take(j, slack);
      }
      first[i + 1] = static_cast<GlobalIndex>(mine.columns.size() - before);
    }
    found[static_cast<std::size_t>(s)] = std::move(mine);
  });
  first[0] = 0;
  for (Index i = 0; i < n; ++i) first[i + 1] += first[i];
  return found;
}

/// Sum of C_ij P_ij.
template <class F>
double host_weighted_sum(const F& cost, Index n, Index m, const double* f, const double* g,
                         double eps) {
  static thread_local Scratch for_exponents;
  constexpr Index w = lanes<double>;
  const Exponents<F> exponents(cost, m, f, g, eps, for_exponents);
  const Shares shares(n, m);
  std::vector<double> part(static_cast<std::size_t>(shares.count), 0.0);
  shares.run("transport::weighted_sum", [&](int s) {
    double total = 0.0;
    for (Index i = shares.begin(s); i < shares.end(s); ++i) {
      const auto row = exponents.row(i);
      Pack<double> sum = all<double>(0.0);
      for (Index j = 0; j < m; j += w) {
        const Pack<double> c =
            j + w <= m ? cost_pack(cost, i, j) : cost_rest(cost, i, j, m - j, 0.0);
        sum += c * exp2_of(exponents.at(row, j));
      }
      total += sum_of<double>(sum);
    }
    part[static_cast<std::size_t>(s)] = total;
  });
  double total = 0.0;
  for (const double p : part) total += p;
  return total;
}

}  // namespace libsolve::detail
