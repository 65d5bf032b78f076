#include "quadratic.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <limits>

#include "spaces.hpp"

namespace proximal {

ComponentSpec QuadraticOptions::default_solver() {
  ComponentSpec spec("cg");
  spec.options.set("preconditioner", Value("multigrid"));
  spec.options.set("relative_tolerance", Value(1e-13));
  return spec;
}

void QuadraticOptions::describe(Fields<QuadraticOptions>& f) {
  using O = QuadraticOptions;
  f.add("measure", &O::measure, Choices{{"integral", "nodes"}}, measure_help);
  f.add("gradient", &O::gradient, Range::at_least(0.0), "a, of a/2 |grad x|^2");
  f.add("values", &O::values, Range::at_least(0.0), "b, of b/2 |x|^2");
  f.add_component("solver", &O::solver, LinearSolver::kind,
                  "of (I + t (a D^T D + b)) z = x; its tolerance is how exact the operator can be");
}

void QuadraticOptions::check(const QuadraticOptions& o, const std::string& prefix,
                             const SourceLocation& where, Diagnostics& problems) {
  if (o.gradient == 0.0 && o.values == 0.0)
    problems.add(where, prefix + "gradient", "and 'values' are both 0, which leaves no regulariser");
}

void Quadratic::prepare(const ProximalSpace& space) {
  if (space.has_bounds())
    throw Unsupported("regulariser 'quadratic' has no proximal operator with bounds, and '" + space.what +
                      "' has them; put the costs of values and gradients into the problem instead");
  volume_ = options_.measure == "integral" ? space.cell_volume() : 1.0;
  fields_ = space.num_fields;
  iterations_ = 0;
  step_ = 0.0;
  matrix_ = laplacian_ = nullptr;
  if (options_.gradient == 0.0) return;
  grid_ = whole_grid("quadratic", space);
  StencilOperator::Constant c;
  for (std::size_t a = 0; a < static_cast<std::size_t>(grid_.dimension); ++a)
    c.coupling[a] = 1.0 / (grid_.spacing[a] * grid_.spacing[a]);
  laplacian_ = std::make_shared<StencilOperator>(grid_, c);
  solver_ = context_.make<LinearSolver>(options_.solver);
  work_ = Vector("proximal::quadratic", laplacian_->row_partition());
}

std::shared_ptr<const StencilOperator> Quadratic::shifted(double s) const {
  StencilOperator::Constant c = laplacian_->constant();
  for (double& coupling : c.coupling) coupling *= s * options_.gradient;
  c.shift = 1.0 + s * options_.values;
  return std::make_shared<StencilOperator>(grid_, c);
}

Vector Quadratic::part(const Vector& x, Index field) const {
  const auto n = static_cast<std::size_t>(work_.local_size());
  const std::size_t first = n * static_cast<std::size_t>(field);
  return {Kokkos::subview(x.view(), Kokkos::make_pair(first, first + n)), work_.partition()};
}

double Quadratic::apply(const Vector& x, double t, double tolerance, const Vector& z) {
  if (!std::isfinite(norm_max(x))) return std::numeric_limits<double>::quiet_NaN();
  const double s = t * volume_;
  if (laplacian_ == nullptr) {
    axpby(1.0 / (1.0 + s * options_.values), x, 0.0, z);
    return 0.0;
  }
  if (matrix_ == nullptr || step_ != s) matrix_ = shifted(s);
  step_ = s;
  double squares = 0.0;
  for (Index f = 0; f < fields_; ++f) {
    const Vector b = part(x, f), solution = part(z, f);
    copy(b, solution);
    LinearSystem system(matrix_, b, solution);
    system.grid = grid_;
    const Report report = solver_->solve(system, Monitor::none());
    iterations_ += report.iterations;
    squares += matrix_->residual(b, solution, work_);
  }
  (void)tolerance;  // the solver's own is as tight, or cannot be met
  return std::sqrt(squares);
}

std::optional<double> Quadratic::value(const Vector& x) {
  double sum = options_.values == 0.0 ? 0.0 : options_.values * dot(x, x);
  for (Index f = 0; laplacian_ != nullptr && f < fields_; ++f)
    sum += options_.gradient * laplacian_->apply_dot(part(x, f), work_);
  return 0.5 * volume_ * sum;
}

std::vector<Measure> Quadratic::work_counts() const {
  if (laplacian_ == nullptr) return {};
  return {{"regularizer_linear_iterations", static_cast<double>(iterations_)}};
}

}  // namespace proximal
