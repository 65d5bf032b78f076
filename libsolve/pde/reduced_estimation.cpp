#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/optimize/scaled_product.hpp>
#include <libsolve/pde/reduced_estimation.hpp>
#include <limits>

namespace libsolve {

namespace {

constexpr double accepted = 1e-8;

const ParameterEstimation& estimation_in(const std::shared_ptr<ProgramFunctions>& functions) {
  const auto* problem = dynamic_cast<const ParameterEstimation*>(functions.get());
  if (problem == nullptr)
    throw Unsupported("the program does not estimate the parameter of a differential equation in a form "
                      "whose states can be eliminated; 'log-conductivity' does");
  return *problem;
}

struct SumOf {
  const double* v;
  KOKKOS_FUNCTION void operator()(Index i, double& sum) const { sum += v[i]; }
};
struct Shift {
  double by;
  double* v;
  KOKKOS_FUNCTION void operator()(Index i) const { v[i] += by; }
};

double mean(const Vector& v) {
  const double sum =
      reduce_rows<Sums<1>>(default_space(), "pde::mean", v.local_size(), SumOf{v.data()}).value[0];
  return v.communicator().sum(sum) / static_cast<double>(v.global_size());
}
void shift(const Vector& v, double by) {
  for_rows(default_space(), "pde::shift", v.local_size(), Shift{by, v.data()});
  Kokkos::fence("pde::shift");
}

}  // namespace

ReducedEstimation::~ReducedEstimation() = default;

ReducedEstimation::ReducedEstimation(std::shared_ptr<ProgramFunctions> functions,
                                     std::shared_ptr<LinearSolver> solver)
    : functions_(std::move(functions)),
      problem_(estimation_in(functions_)),
      solver_(std::move(solver)),
      A_(problem_.make_diffusion()),
      sources_(problem_.num_sources()),
      cells_(A_.partition()),
      block_(A_.block_partition(sources_)),
      R_(A_.grid_partition(), problem_.regularization()) {
  for (Vector* v : {&m_, &difference_, &term_, &reference_, &residual_})
    *v = Vector("pde::reduced_estimation", cells_);
  for (Vector* v : {&y_, &p_, &b_, &rhs_, &work_, &w_, &q_})
    *v = Vector("pde::reduced_estimation_states", block_);
  Kokkos::deep_copy(b_.view(), problem_.sources());
  Kokkos::deep_copy(reference_.view(), problem_.reference());
  fill(m_, std::numeric_limits<double>::quiet_NaN());  // at no m yet
}

std::shared_ptr<const InnerProduct> ReducedEstimation::variable_product() const {
  return std::make_shared<ScaledProduct>(cells_, problem_.density());
}

Vector ReducedEstimation::part(const Vector& block, int source) const {
  const auto n = static_cast<std::size_t>(cells_.local_size());
  const std::size_t begin = n * static_cast<std::size_t>(source);
  return {VectorView(Kokkos::subview(block.view(), Kokkos::make_pair(begin, begin + n))), cells_};
}

void ReducedEstimation::solve(const Vector& b, const Vector& x) const {
  const bool insulated = A_.walls() == LogDiffusion::Walls::insulated;
  for (int s = 0; s < sources_; ++s) {
    const Vector b_s = part(b, s), x_s = part(x, s);
    // A maps constants to themselves, and what has mean 0 to what has: both are solved apart.
    const double constant = insulated ? mean(b_s) : 0.0;
    copy(b_s, term_);
    if (insulated) shift(term_, -constant);
    LinearSystem system(stencil_, term_, x_s);
    system.grid = A_.grid();
    system.box = A_.grid_partition().own();
    if (insulated) system.null_space = NullSpace::constants(cells_);
    const Report report = solver_->solve(system, Monitor::none());
    if (!report.converged()) {
      const double left = std::sqrt(stencil_->residual(term_, x_s, residual_));
      if (!(left <= accepted * norm2(term_))) fill(x_s, std::numeric_limits<double>::quiet_NaN());
    }
    if (insulated) shift(x_s, constant - mean(x_s));
  }
}

bool ReducedEstimation::is_at(const ConstVectorView& m) const {
  Kokkos::deep_copy(difference_.view(), m);
  axpy(-1.0, m_, difference_);
  return norm_max(difference_) == 0.0;  // false for NaN
}

void ReducedEstimation::solve_states(const ConstVectorView& m) const {
  if (!is_at(m)) {
    Kokkos::deep_copy(m_.view(), m);
    has_states_ = has_adjoints_ = false;
  }
  if (has_states_) return;
  if (!std::isfinite(norm_max(m_))) {
    fill(y_, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  A_.set_parameter(m_.view());
  stencil_ = A_.stencil();
  if (!std::isfinite(norm_max(y_))) fill(y_, 0.0);  // the guess
  solve(b_, y_);
  counts_.state += sources_;
  has_states_ = true;
}

void ReducedEstimation::solve_adjoints(const ConstVectorView& m) const {
  solve_states(m);
  if (has_adjoints_) return;
  if (!has_states_ || !std::isfinite(norm_max(y_))) {
    fill(p_, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  problem_.misfit_gradient(y_.view(), rhs_.view());
  scale(-1.0, rhs_);
  if (!std::isfinite(norm_max(p_))) fill(p_, 0.0);
  solve(rhs_, p_);
  counts_.adjoint += sources_;
  has_adjoints_ = true;
}

double ReducedEstimation::do_objective(const ConstVectorView& x) {
  solve_states(x);
  linear_combination(1.0, m_, -1.0, reference_, difference_);
  R_.apply(difference_, term_);
  return problem_.misfit(y_.view()) + 0.5 * dot(difference_, term_);
}

void ReducedEstimation::do_gradient(const ConstVectorView& x, const VectorView& g) {
  solve_adjoints(x);
  const Vector out(g, cells_);
  linear_combination(1.0, m_, -1.0, reference_, difference_);
  R_.apply(difference_, out);
  A_.gradient(y_.view(), p_.view(), term_.view());
  axpy(1.0, term_, out);
}

void ReducedEstimation::do_apply_jacobian_adjoint(const ConstVectorView&, const ConstVectorView&,
                                                  const VectorView& y) {
  Kokkos::deep_copy(y, 0.0);
}

void ReducedEstimation::do_apply_hessian(const ConstVectorView& x, double sigma, const ConstVectorView&,
                                         const ConstVectorView& v, const VectorView& out) {
  solve_adjoints(x);
  const Vector Hv(out, cells_);
  // A w = -(dA v) y,  A q = -w Q^T Q w - (dA v) p,
  // H v = R v + d(q^T A y)/dm + d(p^T A w)/dm + d^2(p^T A y)/dm^2 v
  A_.apply_derivative(v, y_.view(), rhs_.view());
  scale(-1.0, rhs_);
  fill(w_, 0.0);
  solve(rhs_, w_);
  problem_.misfit_hessian(w_.view(), rhs_.view());
  A_.apply_derivative(v, p_.view(), work_.view());
  axpy(1.0, work_, rhs_);
  scale(-1.0, rhs_);
  fill(q_, 0.0);
  solve(rhs_, q_);
  counts_.incremental += 2 * sources_;
  Kokkos::deep_copy(difference_.view(), v);
  R_.apply(difference_, Hv);
  A_.gradient(y_.view(), q_.view(), term_.view());
  axpy(1.0, term_, Hv);
  A_.gradient(w_.view(), p_.view(), term_.view());
  axpy(1.0, term_, Hv);
  A_.second_derivative(v, y_.view(), p_.view(), term_.view());
  axpy(1.0, term_, Hv);
  scale(sigma, Hv);
}

std::vector<Field> ReducedEstimation::fields(const ConstVectorView& x, const ConstVectorView&) const {
  const SolveCounts before = counts_;
  solve_adjoints(x);
  counts_ = before;
  const auto n = static_cast<std::size_t>(cells_.local_size());
  const std::size_t states = n * static_cast<std::size_t>(sources_);
  const VectorView all("pde::states_and_parameter", states + n);
  Kokkos::deep_copy(Kokkos::subview(all, Kokkos::make_pair(std::size_t{0}, states)), y_.view());
  Kokkos::deep_copy(Kokkos::subview(all, Kokkos::make_pair(states, states + n)), x);
  return functions_->fields(all, p_.view());
}

}  // namespace libsolve
