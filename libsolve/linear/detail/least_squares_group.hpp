/// \file
/// The steps of BatchedLeastSquares for one group of problems.
#pragma once

#include <libsolve/linear/detail/least_squares_data.hpp>
#include <type_traits>

namespace libsolve::detail {

/// One group: a register of problems, or a problem a thread. `block` rows of Phi at a time.
template <class Exec, int block>
struct LeastSquaresGroup {
  using Lanes = ProblemLanes<Exec>;
  using Number = std::conditional_t<Lanes::packed, Pack<double>, double>;
  using Numbers = Slots<Number, Lanes::width>;

  static constexpr int pitch = pitch_of(block);

  LeastSquaresPointers data;
  int n, c, p;
  int first, valid;
  unsigned mask = 0;
  Numbers V, inverse_h, inverse_R1, R2;  // factors
  Numbers A, x, y, z, s, t;              // work: rows of [Phi d], vectors of n, n, n, c, c

  KOKKOS_FUNCTION LeastSquaresGroup(const LeastSquaresPointers& d, int group, int lane,
                                    double* work)
      : data(d), n(d.n), c(d.c), p(d.n - d.c) {
    first = group * Lanes::width + lane;
    constexpr int in_number = Lanes::packed ? Lanes::width : 1;
    valid = d.B - first < in_number ? d.B - first : in_number;
    for (int l = 0; l < valid; ++l)
      if (d.active == nullptr || d.active[first + l] != 0) mask |= 1U << l;
    const std::ptrdiff_t in_group = static_cast<std::ptrdiff_t>(factor_slots(n, c)) * Lanes::width;
    V = Numbers{d.factors + group * in_group + lane};
    inverse_h = V.from(n * c);
    inverse_R1 = inverse_h.from(c);
    R2 = inverse_R1.from(c);
    A = Numbers{work + lane};
    x = A.from((n + 1) * pitch_of(block));
    y = x.from(n);
    z = y.from(n);
    s = z.from(n);
    t = s.from(c);
  }
  /// Whether there is anything to do.
  KOKKOS_FUNCTION bool empty() const { return mask == 0; }

  /// The group's part of an array with `size` entries a problem.
  template <class T>
  KOKKOS_FUNCTION ProblemArray<Number, T> array(T* all, std::ptrdiff_t size) const {
    if (all == nullptr) return {};
    return {all + first * size, size, valid, mask};
  }

  /// v -= (vj^T v / h) vj for reflection j, on `v` of n.
  KOKKOS_FUNCTION void reflect(int j, const Numbers& v) const {
    const Numbers vj = V.from(j * n);
    Number sum = vj.get(j) * v.get(j);
    for (int l = j + 1; l < n; ++l) sum += vj.get(l) * v.get(l);
    sum *= inverse_h.get(j);
    for (int l = j; l < n; ++l) v.set(l, v.get(l) - sum * vj.get(l));
  }
  KOKKOS_FUNCTION void to_basis(const Numbers& v) const {  // v = Q^T v
    for (int j = 0; j < c; ++j) reflect(j, v);
  }
  KOKKOS_FUNCTION void from_basis(const Numbers& v) const {  // v = Q v
    for (int j = c - 1; j >= 0; --j) reflect(j, v);
  }

