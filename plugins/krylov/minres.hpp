#pragma once

#include "krylov_solver.hpp"

namespace krylov {

struct MinresOptions : KrylovOptions {
  static void describe(Fields<MinresOptions>& f) { describe_common(f); }
};

/// Minimal residuals (Paige and Saunders 1975) for symmetric A, definite or not, with symmetric
/// positive definite M. Lanczos with M, unnormalised vectors v and z = M v, gamma^2 = v^T z:
///   delta = z^T A z / gamma^2,
///   v_new = A z / gamma - (delta / gamma) v - (gamma / gamma_old) v_old,
/// Givens rotations (c, s) of the tridiagonal matrix, then
///   w_new = (z / gamma - a3 w_old - a2 w) / a1,  x += c eta w_new,  eta = -s eta.
/// |eta| is the M-norm of the residual, which it minimises. The 2-norm that decides is |eta|
/// without M; with M the residual follows from
///   r = s^2 r + (c eta / gamma_new) v_new,
/// one pass more. Storage: v, v_old, w, w_old, q = A z, and z twice and r with M. Cost: one
/// product, one M, 10 doubles a row beyond them (15 with M).
class Minres final : public KrylovSolver {
 public:
  using Options = MinresOptions;
  Minres(const Options& options, const Context& context);

 protected:
  std::optional<Stop> check(const LinearSystem& system) const override;
  void allocate(const LinearSystem& system) override;
  double work_bytes() const override;
  Stop iterate(Solve& s) override;
  bool needs_symmetric() const override { return true; }

 private:
  Vector v_, v_old_, w_, w_old_, q_, z_, z_new_;
};

}  // namespace krylov
