/// \file
/// Many small nonlinear least-squares problems of one shape with linear constraints.
#pragma once

#include <functional>
#include <libsolve/linear/batched_least_squares.hpp>

namespace libsolve {

/// For each of B problems
///   min_w 1/2 |r(w)|^2 + lambda/2 |w - w0|^2   subject to   C w = e.
/// Arrays as in LeastSquaresBatch; C, e and w0 may be empty.
template <class Exec>
struct NonlinearLeastSquaresBatch {
  using Arrays = BatchArrays<Exec>;
  /// r (B x m) and, unless `J` is empty, J = dr/dw (B x m x n) at w (B x n) for the problems whose
  /// `active` (B) is not 0; entries of the others must be left alone. May be asynchronous on the
  /// solver's execution space. A residual that is not finite makes a step shorter.
  using Evaluate = std::function<void(const typename Arrays::template Vector<const double>& w,
                                      const typename Arrays::template Scalar<const int>& active,
                                      const typename Arrays::template Vector<double>& r,
                                      const typename Arrays::template Matrix<double>& J)>;
  Evaluate evaluate;
  /// out = sum_i r_i r_i''(w) v (B x n each), for the exact adjoint(); may be empty.
  using Curvature = std::function<void(const typename Arrays::template Vector<const double>& w,
                                       const typename Arrays::template Vector<const double>& v,
                                       const typename Arrays::template Scalar<const int>& active,
                                       const typename Arrays::template Vector<double>& out)>;
  Curvature curvature;
  typename Arrays::template Matrix<const double> C;
  typename Arrays::template Vector<const double> e;
  typename Arrays::template Scalar<const double> lambda;
  typename Arrays::template Vector<const double> w0;
};

struct LevenbergMarquardtOptions {
  /// A problem has converged where the largest component of Z^T (J^T r + lambda (w - w0)), Z an
  /// orthonormal basis of the null space of C, is at most
  ///   max(absolute_tolerance, relative_tolerance * its value at the feasible start).
  double relative_tolerance = 1e-10;
  double absolute_tolerance = 1e-14;  ///< in units of r^2 / w
  int max_iterations = 100;           ///< steps tried, >= 0
  double initial_damping = 1e-3;      ///< nu at the start over the largest |J_k|^2 + lambda, > 0
};

enum class LevenbergMarquardtStatus : int {
  converged = 0,
  max_iterations = 1,
  stagnated = 2,             ///< no step, however short, lowers the function further
  non_finite = 3,            ///< data, r at the start or J at a point reached are not finite
  dependent_constraints = 4  ///< as LeastSquaresStatus has it
};

/// Gauss-Newton steps with the damping of Nielsen (Damping parameter in Marquardt's method,
/// IMM-REP-1999-05; Madsen, Nielsen, Tingleff, Methods for non-linear least squares problems, 2004,
/// algorithm 3.16) for all problems of a batch at once; each has its own damping nu and stops by
/// itself:
///   v = argmin 1/2 |r + J (v - w)|^2 + lambda/2 |v - w0|^2 + nu/2 |v - w|^2,  C v = e,
/// one BatchedLeastSquares a step. The start is first moved to the nearest point with C w = e.
/// Problems that have stopped cost nothing but their lanes. Memory: B m n doubles and O(B (m +
/// n)).
template <class Exec = ExecSpace>
class LIBSOLVE_EXPORT BatchedLevenbergMarquardt {
 public:
  using Arrays = BatchArrays<Exec>;
  using Batch = NonlinearLeastSquaresBatch<Exec>;
  using Vectors = typename Arrays::template Vector<double>;

  /// Throws ShapeError for a shape that is none.
  BatchedLevenbergMarquardt(const Exec& exec, const LeastSquaresShape& shape);

  /// From the start `w` (B x n) to the solutions, in place. Returns how many did not converge;
  /// those keep the best point found. InputError for options out of range, ShapeError for arrays
  /// that do not fit.
  int solve(const Batch& batch, const LevenbergMarquardtOptions& options, const Vectors& w);

  /// Of the last solve: B each; a LevenbergMarquardtStatus; steps tried; 1/2 |r|^2 + lambda/2 |w -
  /// w0|^2.
  const typename Arrays::template Scalar<int>& status() const { return status_; }
  const typename Arrays::template Scalar<int>& iterations() const { return iterations_; }
  const typename Arrays::template Scalar<double>& value() const { return value_; }
  /// w, mu, stationarity and violation recomputed at w; its `status` is that of the linear problem
  /// there.
  const LeastSquaresSolution<Exec>& solution() const { return solution_; }

  /// Given g = dL/dw (B x n) at the solutions of the last solve,
  ///   [H C^T; C 0] [a; b] = [g; 0],  H = J^T J + lambda I + sum_i r_i r_i'',
  ///   dL/dr = -J a,  dL/dJ = -r a^T,  dL/dC = -mu a^T - b w^T,  dL/de = b,
  ///   dL/dlambda = -a^T (w - w0),  dL/dw0 = lambda a,
  /// where r and J are taken as functions of the problem's parameters at the fixed point w. With
  /// the batch's `curvature` the system is solved by projected conjugate gradients (Gould, Hribar,
  /// Nocedal 2001), at most 2 (n - c) + 10 steps, preconditioned by H without its last term.
  /// Without `curvature` that term is left out, which is exact where it vanishes (residuals zero,
  /// or linear in w). In `out`, `Phi` is dL/dJ and `d` is dL/dr. NaN for problems whose
  /// solution().status is not solved, or whose H is not positive definite on the null space of C:
  /// no strict minimum.
  void adjoint(const Vectors& g, const LeastSquaresGradient<Exec>& out) const;

 private:
  LeastSquaresBatch<Exec> linear(const Batch& batch) const;
  int count(const typename Arrays::template Scalar<int>& flags) const;
  void project(const Batch& batch, const Vectors& w);
  Vectors less_curvature(const Vectors& g) const;

  Exec exec_;
  LeastSquaresShape shape_;
  BatchedLeastSquares<Exec> solver_, projector_;
  LeastSquaresSolution<Exec> solution_, trial_;
  typename Arrays::template Matrix<double> J_, no_matrix_;
  Vectors r_, trial_r_, d_, centre_;
  typename Arrays::template Scalar<double> value_, damping_, growth_, weight_, threshold_;
  typename Arrays::template Scalar<int> active_, moved_, status_, iterations_;
  LeastSquaresBatch<Exec> last_;
  typename Batch::Curvature curvature_;
};

#ifdef KOKKOS_ENABLE_SERIAL
extern template class LIBSOLVE_EXPORT BatchedLevenbergMarquardt<Kokkos::Serial>;
#endif
#ifdef KOKKOS_ENABLE_OPENMP
extern template class LIBSOLVE_EXPORT BatchedLevenbergMarquardt<Kokkos::OpenMP>;
#endif
#ifdef KOKKOS_ENABLE_CUDA
extern template class LIBSOLVE_EXPORT BatchedLevenbergMarquardt<Kokkos::Cuda>;
#endif
#ifdef KOKKOS_ENABLE_HIP
extern template class LIBSOLVE_EXPORT BatchedLevenbergMarquardt<Kokkos::HIP>;
#endif

}  // namespace libsolve
