#include "conductivity_evolution.hpp"

#include <cmath>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/optimize/scaled_product.hpp>

namespace parabolic_control {

namespace {

/// shift + factor x, in place of x.
struct ShiftAndScale {
  double shift, factor;
  double* x;
  KOKKOS_FUNCTION void operator()(Index i) const { x[i] = shift + factor * x[i]; }
};

void shift_and_scale(double shift, double factor, const VectorView& x) {
  for_rows(default_space(), "parabolic_control::shift", static_cast<Index>(x.extent(0)),
           ShiftAndScale{shift, factor, x.data()});
  Kokkos::fence("parabolic_control::shift");
}

/// I + factor A. A is taken over.
std::shared_ptr<StencilOperator> identity_plus(double factor, const StencilOperator& A) {
  StencilOperator::Variable v = A.variable();
  for (const VectorView& face : v.face)
    if (face.extent(0) > 0) shift_and_scale(0.0, factor, face);
  shift_and_scale(1.0, factor, v.excess);
  return std::make_shared<StencilOperator>(A.grid(), v);
}

/// (u, v) = h^D (sum over faces of the differences' product / h^2 + beta u^T v), L2 of the gradient and
/// of the function.
class GradientProduct final : public InnerProduct {
 public:
  GradientProduct(std::shared_ptr<const StencilOperator> M, std::shared_ptr<LinearSolver> solver)
      : M_(std::move(M)), steps_(std::move(solver)) {}
  const Partition& partition() const override { return M_->row_partition(); }
  void apply(const Vector& x, const Vector& y) const override { M_->apply(x, y); }
  void riesz(const Vector& g, const Vector& z) const override {
    fill(z, 0.0);
    steps_.solve(M_, g, z);
  }

