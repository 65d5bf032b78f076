#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <libsolve/core/errors.hpp>
#include <libsolve/optimize/composite_functions.hpp>
#include <libsolve/optimize/detail/check_bounds.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <limits>

namespace libsolve {

namespace {

std::size_t size_of(Index n) {
  return static_cast<std::size_t>(n);
}

std::vector<double> on_host(const Vector& v) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v.view());
  return {host.data(), host.data() + host.extent(0)};
}

void put(std::span<const double> values, const Vector& v) {
  if (values.size() != size_of(v.local_size()))
    throw ShapeError("a solution of " + std::to_string(values.size()) + " entries for " +
                     std::to_string(v.local_size()));
  Kokkos::deep_copy(v.view(),
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
}

/// max that keeps NaN.
void raise(double& largest, double value) {
  if (std::isnan(value) || value > largest) largest = value;
}

/// Violation of bounds and natural residual of one kind of constraint.
void measure(const Bounds& b, std::span<const double> values, std::span<const double> multipliers,
             KktResidual& r) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double below = b.lower[i] - values[i], above = values[i] - b.upper[i];
    if (std::isnan(values[i])) r.constraint_violation = values[i];
    if (below > 0.0) raise(r.constraint_violation, below / std::max(1.0, std::abs(b.lower[i])));
    if (above > 0.0) raise(r.constraint_violation, above / std::max(1.0, std::abs(b.upper[i])));
    if (b.is_equality(i)) continue;
    const double m = multipliers[i];
    const double distance = m > 0.0 ? std::max(0.0, -above) : std::max(0.0, -below);
    raise(r.complementarity, std::min(std::abs(m), distance));
  }
}

/// The largest over the ranks, NaN where one has it.
void over_ranks(const Communicator& comm, std::initializer_list<double*> values) {
  if (comm.size() == 1) return;
  std::vector<double> largest, is_nan;
  for (const double* v : values) {
    is_nan.push_back(std::isnan(*v) ? 1.0 : 0.0);
    largest.push_back(std::isnan(*v) ? 0.0 : *v);
  }
  comm.max(largest);
  comm.max(is_nan);
  std::size_t k = 0;
  for (double* v : values) {
    *v = is_nan[k] > 0.0 ? std::numeric_limits<double>::quiet_NaN() : largest[k];
    ++k;
  }
}

}  // namespace

void detail::check_bounds(const Bounds& b, std::size_t size, const std::string& what) {
  if (b.lower.size() != size || b.upper.size() != size)
    throw ShapeError(what + ": there are " + std::to_string(b.lower.size()) + " lower and " +
                     std::to_string(b.upper.size()) + " upper bounds, expected " +
                     std::to_string(size));
  for (std::size_t i = 0; i < size; ++i) {
    if (b.lower[i] <= b.upper[i] && b.lower[i] < INFINITY && b.upper[i] > -INFINITY) continue;
    throw DataError(what + " " + std::to_string(i + 1) + ": bounds " + std::to_string(b.lower[i]) +
                    " and " + std::to_string(b.upper[i]) +
                    " leave nothing; the lower one must be at most the upper one, both numbers");
  }
}

double KktResidual::largest() const {
  double value = stationarity;
  raise(value, constraint_violation);
  raise(value, complementarity);
  return value;
}

KktResidual kkt_residual(const Bounds& variables, const Bounds& constraints,
                         std::span<const double> x, std::span<const double> c,
                         std::span<const double> g, std::span<const double> Jt_lambda,
                         std::span<const double> lambda, std::span<const double> z,
                         const Communicator& comm) {
  KktResidual r;
  double g_norm = 0.0;
  for (std::size_t j = 0; j < x.size(); ++j) {
    raise(g_norm, std::abs(g[j]));
    raise(r.stationarity, std::abs(g[j] + Jt_lambda[j] + z[j]));
  }
  measure(constraints, c, lambda, r);
  measure(variables, x, z, r);
  for (const double l : lambda)
    if (!std::isfinite(l)) r.stationarity = std::numeric_limits<double>::quiet_NaN();
  over_ranks(comm, {&g_norm, &r.stationarity, &r.constraint_violation, &r.complementarity});
  r.stationarity /= std::max(1.0, g_norm);
  return r;
}

