#include "poisson_control.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>

#include "control_functions.hpp"
#include "target.hpp"

namespace poisson_control {

void PoissonControlOptions::describe(Fields<PoissonControlOptions>& f) {
  using O = PoissonControlOptions;
  f.add("size", &O::size, Range::closed(2, 8192), "N cells along each side, N - 1 inner nodes");
  f.add("dimension", &O::dimension, Range::closed(1, 3), "of the domain (0, 1)^D");
  f.add("beta", &O::beta, Range::above(0.0), "cost of the control");
  f.add("convention", &O::convention, Choices{{"beta", "half-beta"}},
        "beta: beta |u|^2, as Rees, Dollar and Wathen have it; half-beta: beta/2 |u|^2");
  f.add("target", &O::target,
        "y_d: \"rees\" (2 x - 1)^2 (2 y - 1)^2 for x, y <= 1/2, else 0; \"sine\" with a known "
        "solution; \"FILE.h5:/DATASET\"; \"FILE.png\" (2D); or a formula in x, y, z");
  f.add("boundary", &O::boundary, Choices{{"target", "zero"}}, "y on the boundary: y_d, or 0");
  f.add("domain", &O::domain,
        "the nodes where this is positive (y_d's forms, \"0.2-(x-0.5)^2-(y-0.5)^2\"); y = 0 at the "
        "others, and y_d is taken as 0 there; wants boundary = \"zero\"; \"\": all");
  f.add("control_mass", &O::control_mass, Choices{{"auto", "consistent", "lumped"}},
        "mass matrix of u; auto: lumped with bounds, so that they hold node by node");
  f.add(
      "weight", &O::weight, Choices{{"nodes", "integral"}},
      "nodes: f and c divided by h^D, so that residuals are of the size of y and u; integral: f is "
      "the integral");
  f.add("control_lower", &O::control_lower, "bound of every u");
  f.add("control_upper", &O::control_upper, "bound of every u");
}

void PoissonControlOptions::check(const PoissonControlOptions& o, const std::string& prefix,
                                  const SourceLocation& where, Diagnostics& problems) {
  if (!(o.control_lower <= o.control_upper) || o.control_lower == INFINITY ||
      o.control_upper == -INFINITY)
    problems.add(where, prefix + "control_lower",
                 "must be at most control_upper, " + format_number(o.control_upper) + ", is " +
                     format_number(o.control_lower));
  if (!o.domain.empty()) {
    const std::string domain_fault = fault_of(o.domain, o.dimension);
    if (!domain_fault.empty()) problems.add(where, prefix + "domain", "it " + domain_fault);
    if (o.boundary != "zero")
      problems.add(where, prefix + "boundary",
                   "must be \"zero\" with a domain, whose boundary runs through the box");
  }
  const std::string fault = fault_of(o.target, o.dimension);
  if (!fault.empty()) problems.add(where, prefix + "target", "is not rees or sine; it " + fault);
}

namespace {

/// Values of a padded array at the inner nodes.
std::vector<double> at_inner_nodes(const NodeGrid& grid, const std::vector<double>& padded) {
  const NodeRows& rows = grid.rows();
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(rows.num_nodes()));
  for (Index k = 0; k < rows.n[2]; ++k)
    for (Index j = 0; j < rows.n[1]; ++j)
      for (Index i = 0; i < rows.n[0]; ++i)
        values.push_back(padded[static_cast<std::size_t>(rows.place(i, j, k))]);
  return values;
}

/// Masks the grid and makes the target zero wherever the state is given as zero.
void cut_out_domain(const std::string& domain, const Context& context,
                    ControlFunctions::Data& data) {
  const std::vector<double> inside =
      at_inner_nodes(data.grid, target_at_nodes(domain, data.grid, data.control_cost, context, "domain"));
  const bool is_empty = std::none_of(inside.begin(), inside.end(), [](double v) { return v > 0.0; });
  if (!data.grid.communicator().any(!is_empty))
    throw DataError("domain = \"" + domain + "\" has no node of the grid: it is positive nowhere");
  const Vector values("poisson_control::domain", data.grid.partition());
  Kokkos::deep_copy(values.view(), Kokkos::View<const double*, Kokkos::HostSpace>(inside.data(),
                                                                                  inside.size()));
  data.grid = data.grid.masked(values);
  const auto mask = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), data.grid.mask());
  for (std::size_t i = 0; i < data.target.size(); ++i) data.target[i] *= mask(i);
}

}  // namespace

std::unique_ptr<Problem> PoissonControlSource::create() {
  const PoissonControlOptions& o = options_;
  const bool has_bounds = std::isfinite(o.control_lower) || std::isfinite(o.control_upper);
  ControlFunctions::Data data;
  data.grid =
      NodeGrid(o.dimension, {o.size, o.size, o.size}, {1.0, 1.0, 1.0}, context_.communicator);
  data.control_cost = o.convention == "beta" ? 2.0 * o.beta : o.beta;
  data.weight = o.weight == "nodes" ? 1.0 / data.grid.cell_volume() : 1.0;
  data.lumped = o.control_mass == "lumped" || (o.control_mass == "auto" && has_bounds);
  data.zero_boundary = o.boundary == "zero";
  data.target = target_at_nodes(o.target, data.grid, data.control_cost, context_, "target");
  if (!o.domain.empty()) cut_out_domain(o.domain, context_, data);
  const auto functions = std::make_shared<ControlFunctions>(data);

  const auto n = static_cast<std::size_t>(functions->num_constraints());
  Bounds bounds{std::vector<double>(2 * n, -INFINITY), std::vector<double>(2 * n, INFINITY)};
  std::vector<double> start(2 * n, 0.0);
  const std::vector<bool> is_inside = functions->nodes_inside();
  for (std::size_t i = 0; i < n; ++i) {
    if (!is_inside[i]) continue;  // no bounds outside: u = 0 may break them
    bounds.lower[n + i] = o.control_lower;
    bounds.upper[n + i] = o.control_upper;
    start[n + i] = std::clamp(0.0, o.control_lower, o.control_upper);
  }
  const Bounds equal{std::vector<double>(n, 0.0), std::vector<double>(n, 0.0)};
  auto problem = std::make_unique<NonlinearProgram>(functions, bounds, equal, start);
  problem->text = std::to_string(o.dimension) + "D Poisson control, " + std::to_string(o.size) +
                  " cells a side, beta " + format_number(o.beta) +
                  (has_bounds ? ", bounded controls" : "");
  return problem;
}

}  // namespace poisson_control
