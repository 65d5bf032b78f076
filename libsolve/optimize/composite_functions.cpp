#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/optimize/composite_functions.hpp>
#include <limits>

namespace libsolve {

namespace {

bool is_bounded(const Bounds& b) {
  for (std::size_t i = 0; i < b.size(); ++i)
    if (b.lower[i] > -INFINITY || b.upper[i] < INFINITY) return true;
  return false;
}

VectorView on_device(const std::vector<double>& values) {
  const VectorView view("optimize::bounds", values.size());
  Kokkos::deep_copy(view,
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  return view;
}

struct Project {
  const double *x, *lower, *upper;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double raised = x[i] < lower[i] ? lower[i] : x[i];  // NaN stays
    z[i] = raised > upper[i] ? upper[i] : raised;
  }
};

}  // namespace

CompositeSolver::~CompositeSolver() = default;
CompositeFunctions::~CompositeFunctions() = default;

CompositeFunctions::CompositeFunctions(std::shared_ptr<ProgramFunctions> smooth,
                                       std::shared_ptr<ProximalOperator> R, double weight,
                                       Bounds bounds, const Partition& partition)
    : smooth_(std::move(smooth)),
      R_(std::move(R)),
      weight_(weight),
      bounds_(std::move(bounds)),
      partition_(partition) {
  if (!(weight > 0.0) || !std::isfinite(weight))
    throw DataError("the weight of a regulariser is " + std::to_string(weight) +
                    "; it must be a positive number");
  if (R_ == nullptr && is_bounded(bounds_)) {
    lower_ = on_device(bounds_.lower);
    upper_ = on_device(bounds_.upper);
  }
}

void CompositeFunctions::measure_curvature(const Vector& x) {
  const Vector g = x.like("optimize::gradient");
  smooth_->gradient(x.view(), g.view());
  const double size = norm2(g);
  double curvature = 0.0;
  if (size > 0.0 && std::isfinite(size)) {
    const double h = 1e-3 * std::max(1.0, norm_max(x)) / norm_max(g);
    const Vector moved = x.like("optimize::moved"), there = x.like("optimize::gradient_there");
    linear_combination(1.0, x, -h, g, moved);
    smooth_->gradient(moved.view(), there.view());
    axpy(-1.0, g, there);
    curvature = norm2(there) / (h * size);
  }
  curvature_ = curvature > 0.0 && std::isfinite(curvature) ? curvature : 1.0;
  if (const double largest = norm_max(g); std::isfinite(largest))
    curvature_ = std::max(curvature_, 1e-3 * largest / std::max(1.0, norm_max(x)));
}

std::optional<double> CompositeFunctions::fixed_step() const {
  if (R_ == nullptr || !R_->fixed_step()) return std::nullopt;
  return *R_->fixed_step() / weight_;
}

double CompositeFunctions::prox(const Vector& x, double s, double tolerance, const Vector& z) const {
  if (R_ != nullptr) {
    const auto fixed = R_->fixed_step();
    return R_->apply(x, fixed ? *fixed : s * weight_, tolerance, z);
  }
  if (lower_.data() == nullptr)
    copy(x, z);
  else
    for_rows(default_space(), "optimize::project", x.local_size(),
             Project{x.data(), lower_.data(), upper_.data(), z.data()});
  return std::isfinite(norm_max(z)) ? 0.0 : std::numeric_limits<double>::quiet_NaN();
}

std::optional<double> CompositeFunctions::regularizer(const Vector& x) const {
  if (R_ == nullptr) return 0.0;
  const auto value = R_->value(x);
  if (!value) return std::nullopt;
  return weight_ * *value;
}

std::vector<Measure> CompositeFunctions::regularizer_counts() const {
  return R_ == nullptr ? std::vector<Measure>() : R_->work_counts();
}

CompositeResidual CompositeFunctions::residual(const Vector& x, const Vector& g) const {
  const double largest = norm_max(g), scale = std::max(1.0, largest);
  double s = 1.0 / curvature_;
  // Longer steps end at a bound or in R's minimum from wherever x is.
  if (largest > 0.0) s = std::min(s, std::max(1.0, norm_max(x)) / largest);
  s = fixed_step().value_or(s);
  const Vector moved = x.like("optimize::moved"), z = x.like("optimize::proximal_point");
  linear_combination(1.0, x, -s, g, moved);
  const double missed = prox(moved, s, accuracy_ * s * scale, z);
  axpy(-1.0, x, z);
  CompositeResidual r;
  r.proximal = (norm_max(z) + missed) / s;
  r.relative = r.proximal / scale;
  return r;
}

std::vector<Measure> CompositeFunctions::verify(const Vector& x) const {
  const Vector g = x.like("optimize::gradient");
  smooth_->gradient(x.view(), g.view());
  const CompositeResidual r = residual(x, g);
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), x.view());
  double violation = 0.0;
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    const double below = (bounds_.lower[i] - host(i)) / std::max(1.0, std::abs(bounds_.lower[i]));
    const double above = (host(i) - bounds_.upper[i]) / std::max(1.0, std::abs(bounds_.upper[i]));
    violation = std::max({violation, below, above});
  }
  violation = x.communicator().max(violation);
  const double f = smooth_->objective(x.view());
  const auto R = regularizer(x);
  std::vector<Measure> all = {{"kkt_residual", std::isnan(r.relative) ? r.relative : std::max(r.relative, violation)},
                              {"proximal_residual", r.proximal},
                              {"constraint_violation", violation},
                              {"objective", R ? f + *R : f},
                              {"smooth_objective", f}};
  if (R) all.push_back({"regularizer", *R});
  return all;
}

