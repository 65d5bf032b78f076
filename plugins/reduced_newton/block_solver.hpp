#pragma once

#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/pde/log_diffusion.hpp>
#include <libsolve/plugin/registry.hpp>
#include <vector>

#include "solve_counts.hpp"

namespace reduced_newton {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// A(m) x_s = b_s for several s by flexible conjugate gradients (Notay, SIAM J. Sci. Comput. 22, 2000),
/// side by side: A is read once a step for all of them. The preconditioner, by name, is that of the
/// stencil; where walls are insulated it acts on what has mean 0: A maps constants to themselves, so
/// that the mean of x is that of b.
class BlockSolver {
 public:
  BlockSolver(const ComponentSpec& preconditioner, const Context& context, int functions,
              const LogDiffusion& shape, SolveCounts& counts);
  /// A outlives the solves.
  void setup(const LogDiffusion& A);
  /// From the x given until |b_s - A x_s| <= tolerance |b_s| for all s. Returns the largest
  /// |b_s - A x_s| / |b_s| left: above `tolerance` where 200 steps did not do.
  double solve(const Vector& b, const Vector& x, double tolerance);

 private:
  const LogDiffusion* A_ = nullptr;
  std::unique_ptr<Preconditioner> M_;
  int functions_;
  Partition cells_;
  SolveCounts& counts_;
  Vector r_, z_, p_, q_;
  std::vector<Vector> r_s_, z_s_, p_s_, q_s_;
};

/// Function s of a block, which lie over the ranks as `cells` says.
Vector part(const Vector& block, int s, const Partition& cells);

}  // namespace reduced_newton
