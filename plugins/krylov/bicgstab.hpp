#pragma once

#include "krylov_solver.hpp"

namespace krylov {

struct BicgstabOptions : KrylovOptions {
  static void describe(Fields<BicgstabOptions>& f) { describe_common(f); }
};

/// BiCGStab (van der Vorst 1992), for square A of any kind, preconditioned from the right, so that
/// its residual is that of A x = b:
///   p = r + beta (p - omega v),  p^ = M p,  v = A p^,  alpha = rho / r0^T v,
///   s = r - alpha v,  s^ = M s,  t = A s^,  omega = t^T s / t^T t,
///   x += alpha p^ + omega s^,  r = s - omega t,  rho = r0^T r,
///   beta = (rho / rho_old)(alpha / omega).
/// Two products and two M a step, storage of 8 vectors whatever the number of steps. No residual
/// norm is minimised: it may jump. Where rho, r0^T v or omega vanish it starts again from the true
/// residual with a new r0, a limited number of times.
class Bicgstab final : public KrylovSolver {
 public:
  using Options = BicgstabOptions;
  Bicgstab(const Options& options, const Context& context);

 protected:
  void allocate(const LinearSystem& system) override;
  double work_bytes() const override;
  Stop iterate(Solve& s) override;

 private:
  Vector shadow_, p_, v_, t_, p_hat_, s_hat_;
};

}  // namespace krylov