  /// Whether what is left of a column of length `whole` is rounding.
  KOKKOS_FORCEINLINE_FUNCTION auto depends(const Number& left, const Number& whole) const {
    return (left <= data.rank_tolerance * whole) & (whole <= largest_double);
  }
  /// C^T = Q [R1; 0]. Returns 1 where a row depends on those before it. R1(i, j) is left in V(j,
  /// i), i < j.
  KOKKOS_FUNCTION Number factor_constraints(Number& probe) const {
    Number dependent = number<Number>(0.0);
    const auto C = array(data.C, static_cast<std::ptrdiff_t>(c) * n);
    for (int j = 0; j < c; ++j) {
      const Numbers vj = V.from(j * n);
      C.read(static_cast<std::ptrdiff_t>(j) * n, n, vj, 1);
      for (int i = 0; i < j; ++i) reflect(i, vj);
      Number above = number<Number>(0.0), below = number<Number>(0.0);
      for (int l = 0; l < j; ++l) above += vj.get(l) * vj.get(l);
      for (int l = j + 1; l < n; ++l) below += vj.get(l) * vj.get(l);
      const Reflection<Number> H(vj.get(j), below);
      const Number whole = root(above + H.norm * H.norm);
      dependent = depends(H.norm, whole) ? number<Number>(1.0) : dependent;
      probe += 0.0 * whole;
      vj.set(j, H.first);
      inverse_h.set(j, H.inverse_h);
      inverse_R1.set(j, 1.0 / H.beta);
    }
    return dependent;
  }
  /// R1^T v = v, in place.
  KOKKOS_FUNCTION void solve_R1_transposed(const Numbers& v) const {
    for (int j = 0; j < c; ++j) {
      Number sum = v.get(j);
      for (int i = 0; i < j; ++i) sum -= V.get(j * n + i) * v.get(i);
      v.set(j, sum * inverse_R1.get(j));
    }
  }
  /// R1 out = v; v may be out.
  KOKKOS_FUNCTION void solve_R1(const Numbers& v, const Numbers& out) const {
    for (int j = c - 1; j >= 0; --j) {
      Number sum = v.get(j);
      for (int i = j + 1; i < c; ++i) sum -= V.get(i * n + j) * out.get(i);
      out.set(j, sum * inverse_R1.get(j));
    }
  }

  /// Rows [row, row + block) of [Phi d] into A, column after column; zeros past the last.
  KOKKOS_FUNCTION int read_rows(int row) const {
    const int rows = data.m - row < block ? data.m - row : block;
    const auto Phi = array(data.Phi, static_cast<std::ptrdiff_t>(data.m) * n);
    for (int i = 0; i < rows; ++i)
      Phi.read(static_cast<std::ptrdiff_t>(row + i) * n, n, A.from(i), pitch);
    array(data.d, data.m).read(row, rows, A.from(n * pitch), 1);
    const Number zero = number<Number>(0.0);
    for (int i = rows; i < block; ++i)
      for (int l = 0; l <= n; ++l) A.set(l * pitch + i, zero);
    return rows;
  }

  /// Phi Q for the rows in A.
  [[gnu::noinline]] KOKKOS_FUNCTION void rows_to_basis() const {
    for (int j = 0; j < c; ++j) {
      const Numbers vj = V.from(j * n);
      Number sum[block];
#pragma GCC unroll 16
      for (int i = 0; i < block; ++i) sum[i] = number<Number>(0.0);
      for (int l = j; l < n; ++l) {
        const Number v = vj.get(l);
#pragma GCC unroll 16
        for (int i = 0; i < block; ++i) sum[i] += A.get(l * pitch + i) * v;
      }
      const Number h = inverse_h.get(j);
#pragma GCC unroll 16
      for (int i = 0; i < block; ++i) sum[i] *= h;
      for (int l = j; l < n; ++l) {
        const Number v = vj.get(l);
#pragma GCC unroll 16
        for (int i = 0; i < block; ++i) A.set(l * pitch + i, A.get(l * pitch + i) - sum[i] * v);
      }
    }
  }

  /// d - Phi Q1 y1, y1 the first c of `v`.
  KOKKOS_FUNCTION void subtract_constrained_part(const Numbers& v) const {
    for (int l = 0; l < c; ++l) {
      const Number y1 = v.get(l);
      for (int i = 0; i < block; ++i)
        A.set(n * pitch + i, A.get(n * pitch + i) - A.get(l * pitch + i) * y1);
    }
  }