 private:
  std::shared_ptr<const StencilOperator> M_;
  mutable StepSolver steps_;
};

/// weight (shift - Laplace), insulated.
std::shared_ptr<StencilOperator> insulated_diffusion(const Grid& grid, double weight,
                                                     double shift) {
  StencilOperator::Constant c;
  for (std::size_t a = 0; a < static_cast<std::size_t>(grid.dimension); ++a)
    c.coupling[a] = weight / (grid.spacing[a] * grid.spacing[a]);
  c.shift = weight * shift;
  return std::make_shared<StencilOperator>(grid, c);
}

}  // namespace

ConductivityEvolution::ConductivityEvolution(const Data& data)
    : data_(data),
      dt_(data.final_time / data.steps),
      A_(data.dimension, data.cells, LogDiffusion::Walls::insulated),
      cells_(A_.num_cells()),
      solver_(data.solver),
      d_(static_cast<std::size_t>(data.steps)) {
  R_ = insulated_diffusion(grid(), volume() * data.alpha, data.beta);
  m_ = Vector("parabolic_control::parameter", cells_);
  work_ = m_.like("parabolic_control::work");
  seen_ = Vector("parabolic_control::seen", data.Q->row_partition());
}

double ConductivityEvolution::volume() const {
  return std::pow(A_.spacing(), data_.dimension);
}

void ConductivityEvolution::set_parameter(const Vector& m) {
  if (has_parameter_) {
    linear_combination(1.0, m, -1.0, m_, work_);
    if (norm_max(work_) == 0.0) return;
  }
  copy(m, m_);
  has_parameter_ = true;
  A_.set_parameter(m.view());
  B_ = identity_plus(dt_, *A_.stencil());
}

void ConductivityEvolution::initial_state(const Vector& y0) const {
  copy(data_.initial, y0);
}

std::vector<Vector> ConductivityEvolution::observe(const Vector& m) {
  std::vector<Vector> seen;
  Vector before = work_.like("parabolic_control::before"), y = before.like("parabolic_control::y");
  initial_state(before);
  for (int n = 1; n <= data_.steps; ++n) {
    copy(before, y);
    solve_step(n, before, m, y);
    seen.push_back(seen_.like("parabolic_control::data"));
    data_.Q->apply(y, seen.back());
    std::swap(before, y);
  }
  return seen;
}

void ConductivityEvolution::residual(int, const Point& at, const Vector& out) {
  set_parameter(at.m);
  B_->apply(at.y, out);
  axpy(-1.0, at.before, out);
}

void ConductivityEvolution::solve_step(int, const Vector& before, const Vector& m,
                                       const Vector& y) {
  set_parameter(m);
  solver_.solve(B_, before, y);
}

void ConductivityEvolution::apply_state(int, const Point& at, const Vector& v, const Vector& out) {
  set_parameter(at.m);
  B_->apply(v, out);
}
void ConductivityEvolution::apply_state_adjoint(int n, const Point& at, const Vector& p,
                                                const Vector& out) {
  apply_state(n, at, p, out);
}
void ConductivityEvolution::solve_tangent(int, const Point& at, const Vector& r, const Vector& v) {
  set_parameter(at.m);
  solver_.solve(B_, r, v);
}
void ConductivityEvolution::solve_adjoint(int n, const Point& at, const Vector& r,
                                          const Vector& p) {
  solve_tangent(n, at, r, p);
}
void ConductivityEvolution::apply_before(int, const Point&, const Vector& v, const Vector& out) {
  axpby(-1.0, v, 0.0, out);
}
void ConductivityEvolution::apply_before_adjoint(int n, const Point& at, const Vector& p,
                                                 const Vector& out) {
  apply_before(n, at, p, out);
}

void ConductivityEvolution::apply_parameter(int, const Point& at, const Vector& q,
                                            const Vector& out) {
  set_parameter(at.m);
  A_.apply_derivative(q.view(), at.y.view(), out.view());
  scale(dt_, out);
}

void ConductivityEvolution::add_parameter_adjoint(int, const Point& at, const Vector& p,
                                                  const Vector& out) {
  set_parameter(at.m);
  A_.gradient(at.y.view(), p.view(), work_.view());
  axpy(dt_, work_, out);
}

void ConductivityEvolution::add_second_derivative(int, const Point& at, const Vector& p,
                                                  const Triple& along, const Triple& out) {
  set_parameter(at.m);
  // p^T A(m) y: by y along m, by m along y, by m along m.
  A_.apply_derivative(along.m.view(), p.view(), work_.view());
  axpy(dt_, work_, out.y);
  A_.gradient(along.y.view(), p.view(), work_.view());
  axpy(dt_, work_, out.m);
  A_.second_derivative(along.m.view(), at.y.view(), p.view(), work_.view());
  axpy(dt_, work_, out.m);
}

bool ConductivityEvolution::has_step_cost(int n) const {
  return d_[static_cast<std::size_t>(n - 1)].data() != nullptr;
}

double ConductivityEvolution::step_cost(int n, const Vector& y, const Vector&) {
  return 0.5 * data_.Q->residual(d_[static_cast<std::size_t>(n - 1)], y, seen_);
}

void ConductivityEvolution::step_cost_gradient(int n, const Vector& y, const Vector&,
                                               const Vector& out_y, const Vector&) {
  data_.Q->residual(d_[static_cast<std::size_t>(n - 1)], y, seen_);
  data_.Q->apply_adjoint(seen_, out_y);
  scale(-1.0, out_y);
}

void ConductivityEvolution::step_cost_hessian(int, const Vector&, const Vector&, const Vector& v,
                                              const Vector&, const Vector& out_y, const Vector&) {
  data_.Q->apply(v, seen_);
  data_.Q->apply_adjoint(seen_, out_y);
}

double ConductivityEvolution::parameter_cost(const Vector& m) {
  R_->apply(m, work_);
  return 0.5 * dot(m, work_);
}
void ConductivityEvolution::add_parameter_cost_gradient(const Vector& m, const Vector& out) {
  R_->apply(m, work_);
  axpy(1.0, work_, out);
}
void ConductivityEvolution::add_parameter_cost_hessian(const Vector&, const Vector& q,
                                                       const Vector& out) {
  add_parameter_cost_gradient(q, out);
}

std::shared_ptr<const InnerProduct> ConductivityEvolution::parameter_inner_product() const {
  return std::make_shared<GradientProduct>(
      insulated_diffusion(grid(), volume(), data_.beta > 0.0 ? data_.beta : 1.0),
      data_.product_solver);
}
std::shared_ptr<const InnerProduct> ConductivityEvolution::state_inner_product() const {
  return std::make_shared<ScaledProduct>(cells_, volume());
}

Field ConductivityEvolution::field(const char* name, const Vector& values, const char* text) const {
  Field f;
  f.name = name;
  f.values = values;
  f.description = text;
  f.grid = grid();
  return f;
}

std::vector<Field> ConductivityEvolution::fields(const std::vector<Vector>& states,
                                                 const std::vector<Vector>& adjoints,
                                                 const Vector& m) const {
  return {field("parameter", m, "m, the logarithm of the conductivity"),
          field("state", states.back(), "y at the last time"),
          field("adjoint", adjoints.back(), "the multipliers of the last time step")};
}

std::vector<Field> ConductivityEvolution::data_fields() const {
  return {field("true_parameter", data_.truth, "what the data were made from"),
          field("initial", data_.initial, "y at the first time")};
}

}  // namespace parabolic_control
