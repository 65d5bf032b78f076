#include "reduced_problem.hpp"

#include <cmath>
#include <libsolve/core/vector_kernels.hpp>

namespace reduced_newton {

namespace {

/// One symmetric cycle: conjugate gradients in m want the same linear map each time.
ComponentSpec symmetric_multigrid() {
  ComponentSpec spec("multigrid");
  spec.options.set("order", Value("symmetric"));
  return spec;
}

}  // namespace

ReducedProblem::ReducedProblem(const ParameterEstimation& problem,
                               const ReducedNewtonOptions& options, const Context& context)
    : problem_(problem),
      options_(options),
      A_(problem.make_diffusion()),
      functions_(problem.num_sources()),
      cells_(A_.partition()),
      block_(A_.block_partition(functions_)),
      solver_(options.preconditioner, context, functions_, A_, counts),
      R_(A_.grid_partition(), problem.regularization()),
      prior_(context.make<Preconditioner>(symmetric_multigrid())) {
  StencilOperator::Constant prior = problem.regularization();
  prior.shift += options.prior_shift * prior.coupling[0] * A_.spacing() * A_.spacing();
  prior_operator_ = std::make_shared<StencilOperator>(A_.grid_partition(), prior);
  for (Vector* v : {&reference_, &difference_, &term_}) *v = make_parameter("reduced_newton::cells");
  for (Vector* v : {&sources_, &rhs_, &work_, &adjoint_}) *v = make_block("reduced_newton::states");
  Kokkos::deep_copy(sources_.view(), problem.sources());
  Kokkos::deep_copy(reference_.view(), problem.reference());
  LinearSystem system(prior_operator_, difference_, term_);
  system.grid = A_.grid();
  system.box = A_.grid_partition().own();
  prior_->setup(system);
}

void ReducedProblem::set_parameter(const Vector& m) {
  A_.set_parameter(m.view());
  solver_.setup(A_);
}

double ReducedProblem::solve(const Vector& b, const Vector& x, double tolerance) {
  const double left = solver_.solve(b, x, tolerance);
  if (!(left <= (1.0 + 1e-12) * tolerance)) ++counts.unconverged;
  return left;
}

double ReducedProblem::solve_state(const Vector& y, double tolerance) {
  counts.state += functions_;
  return solve(sources_, y, tolerance);
}

double ReducedProblem::solve_adjoint(const Vector& y, const Vector& p, double tolerance) {
  counts.adjoint += functions_;
  problem_.misfit_gradient(y.view(), rhs_.view());
  scale(-1.0, rhs_);
  return solve(rhs_, p, tolerance);
}

double ReducedProblem::objective(const Vector& m, const Vector& y) const {
  linear_combination(1.0, m, -1.0, reference_, difference_);
  R_.apply(difference_, term_);
  return problem_.misfit(y.view()) + 0.5 * dot(difference_, term_);
}

void ReducedProblem::gradient(const Vector& m, const Vector& y, const Vector& p,
                              const Vector& g) const {
  linear_combination(1.0, m, -1.0, reference_, difference_);
  R_.apply(difference_, g);
  A_.gradient(y.view(), p.view(), term_.view());
  axpy(1.0, term_, g);
}

void ReducedProblem::hessian(const Vector& y, const Vector& p, const Vector& v, bool gauss_newton,
                             const Vector& Hv, const Vector& w) {
  counts.incremental += 2 * functions_;
  // A w = -(dA v) y,  A q = -w Q^T Q w - (dA v) p,  H v = R v + d(q^T A y)/dm + d(p^T A w)/dm + ...
  A_.apply_derivative(v.view(), y.view(), rhs_.view());
  scale(-1.0, rhs_);
  fill(w, 0.0);
  (void)solve(rhs_, w, options_.incremental_tolerance);
  problem_.misfit_hessian(w.view(), rhs_.view());
  if (!gauss_newton) {
    A_.apply_derivative(v.view(), p.view(), work_.view());
    axpy(1.0, work_, rhs_);
  }
  scale(-1.0, rhs_);
  fill(adjoint_, 0.0);
  (void)solve(rhs_, adjoint_, options_.incremental_tolerance);
  R_.apply(v, Hv);
  A_.gradient(y.view(), adjoint_.view(), term_.view());
  axpy(1.0, term_, Hv);
  if (gauss_newton) return;
  A_.gradient(w.view(), p.view(), term_.view());
  axpy(1.0, term_, Hv);
  A_.second_derivative(v.view(), y.view(), p.view(), term_.view());
  axpy(1.0, term_, Hv);
}

double ReducedProblem::dual_norm(const Vector& g) const {
  return norm2(g) / density() * std::pow(A_.spacing(), 0.5 * grid().dimension);
}

}  // namespace reduced_newton
