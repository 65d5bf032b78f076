/// \file
/// Many small constrained least-squares problems of one shape, solved and differentiated in one
/// launch.
#pragma once

#include <libsolve/core/export.hpp>
#include <libsolve/core/types.hpp>

namespace libsolve {

/// Sizes of the problems of a batch.
struct LeastSquaresShape {
  int problems = 0;
  int rows = 0;         ///< m of Phi, >= 0
  int unknowns = 0;     ///< n, >= 1
  int constraints = 0;  ///< c, 0 <= c <= n
};

/// What became of one problem.
enum class LeastSquaresStatus : int {
  solved = 0,
  rank_deficient = 1,         ///< a column of Phi restricted to C w = e depends on those before it
  dependent_constraints = 2,  ///< a row of C depends on those before it
  non_finite = 3              ///< data, or numbers on the way, that are not finite
};

/// Arrays of a batch on `Exec`'s memory: problem first, rows without gaps.
template <class Exec>
struct BatchArrays {
  using Space = typename Exec::memory_space;
  template <class T>
  using Matrix = Kokkos::View<T***, Kokkos::LayoutRight, Space>;
  template <class T>
  using Vector = Kokkos::View<T**, Kokkos::LayoutRight, Space>;
  template <class T>
  using Scalar = Kokkos::View<T*, Space>;
};

/// For each of B problems
///   min_w 1/2 |Phi w - d|^2 + lambda/2 |w - w0|^2   subject to   C w = e.
/// Phi: B x m x n; d: B x m; C: B x c x n; e: B x c (both may be empty where c = 0); lambda: B, >=
/// 0; w0: B x n, or empty for 0. `active`: B, problems with 0 are left alone; empty: all are
/// solved. Units are the caller's. lambda = 0 asks for a Phi of full rank on the null space of C.
template <class Exec>
struct LeastSquaresBatch {
  using Arrays = BatchArrays<Exec>;
  typename Arrays::template Matrix<const double> Phi;
  typename Arrays::template Vector<const double> d;
  typename Arrays::template Matrix<const double> C;
  typename Arrays::template Vector<const double> e;
  typename Arrays::template Scalar<const double> lambda;
  typename Arrays::template Vector<const double> w0;
  typename Arrays::template Scalar<const int> active;
};

/// Phi^T (Phi w - d) + lambda (w - w0) + C^T mu = 0,  C w = e.
/// The arrays are the caller's, those of a flagged problem become NaN. `stationarity` is the
/// largest component of Z^T (Phi^T (Phi w - d) + lambda (w - w0)), the columns of Z an orthonormal
/// basis of the null space of C; `violation` the largest |C w - e|. Both are recomputed from the
/// data.
template <class Exec>
struct LeastSquaresSolution {
  using Arrays = BatchArrays<Exec>;
  typename Arrays::template Vector<double> w;             ///< B x n
  typename Arrays::template Vector<double> mu;            ///< B x c
  typename Arrays::template Scalar<double> stationarity;  ///< B
  typename Arrays::template Scalar<double> violation;     ///< B
  typename Arrays::template Scalar<int> status;           ///< B, a LeastSquaresStatus

  LeastSquaresSolution() = default;
  /// All arrays, of the sizes of a shape.
  explicit LeastSquaresSolution(const LeastSquaresShape& shape);
};

/// Derivatives of a number L with respect to a batch's data. Empty arrays are not computed.
template <class Exec>
struct LeastSquaresGradient {
  using Arrays = BatchArrays<Exec>;
  typename Arrays::template Matrix<double> Phi;     ///< B x m x n
  typename Arrays::template Vector<double> d;       ///< B x m
  typename Arrays::template Matrix<double> C;       ///< B x c x n
  typename Arrays::template Vector<double> e;       ///< B x c
  typename Arrays::template Scalar<double> lambda;  ///< B
  typename Arrays::template Vector<double> w0;      ///< B x n