  /// Reflections that bring [R2 z; rows of A] to [R2 z; 0 *]. The top of a column below its
  /// diagonal is zero, so reflection k consists of row k of R2 and of the rows in A: v stays in
  /// registers. The next reflection's root and quotient are under way while this one goes through
  /// the other columns.
  [[gnu::noinline]] KOKKOS_FUNCTION void eliminate_rows() const {
    if (p == 0) return;
    Numbers R = R2, column = A.from(c * pitch);
    Number v[block];
#pragma GCC unroll 16
    for (int i = 0; i < block; ++i) v[i] = column.get(i);
    Reflection<Number> H(R.get(0), sum_of_squares(v));
    const int columns = p;
    for (int k = 0; k < columns; ++k) {
      const int others = columns - k;  // z is the last
      R.set(0, H.beta);
      Number next[block];
      reflect_column(H, v, R.from(1), column.from(pitch), next);
      const Numbers R_next = R.from(others + 1);
      const Reflection<Number> H_next(k + 1 < columns ? R_next.get(0) : number<Number>(1.0),
                                      sum_of_squares(next));
      for (int j = 2; j <= others; ++j) {
        Number unused[block];
        reflect_column(H, v, R.from(j), column.from(j * pitch), unused);
      }
      H = H_next;
      R = R_next;
      column = column.from(pitch);
#pragma GCC unroll 16
      for (int i = 0; i < block; ++i) v[i] = next[i];
    }
  }
  KOKKOS_FORCEINLINE_FUNCTION static Number sum_of_squares(const Number* v) {
    Number even = v[0] * v[0], odd = v[1] * v[1];
#pragma GCC unroll 16
    for (int i = 2; i < block; i += 2) {
      even += v[i] * v[i];
      odd += v[i + 1] * v[i + 1];
    }
    return even + odd;
  }
  /// (top, a) -= (first, v) times their product over h; the new a is in `after` too.
  KOKKOS_FORCEINLINE_FUNCTION static void reflect_column(const Reflection<Number>& H,
                                                         const Number* v, const Numbers& top,
                                                         const Numbers& a, Number* after) {
    const Number above = top.get(0);
    Number sum = H.first * above, other = number<Number>(0.0);
#pragma GCC unroll 16
    for (int i = 0; i < block; i += 2) {
      sum += v[i] * a.get(i);
      other += v[i + 1] * a.get(i + 1);
    }
    sum = (sum + other) * H.inverse_h;
    top.set(0, above - sum * H.first);
#pragma GCC unroll 16
    for (int i = 0; i < block; ++i) {
      after[i] = a.get(i) - sum * v[i];
      a.set(i, after[i]);
    }
  }

  /// v += Phi^T (d - Phi w) for the rows in A.
  [[gnu::noinline]] KOKKOS_FUNCTION void add_misfit_gradient(const Numbers& w,
                                                             const Numbers& v) const {
    Number r[block];
#pragma GCC unroll 16
    for (int i = 0; i < block; ++i) r[i] = A.get(n * pitch + i);
    for (int l = 0; l < n; ++l) {
      const Number wl = w.get(l);
#pragma GCC unroll 16
      for (int i = 0; i < block; ++i) r[i] -= A.get(l * pitch + i) * wl;
    }
    for (int l = 0; l < n; ++l) {
      Number sum = v.get(l);
#pragma GCC unroll 16
      for (int i = 0; i < block; ++i) sum += A.get(l * pitch + i) * r[i];
      v.set(l, sum);
    }
  }

  /// Start of [R2 z]: sqrt(lambda) [I, Q2^T w0].
  KOKKOS_FUNCTION void start_triangle(const Number& scale) const {
    const auto w0 = array(data.w0, n);
    if (w0) {
      w0.read(0, n, z, 1);
      to_basis(z);
    }
    const Number zero = number<Number>(0.0);
    Numbers R = R2;
    for (int k = 0; k < p; ++k) {
      R.set(0, scale);
      for (int j = 1; j < p - k; ++j) R.set(j, zero);
      R.set(p - k, w0 ? Number(scale * z.get(c + k)) : zero);
      R = R.from(p - k + 1);
    }
  }
  /// R2 v2 = z by substitution, v2 at v + c. Returns 1 where a column depends on those before it.
  KOKKOS_FUNCTION Number substitute(const Numbers& v, Number& probe) const {
    Number deficient = number<Number>(0.0);
    for (int k = 0; k < p; ++k) {
      Number above = number<Number>(0.0);
      for (int i = 0; i < k; ++i) {
        const Number r = R2.get(row_of(i) + k - i);
        above += r * r;
      }
      const Number diagonal = R2.get(row_of(k));
      const Number whole = root(above + diagonal * diagonal);
      const Number size = diagonal >= 0.0 ? diagonal : Number(-diagonal);
      deficient = depends(size, whole) ? number<Number>(1.0) : deficient;
      probe += 0.0 * whole;
    }
    for (int k = p - 1; k >= 0; --k) {
      const Numbers R = R2.from(row_of(k));
      Number sum = R.get(p - k);
      for (int j = 1; j < p - k; ++j) sum -= R.get(j) * v.get(c + k + j);
      v.set(c + k, sum / R.get(0));
    }
    return deficient;
  }
  KOKKOS_FUNCTION int row_of(int k) const {
    return k * (p + 1) - k * (k - 1) / 2;
  }
  /// R2^T R2 v2 = v2 in place, v2 at v + c.
  KOKKOS_FUNCTION void solve_normal(const Numbers& v) const {
    for (int k = 0; k < p; ++k) {
      const Numbers R = R2.from(row_of(k));
      const Number u = v.get(c + k) / R.get(0);
      v.set(c + k, u);
      for (int j = 1; j < p - k; ++j) v.set(c + k + j, v.get(c + k + j) - R.get(j) * u);
    }
    for (int k = p - 1; k >= 0; --k) {
      const Numbers R = R2.from(row_of(k));
      Number sum = v.get(c + k);
      for (int j = 1; j < p - k; ++j) sum -= R.get(j) * v.get(c + k + j);
      v.set(c + k, sum / R.get(0));
    }
  }

