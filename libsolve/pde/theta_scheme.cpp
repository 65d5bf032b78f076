#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/theta_scheme.hpp>

namespace libsolve {

namespace {

/// out -= dt r(u).
struct SubtractReaction {
  CubicReaction r;
  double dt;
  const double* u;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const { out[i] -= dt * r.value(u[i]); }
};

/// out -= dt r'(u) v; u may be null where r' is constant.
struct SubtractSlope {
  CubicReaction r;
  double dt;
  const double *u, *v;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double at = u == nullptr ? 0.0 : u[i];
    out[i] -= dt * r.slope(at) * v[i];
  }
};

/// out -= dt r''(u) v q.
struct SubtractCurvature {
  CubicReaction r;
  double dt;
  const double *u, *v, *q;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const {
    out[i] -= dt * r.curvature(u[i]) * v[i] * q[i];
  }
};

template <class Body>
void rows(const char* label, const Vector& out, const Body& body) {
  for_rows(default_space(), label, out.local_size(), body);
  Kokkos::fence(label);
}

}  // namespace

ThetaScheme::ThetaScheme(std::shared_ptr<const LinearOperator> A,
                         std::shared_ptr<const LinearOperator> B,
                         std::shared_ptr<LinearSolver> solver, double theta, double dt,
                         int num_steps, const CubicReaction& reaction, double accepted)
    : A_(std::move(A)),
      B_(std::move(B)),
      solver_(std::move(solver), accepted),
      theta_(theta),
      dt_(dt),
      num_steps_(num_steps),
      reaction_(reaction) {
  if (!A_->is_symmetric() || !B_->is_symmetric() ||
      !(A_->row_partition() == B_->row_partition()) ||
      !(B_->row_partition() == B_->column_partition()))
    throw ShapeError("a theta scheme needs two symmetric operators of one partition, got " +
                     A_->description() + " and " + B_->description());
  for (Vector* v : {&rhs_, &q_, &z_}) *v = Vector("pde::theta_scheme", B_->row_partition());
}

void ThetaScheme::apply_explicit_diffusion(const Vector& q, const Vector& out) const {
  if (theta_ == 1.0) {
    copy(q, out);
    return;
  }
  A_->apply(q, out);
  axpby(1.0, q, -(1.0 - theta_) * dt_, out);
}

bool ThetaScheme::has_reaction() const {
  return reaction_.linear != 0.0 || !reaction_.is_linear();
}

void ThetaScheme::solve(const Vector& x) {
  solver_.solve(B_, rhs_, x);
  counts_.iterations = solver_.iterations();
  counts_.failures = solver_.failures();
}

void ThetaScheme::step(int, const Vector& u, const Vector& next) {
  apply_explicit_diffusion(u, rhs_);
  if (has_reaction())
    rows("theta_scheme::reaction", rhs_, SubtractReaction{reaction_, dt_, u.data(), rhs_.data()});
  copy(u, next);
  solve(next);
  ++counts_.state;
}

void ThetaScheme::tangent(int, const Vector& u, const Vector& v, const Vector& next) {
  apply_explicit_part(u, v, rhs_);
  copy(v, next);
  solve(next);
  ++counts_.incremental;
}

void ThetaScheme::solve_for(const Vector& p, const Vector& q) {
  copy(p, rhs_);
  copy(p, q);
  solve(q);
}

void ThetaScheme::apply_explicit_part(const Vector& u, const Vector& q, const Vector& out) {
  apply_explicit_diffusion(q, out);
  if (has_reaction())
    rows("theta_scheme::slope", out,
         SubtractSlope{reaction_, dt_, is_linear() ? nullptr : u.data(), q.data(), out.data()});
}

void ThetaScheme::adjoint(int, const Vector& u, const Vector& p, const Vector& before) {
  solve_for(p, q_);
  ++counts_.adjoint;
  apply_explicit_part(u, q_, before);
}

void ThetaScheme::second_adjoint(int, const Vector& u, const Vector& v, const Vector& p,
                                 const Vector& w, const Vector& p_before, const Vector& w_before) {
  solve_for(p, q_);
  ++counts_.adjoint;
  solve_for(w, z_);
  ++counts_.incremental;
  apply_explicit_part(u, q_, p_before);
  apply_explicit_part(u, z_, w_before);
  if (!is_linear())
    rows("theta_scheme::curvature", w_before,
         SubtractCurvature{reaction_, dt_, u.data(), v.data(), q_.data(), w_before.data()});
}

}  // namespace libsolve