  LeastSquaresGradient() = default;
  /// All arrays, of the sizes of a shape.
  explicit LeastSquaresGradient(const LeastSquaresShape& shape);
};

/// Solves the problems of a batch by the null-space method with Householder reflections (Golub, Van
/// Loan, Matrix Computations, section 6.2.3): C^T = Q [R1; 0], w = Q [y1; y2], R1^T y1 = e, then
/// the triangle R2 of [sqrt(lambda) I; Phi Q2]; so the error goes with the condition of Phi, not
/// with its square. Phi is read a few rows at a time, R2 on top of them; W problems lie in the
/// lanes of a SIMD register on the host, each on a thread of a device. The factors are kept for the
/// adjoint.
///
/// A problem is flagged where |R_kk| <= rank_tolerance |column k of R|, the sine of the angle
/// between a column and those before it (there is no pivoting: a matrix may be close to singular
/// without such an angle), and where something is not finite. Entries should lie between 1e-150 and
/// 1e150, since norms are sums of squares. Results do not depend on the number of threads.
///
/// Work a problem: 2 c^2 (n - c/3) + m (4 n c - 2 c^2) + 2 m (n - c)^2 + 4 m n operations; memory a
/// problem: n c + 2 c + (n - c)(n - c + 3)/2 doubles. Instantiated for every execution space that
/// is switched on.
template <class Exec = ExecSpace>
class LIBSOLVE_EXPORT BatchedLeastSquares {
 public:
  using Batch = LeastSquaresBatch<Exec>;
  using Solution = LeastSquaresSolution<Exec>;
  using Gradient = LeastSquaresGradient<Exec>;
  using ConstVectors = typename BatchArrays<Exec>::template Vector<const double>;
  using Vectors = typename BatchArrays<Exec>::template Vector<double>;
  static constexpr double default_rank_tolerance = 1e-13;

  /// Throws ShapeError for a shape that is none.
  explicit BatchedLeastSquares(const Exec& exec, const LeastSquaresShape& shape,
                               double rank_tolerance = default_rank_tolerance);

  const LeastSquaresShape& shape() const { return shape_; }

  /// Solves the active problems and keeps their factors. Returns how many were flagged (waits).
  /// Throws ShapeError where an array does not have the shape's sizes.
  int solve(const Batch& batch, const Solution& out);

  /// `stationarity` and `violation` of the active problems at any points `w` (B x n). Overwrites Q
  /// of the factors: no adjoint() of the last solve may follow where C is another. Asynchronous.
  void measure(const Batch& batch, const ConstVectors& w, const Solution& out);

  /// The implicit function theorem: given g = dL/dw (B x n), with the factors of the last solve,
  ///   [H C^T; C 0] [a; b] = [g; 0],   H = Phi^T Phi + lambda I,   r = d - Phi w,
  ///   dL/dPhi = r a^T - (Phi a) w^T,   dL/dd = Phi a,         dL/dC = -mu a^T - b w^T,   dL/de =
  ///   b, dL/dlambda = -a^T (w - w0),      dL/dw0 = lambda a.
  /// `batch` and `solution` must be those of the last solve; problems that are not active are left
  /// alone, the derivatives of flagged ones are NaN. Asynchronous.
  void adjoint(const Batch& batch, const Solution& solution, const ConstVectors& g,
               const Gradient& out) const;

  /// a = Z (Z^T H Z)^-1 Z^T g (both B x n) alone, under the same rules.
  void invert(const Batch& batch, const Solution& solution, const ConstVectors& g,
              const Vectors& a) const;

 private:
  void check(const Batch& batch) const;

  Exec exec_;
  LeastSquaresShape shape_;
  double rank_tolerance_;
  typename BatchArrays<Exec>::template Scalar<double> factors_;
};

#ifdef KOKKOS_ENABLE_SERIAL
extern template class LIBSOLVE_EXPORT BatchedLeastSquares<Kokkos::Serial>;
#endif
#ifdef KOKKOS_ENABLE_OPENMP
extern template class LIBSOLVE_EXPORT BatchedLeastSquares<Kokkos::OpenMP>;
#endif
#ifdef KOKKOS_ENABLE_CUDA
extern template class LIBSOLVE_EXPORT BatchedLeastSquares<Kokkos::Cuda>;
#endif
#ifdef KOKKOS_ENABLE_HIP
extern template class LIBSOLVE_EXPORT BatchedLeastSquares<Kokkos::HIP>;
#endif

template <class Exec>
LeastSquaresSolution<Exec>::LeastSquaresSolution(const LeastSquaresShape& s)
    : w("linear::w", s.problems, s.unknowns),
      mu("linear::mu", s.problems, s.constraints),
      stationarity("linear::stationarity", s.problems),
      violation("linear::violation", s.problems),
      status("linear::status", s.problems) {}

template <class Exec>
LeastSquaresGradient<Exec>::LeastSquaresGradient(const LeastSquaresShape& s)
    : Phi("linear::dPhi", s.problems, s.rows, s.unknowns),
      d("linear::dd", s.problems, s.rows),
      C("linear::dC", s.problems, s.constraints, s.unknowns),
      e("linear::de", s.problems, s.constraints),
      lambda("linear::dlambda", s.problems),
      w0("linear::dw0", s.problems, s.unknowns) {}

}  // namespace libsolve