  /// y = Q^T (Phi^T (d - Phi w) - lambda (w - w0)) at w in x; the largest of its last p entries.
  KOKKOS_FUNCTION Number stationarity(const Number& lambda) const {
    const auto w0 = array(data.w0, n);
    for (int l = 0; l < n; ++l) y.set(l, -lambda * (w0 ? Number(x.get(l) - w0.get(l)) : x.get(l)));
    for (int row = 0; row < data.m; row += block) {
      read_rows(row);
      add_misfit_gradient(x, y);
    }
    to_basis(y);
    Number largest = number<Number>(0.0);
    for (int l = c; l < n; ++l) largest = larger(largest, y.get(l));
    return largest;
  }
  /// max |C w - e| at w in x. Overwrites A.
  KOKKOS_FUNCTION Number violation() const {
    const auto C = array(data.C, static_cast<std::ptrdiff_t>(c) * n);
    const auto e = array(data.e, c);
    Number largest = number<Number>(0.0);
    for (int j = 0; j < c; ++j) {
      C.read(static_cast<std::ptrdiff_t>(j) * n, n, A, 1);
      Number sum = -e.get(j);
      for (int l = 0; l < n; ++l) sum += A.get(l) * x.get(l);
      largest = larger(largest, sum);
    }
    return largest;
  }
  KOKKOS_FUNCTION static Number larger(const Number& a, const Number& b) {
    const Number size = b >= 0.0 ? b : Number(-b);
    return size > a ? size : a;
  }

  KOKKOS_FUNCTION void solve() const {
    const Number zero = number<Number>(0.0), one = number<Number>(1.0);
    Number probe = zero;  // 0, or NaN once something is not finite
    const Number lambda = array(data.lambda, 1).get(0);
    const Number dependent = factor_constraints(probe);
    if (c > 0) array(data.e, c).read(0, c, x, 1);
    solve_R1_transposed(x);
    start_triangle(root(lambda));
    for (int row = 0; row < data.m; row += block) {
      read_rows(row);
      rows_to_basis();
      subtract_constrained_part(x);
      eliminate_rows();
    }
    const Number deficient = substitute(x, probe);
    from_basis(x);
    const Number gradient = stationarity(lambda);
    solve_R1(y, s);
    const Number infeasible = violation();
    probe += 0.0 * gradient + 0.0 * infeasible;
    for (int l = 0; l < n; ++l) probe += 0.0 * x.get(l) + 0.0 * y.get(l);
    for (int j = 0; j < c; ++j) probe += 0.0 * s.get(j);
    Number status = probe == 0.0 ? zero : Number(3.0 * one);
    status = deficient > 0.0 ? one : status;
    status = dependent > 0.0 ? Number(2.0 * one) : status;
    const Number nan = zero / zero;
    const auto masked = [&](const Number& v) { return Number(status > 0.0 ? nan : v); };
    for (int l = 0; l < n; ++l) x.set(l, masked(x.get(l)));
    for (int j = 0; j < c; ++j) s.set(j, masked(s.get(j)));
    array(data.w, n).write(0, n, x, 1);
    if (c > 0) array(data.mu, c).write(0, c, s, 1);
    array(data.stationarity, 1).set(0, masked(gradient));
    array(data.violation, 1).set(0, masked(infeasible));
    array(data.status, 1).set(0, status);
  }

