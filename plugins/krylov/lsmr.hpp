#pragma once

#include "krylov_solver.hpp"

namespace krylov {

struct LsmrOptions {
  StoppingCriteria stopping;
  double damping = 0.0;

  static void describe(Fields<LsmrOptions>& f) {
    f.add_group(&LsmrOptions::stopping);
    f.add("damping", &LsmrOptions::damping, Range::at_least(0.0),
          "d in min ||b - A x||^2 + d^2 ||x||^2");
  }
};

/// LSMR (Fong and Saunders 2011): min ||b - A x||^2 + damping^2 ||x||^2 for A of any shape, with
/// products by A and A^T. Golub-Kahan bidiagonalisation
///   beta u = A v - alpha u,   alpha v = A^T u - beta v,
/// two rotations of the bidiagonal matrix, and
///   hbar = h - (thetabar rho / (rho_old rhobar_old)) hbar,  x += (zeta / (rho rhobar)) hbar,
///   h = v - (theta / rho) h,
/// which is MINRES on A^T A x = A^T b: ||A^T r|| falls from step to step. Storage: u, A v (rows),
/// v, A^T u, h, hbar (columns).
/// Converged when ||r|| meets the tolerance (b in the range of A), or when the gradient does:
///   ||A^T r - damping^2 x|| <= relative_tolerance ||A||_F ||r||  (r with the damping rows),
/// both recomputed; ||A||_F is estimated from the bidiagonal matrix.
class Lsmr final : public KrylovSolver {
 public:
  using Options = LsmrOptions;
  Lsmr(const Options& options, const Context& context);

 protected:
  std::optional<Stop> check(const LinearSystem& system) const override;
  void allocate(const LinearSystem& system) override;
  double work_bytes() const override;
  void begin(Solve& s) override;
  Stop iterate(Solve& s) override;
  bool is_solved(Solve& s, double residual_norm, std::vector<Measure>& measures) override;
  bool takes_rectangular() const override { return true; }

 private:
  const double damping_;
  double A_norm_ = 0.0;  ///< Frobenius norm of the bidiagonal matrix, at least that of one step
  Vector u_, Av_, v_, Atu_, h_, hbar_;
};

}  // namespace krylov
