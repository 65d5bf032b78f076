#pragma once

#include <libsolve/pde/step_solver.hpp>
#include <libsolve/pde/time_scheme.hpp>

namespace libsolve {

/// r(u) = linear u + quadratic u^2 + cubic u^3, point by point: Fisher's equation has
/// (-r, r, 0), Allen and Cahn's (-r, 0, r).
struct CubicReaction {
  double linear = 0.0, quadratic = 0.0, cubic = 0.0;
  KOKKOS_INLINE_FUNCTION double value(double u) const {
    return u * (linear + u * (quadratic + u * cubic));
  }
  KOKKOS_INLINE_FUNCTION double slope(double u) const {
    return linear + u * (2.0 * quadratic + 3.0 * u * cubic);
  }
  KOKKOS_INLINE_FUNCTION double curvature(double u) const { return 2.0 * quadratic + 6.0 * u * cubic; }
  bool is_linear() const { return quadratic == 0.0 && cubic == 0.0; }
};

/// Steps of length dt for u' + A u + r(u) = 0, A symmetric positive semidefinite:
///   (I + theta dt A) u_{n+1} = (I - (1 - theta) dt A) u_n - dt r(u_n).
/// theta = 1 is the implicit Euler scheme (first order, damps all modes), theta = 1/2 that of Crank and
/// Nicolson (second order without r; hardly damps modes with dt lambda >> 1); the reaction is
/// explicit, so that each step is one linear system, also of the tangent and the adjoint: with
/// B = I + theta dt A,
///   p_n = (I - (1 - theta) dt A - dt r'(u_n)) B^-1 p_{n+1}.
/// Systems start from the last state (or tangent, adjoint).
class LIBSOLVE_EXPORT ThetaScheme final : public TimeScheme {
 public:
  struct Counts {
    std::int64_t state = 0, adjoint = 0, incremental = 0;  ///< systems solved = time steps
    std::int64_t iterations = 0;                           ///< of the linear solver
    std::int64_t failures = 0;                             ///< systems not solved: NaN
  };
  /// A and B symmetric of one partition, else ShapeError; B = I + theta dt A, in the form that `solver`
  /// wants. The solver's own tolerance is what derivatives are exact to. A solve that ends with a
  /// relative residual above `accepted` gives NaN.
  ThetaScheme(std::shared_ptr<const LinearOperator> A, std::shared_ptr<const LinearOperator> B,
              std::shared_ptr<LinearSolver> solver, double theta, double dt, int num_steps,
              const CubicReaction& reaction = {}, double accepted = 1e-10);

  const Partition& partition() const override { return B_->row_partition(); }
  int num_steps() const override { return num_steps_; }
  bool is_linear() const override { return reaction_.is_linear(); }
  double time_step() const noexcept { return dt_; }
  const Counts& counts() const noexcept { return counts_; }
  const StepSolver& step_solver() const noexcept { return solver_; }

  void step(int n, const Vector& u, const Vector& next) override;
  void tangent(int n, const Vector& u, const Vector& v, const Vector& next) override;
  void adjoint(int n, const Vector& u, const Vector& p, const Vector& before) override;
  void second_adjoint(int n, const Vector& u, const Vector& v, const Vector& p, const Vector& w,
                      const Vector& p_before, const Vector& w_before) override;

 private:
  /// x = B^-1 rhs_, from the x given.
  void solve(const Vector& x);
  /// q = B^-1 p.
  void solve_for(const Vector& p, const Vector& q);
  /// out = (I - (1 - theta) dt A) q - dt r'(u) q.
  void apply_explicit_part(const Vector& u, const Vector& q, const Vector& out);
  /// out = (I - (1 - theta) dt A) q.
  void apply_explicit_diffusion(const Vector& q, const Vector& out) const;
  bool has_reaction() const;

  std::shared_ptr<const LinearOperator> A_, B_;
  StepSolver solver_;
  double theta_, dt_;
  int num_steps_;
  CubicReaction reaction_;
  Vector rhs_, q_, z_;
  Counts counts_;
};

}  // namespace libsolve