  KOKKOS_FUNCTION void measure() const {
    Number unused = number<Number>(0.0);
    (void)factor_constraints(unused);
    array(data.at, n).read(0, n, x, 1);
    array(data.stationarity, 1).set(0, stationarity(array(data.lambda, 1).get(0)));
    array(data.violation, 1).set(0, violation());
  }

  /// t_i = Phi a, y += Phi^T t and, in place of the rows in A, r a^T - t w^T; a in z, w in x.
  [[gnu::noinline]] KOKKOS_FUNCTION void differentiate_rows(int row, int rows) const {
    Number r[block], ta[block];
#pragma GCC unroll 16
    for (int i = 0; i < block; ++i) {
      r[i] = A.get(n * pitch + i);
      ta[i] = number<Number>(0.0);
    }
    for (int l = 0; l < n; ++l) {
      const Number w = x.get(l), a = z.get(l);
#pragma GCC unroll 16
      for (int i = 0; i < block; ++i) {
        const Number phi = A.get(l * pitch + i);
        r[i] -= phi * w;
        ta[i] += phi * a;
      }
    }
    for (int l = 0; l < n; ++l) {
      const Number w = x.get(l), a = z.get(l);
      Number sum = y.get(l);
#pragma GCC unroll 16
      for (int i = 0; i < block; ++i) {
        sum += A.get(l * pitch + i) * ta[i];
        A.set(l * pitch + i, r[i] * a - ta[i] * w);
      }
      y.set(l, sum);
    }
    const auto dPhi = array(data.dPhi, static_cast<std::ptrdiff_t>(data.m) * n);
    if (dPhi)
      for (int i = 0; i < rows; ++i)
        dPhi.write(static_cast<std::ptrdiff_t>(row + i) * n, n, A.from(i), pitch);
    if (data.dd != nullptr) {
      const auto dd = array(data.dd, data.m);
      for (int i = 0; i < rows; ++i) dd.set(row + i, ta[i]);
    }
  }

  /// z = a = Q [0; a2], R2^T R2 a2 = Q2^T g.
  KOKKOS_FUNCTION void directions() const {
    const Number zero = number<Number>(0.0);
    const Number status = array(data.status, 1).get(0);
    array(data.g, n).read(0, n, z, 1);
    to_basis(z);
    solve_normal(z);
    for (int l = 0; l < c; ++l) z.set(l, zero);
    from_basis(z);
    const Number nan = zero / zero;
    for (int l = 0; l < n; ++l) z.set(l, status > 0.0 ? nan : z.get(l));
  }
  KOKKOS_FUNCTION void invert() const {
    directions();
    array(data.a, n).write(0, n, z, 1);
  }

  KOKKOS_FUNCTION void adjoint() const {
    const Number zero = number<Number>(0.0);
    const Number lambda = array(data.lambda, 1).get(0);
    const auto g = array(data.g, n);
    array(data.w, n).read(0, n, x, 1);
    directions();
    for (int l = 0; l < n; ++l) y.set(l, lambda * z.get(l));
    for (int row = 0; row < data.m; row += block) differentiate_rows(row, read_rows(row));
    // R1 b = Q1^T (g - H a)
    for (int l = 0; l < n; ++l) y.set(l, g.get(l) - y.get(l));
    to_basis(y);
    solve_R1(y, s);
    if (c > 0) {
      array(data.mu, c).read(0, c, t, 1);
      const auto dC = array(data.dC, static_cast<std::ptrdiff_t>(c) * n);
      if (dC)
        for (int j = 0; j < c; ++j) {
          const Number mu = t.get(j), b = s.get(j);
          for (int l = 0; l < n; ++l) A.set(l, -mu * z.get(l) - b * x.get(l));
          dC.write(static_cast<std::ptrdiff_t>(j) * n, n, A, 1);
        }
      const auto de = array(data.de, c);
      if (de) de.write(0, c, s, 1);
    }
    const auto w0 = array(data.w0, n);
    if (data.dlambda != nullptr) {
      Number sum = zero;
      for (int l = 0; l < n; ++l) sum -= z.get(l) * (w0 ? Number(x.get(l) - w0.get(l)) : x.get(l));
      array(data.dlambda, 1).set(0, sum);
    }
    if (data.dw0 != nullptr) {
      for (int l = 0; l < n; ++l) A.set(l, lambda * z.get(l));
      array(data.dw0, n).write(0, n, A, 1);
    }
  }
};

}  // namespace libsolve::detail