NonlinearProgram::NonlinearProgram(std::shared_ptr<ProgramFunctions> functions, Bounds variables,
                                   Bounds constraints, const std::vector<double>& start)
    : functions_(std::move(functions)),
      variables_(std::move(variables)),
      constraints_(std::move(constraints)) {
  const std::size_t n = size_of(functions_->num_variables());
  detail::check_bounds(variables_, n, "variable");
  detail::check_bounds(constraints_, size_of(functions_->num_constraints()), "constraint");
  if (start.size() != n)
    throw ShapeError("the start has " + std::to_string(start.size()) + " values for " +
                     std::to_string(n) + " variables");
  for (std::size_t i = 0; i < n; ++i)
    if (!std::isfinite(start[i]))
      throw DataError("the start of variable " + std::to_string(i + 1) + " is not finite");
  const Communicator comm = functions_->communicator();
  const auto over = [&](Index size) {
    return comm.size() == 1 ? Partition(size) : Partition(comm, size);
  };
  x_ = Vector("optimize::x", over(functions_->num_variables()));
  bound_multipliers_ = x_.like("optimize::bound_multipliers");
  multipliers_ = Vector("optimize::multipliers", over(functions_->num_constraints()));
  put(start, x_);
}

NonlinearProgram::~NonlinearProgram() = default;

std::vector<double> NonlinearProgram::host_x() const {
  return on_host(x_);
}
std::vector<double> NonlinearProgram::host_multipliers() const {
  return on_host(multipliers_);
}
std::vector<double> NonlinearProgram::host_bound_multipliers() const {
  return on_host(bound_multipliers_);
}

void NonlinearProgram::set_solution(std::span<const double> x, std::span<const double> multipliers,
                                    std::span<const double> bound_multipliers) {
  put(x, x_);
  put(multipliers, multipliers_);
  put(bound_multipliers, bound_multipliers_);
  has_multipliers = true;
}

KktResidual NonlinearProgram::kkt_residual() const {
  const HostAccess at(*functions_);
  const std::vector<double> x = host_x(), lambda = host_multipliers();
  std::vector<double> g(x.size()), c(lambda.size()), Jt_lambda(x.size());
  at.gradient(x, g);
  at.constraints(x, c);
  if (!c.empty()) at.apply_jacobian_adjoint(x, lambda, Jt_lambda);
  return libsolve::kkt_residual(variables_, constraints_, x, c, g, Jt_lambda, lambda,
                                host_bound_multipliers(), communicator());
}

std::vector<Field> NonlinearProgram::solution() const {
  std::vector<Field> fields(3);
  fields[0] = {.name = "x", .values = x_, .description = "variables"};
  fields[1] = {.name = "multipliers",
               .values = multipliers_,
               .description = "lambda of the constraints, >= 0 at upper bounds"};
  fields[2] = {.name = "bound_multipliers",
               .values = bound_multipliers_,
               .description = "z of the variables' bounds, >= 0 at upper bounds"};
  if (multipliers_.global_size() == 0) fields.erase(fields.begin() + 1);
  for (Field& field : functions_->fields(x_.view(), multipliers_.view()))
    fields.push_back(std::move(field));
  return fields;
}

std::vector<Field> NonlinearProgram::data() const {
  const auto field = [](const char* name, const std::vector<double>& values,
                        const Partition& partition, const char* text) {
    const Vector v(std::string("optimize::") + name, partition);
    put(values, v);
    return Field{.name = name, .values = v, .description = text};
  };
  const Partition &n = x_.partition(), &m = multipliers_.partition();
  std::vector<Field> fields = {
      field("lower", variables_.lower, n, "lower bounds of the variables"),
      field("upper", variables_.upper, n, "upper bounds of the variables")};
  if (multipliers_.global_size() > 0) {
    fields.push_back(field("constraint_lower", constraints_.lower, m, "lower bounds of c(x)"));
    fields.push_back(field("constraint_upper", constraints_.upper, m, "upper bounds of c(x)"));
  }
  for (Field& more : functions_->data_fields()) fields.push_back(std::move(more));
  return fields;
}

std::vector<Measure> NonlinearProgram::verify() const {
  if (const auto* sum = dynamic_cast<const CompositeFunctions*>(functions_.get()))
    return sum->verify(x_);
  const KktResidual r = kkt_residual();
  const double f = functions_->objective(x_.view());
  return {{"kkt_residual", r.largest()},
          {"stationarity", r.stationarity},
          {"constraint_violation", r.constraint_violation},
          {"complementarity", r.complementarity},
          {"objective", is_maximisation ? -f : f}};
}

}  // namespace libsolve