std::shared_ptr<CompositeFunctions> CompositeSolver::sum_of(const NonlinearProgram& problem,
                                                            const std::string& method) {
  const auto constraints = static_cast<std::int64_t>(
      problem.communicator().sum(static_cast<double>(problem.num_constraints())));
  if (constraints > 0)
    throw Unsupported("method '" + method + "' is for f(x) + R(x) with bounds of x; this program has " +
                      std::to_string(constraints) + " constraints; use 'sketch-newton'");
  auto own = std::dynamic_pointer_cast<CompositeFunctions>(problem.shared_functions());
  if (own) return own;
  auto made = std::make_shared<CompositeFunctions>(problem.shared_functions(), nullptr, 1.0,
                                                   problem.variable_bounds(), problem.x().partition());
  made->measure_curvature(problem.x());
  return made;
}

void CompositeSolver::finish(NonlinearProgram& problem, CompositeFunctions& sum, double tolerance,
                             Report& report) {
  if (report.status == Status::time_limit || report.status == Status::interrupted)
    sum.set_accuracy(1e30);
  fill(problem.bound_multipliers(), 0.0);
  problem.has_multipliers = true;
  const bool bounded = problem.communicator().any(is_bounded(problem.variable_bounds()));
  if (!sum.has_regularizer() && bounded) {
    // z = -f'(x) where a bound is active and the sign is right, 0 elsewhere.
    const Bounds& b = problem.variable_bounds();
    std::vector<double> x = problem.host_x(), g(x.size()), z(x.size());
    HostAccess(sum.smooth()).gradient(x, g);
    for (std::size_t i = 0; i < x.size(); ++i)
      if ((g[i] > 0.0 && x[i] <= b.lower[i]) || (g[i] < 0.0 && x[i] >= b.upper[i])) z[i] = -g[i];
    problem.set_solution(x, {}, z);
  }
  for (Measure& m : sum.regularizer_counts()) report.counts.push_back(std::move(m));
  verify_report(problem, tolerance, report);
}

std::unique_ptr<NonlinearProgram> composite_program(const NonlinearProgram& smooth,
                                                    std::shared_ptr<ProximalOperator> R,
                                                    double weight) {
  if (dynamic_cast<const CompositeFunctions*>(&smooth.functions()) != nullptr)
    throw Unsupported("'" + smooth.description() + "' has a regulariser already");
  ProximalSpace space;
  space.partition = smooth.x().partition();
  space.what = smooth.description();
  if (is_bounded(smooth.variable_bounds())) {
    space.lower = smooth.variable_bounds().lower;
    space.upper = smooth.variable_bounds().upper;
  }
  const GlobalIndex n = smooth.num_unknowns();
  for (const Field& field : smooth.solution()) {
    if (!field.grid || n % field.grid->num_cells() != 0) continue;
    if (space.grid && space.grid->num_cells() >= field.grid->num_cells()) continue;
    space.grid = field.grid;
    space.num_fields = static_cast<Index>(n / field.grid->num_cells());
  }
  R->prepare(space);
  auto functions = std::make_shared<CompositeFunctions>(smooth.shared_functions(), std::move(R), weight,
                                                        smooth.variable_bounds(), space.partition);
  const Bounds constraints = smooth.constraint_bounds();
  auto program = std::make_unique<NonlinearProgram>(functions, smooth.variable_bounds(), constraints,
                                                    smooth.host_x());
  functions->measure_curvature(program->x());
  program->text = smooth.description() + ", regularised";
  program->is_maximisation = smooth.is_maximisation;
  return program;
}

}  // namespace libsolve
