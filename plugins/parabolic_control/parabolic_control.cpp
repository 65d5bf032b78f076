#include "parabolic_control.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/io/spatial_function.hpp>
#include <libsolve/io/state_files.hpp>
#include <libsolve/pde/inner_nodes.hpp>
#include <libsolve/pde/point_interpolation.hpp>

#include "conductivity_evolution.hpp"
#include "source_evolution.hpp"

namespace parabolic_control {

ComponentSpec default_solver() {
  ComponentSpec spec("cg");
  spec.options.set("preconditioner", Value("multigrid"));
  spec.options.set("relative_tolerance", Value(1e-13));
  return spec;
}

void ParabolicControlOptions::describe(Fields<ParabolicControlOptions>& f) {
  using O = ParabolicControlOptions;
  f.add("control", &O::control, Choices{{"source", "conductivity"}},
        "source: u(x, t) on the right-hand side, for a target; conductivity: e^m, from data at "
        "points");
  f.add("size", &O::size, Range::closed(2, 8192),
        "cells along each side; auto: 32, conductivity 8");
  f.add("dimension", &O::dimension, Range::closed(1, 3),
        "of the domain (0, 1)^D; auto: 2, conductivity 3 (and 2 or 3)");
  f.add("steps", &O::steps, Range::closed(1, 1000000),
        "time steps, all of one length; auto: 32, conductivity 8");
  f.add("final_time", &O::final_time, Range::above(0.0), "T");
  f.add("initial", &O::initial,
        "y(0), a formula in x, y, z, FILE.h5:/DATASET or a picture; auto: 0, of the target sine "
        "its own, conductivity: 1000 where all |x_a - 1/2| < 1/10");
  f.add("scheme", &O::scheme, Choices{{"crank-nicolson", "implicit-euler"}},
        "source: theta = 1/2, or 1; conductivity: always the latter");
  f.add("tracking", &O::tracking, Choices{{"all", "final", "both"}},
        "source: y should be target at all times, final_target at T, or both");
  f.add("target", &O::target,
        "source: y_d, sine (a solution in closed form), a formula in x, y, z, t, FILE.h5:/DATASET "
        "or a picture");
  f.add("final_target", &O::final_target, "source: y_T, a formula in x, y, z, a dataset, a picture");
  f.add("final_cost", &O::final_cost, Range::above(0.0), "source: kappa, of 1/2 |y(T) - y_T|^2");
  f.add("control_cost", &O::control_cost, Range::above(0.0), "source: alpha, of 1/2 int |u|^2");
  f.add("control_lower", &O::control_lower, "source: bound of u");
  f.add("control_upper", &O::control_upper, "source: bound of u");
  f.add("weight", &O::weight, Choices{{"nodes", "integral"}},
        "source: nodes: sums over the inner nodes; integral: times h^D");
  f.add("pictures", &O::pictures, Range::closed(1, 1000), "source: times to store fields of");
  f.add("true_parameter", &O::true_parameter, "conductivity: m that data are made from, as initial");
  f.add("num_points", &O::num_points, Range::closed(1, 1000000),
        "conductivity: points to see y at, drawn in [0.06, 0.94]^D");
  f.add("points", &O::points, "conductivity: the points, D numbers each, in place of drawn ones");
  f.add("num_samples", &O::num_samples, Range::closed(1, 1000000),
        "conductivity: times to see y at, evenly spaced, the last one among them");
  f.add("offset", &O::offset, "conductivity: added to all data");
  f.add("noise", &O::noise, Range::at_least(0.0),
        "conductivity: standard deviation of normal noise added to data");
  f.add("gradient_cost", &O::gradient_cost, Range::at_least(0.0),
        "conductivity: alpha, of alpha/2 (|grad m|^2 + beta |m|^2)");
  f.add("value_cost", &O::value_cost, Range::at_least(0.0), "conductivity: beta");
  f.add_group(&O::form);
  f.add_component("solver", &O::solver, LinearSolver::kind,
                  "for the steps; its tolerance is what derivatives are exact to");
}

void ParabolicControlOptions::check(const ParabolicControlOptions& o, const std::string& prefix,
                                    const SourceLocation& where, Diagnostics& problems) {
  const auto add = [&](const char* key, const std::string& fault) {
    if (!fault.empty()) problems.add(where, prefix + key, fault);
  };
  if (o.initial != "auto") add("initial", fault_of_spatial_function(o.initial, o.axes()));
  EvolutionForm::check(o.form, !o.has_source() || o.tracking != "final", prefix, where, problems);
  if (o.has_source()) {
    if (o.target != "sine" && o.tracking != "final")
      add("target", fault_of_target(o.target, o.axes()));
    if (o.tracking != "all") add("final_target", fault_of_spatial_function(o.final_target, o.axes()));
    if (!(o.control_lower <= o.control_upper))
      add("control_upper", "must be at least control_lower");
    return;
  }
  if (o.initial == "auto" && o.cells() % 2 == 0 && o.cells() < 6)
    add("size", "must be at least 6, or odd, for initial = \"auto\": no cell's centre is where the heat is, so "
                "that states say nothing about the conductivity");
  if (o.axes() < 2) add("dimension", "must be 2 or 3 for control = \"conductivity\"");
  add("true_parameter", fault_of_spatial_function(o.true_parameter, o.axes()));
  if (o.points.size() % static_cast<std::size_t>(o.axes()) != 0)
    add("points", "wants " + std::to_string(o.axes()) + " numbers for each point, has " +
                      std::to_string(o.points.size()));
  for (const double x : o.points)
    if (!(x >= 0.0 && x <= 1.0)) add("points", "must lie in [0, 1]^D");
  if (o.num_samples > o.num_steps())
    add("num_samples", "must be at most steps, which is " + std::to_string(o.num_steps()));
}

namespace {

std::function<std::shared_ptr<StateStore>()> checkpoint_files(const ParabolicControlOptions& o,
                                                              const Context& context) {
  const std::string& folder = o.form.checkpoint_folder;
  return state_files_in(folder.empty() ? folder : context.resolve_file(folder));
}

}  // namespace

std::unique_ptr<Problem> ParabolicControlSource::create() {
  return options_.has_source() ? create_source() : create_conductivity();
}

std::unique_ptr<NonlinearProgram> ParabolicControlSource::create_source() const {
  const ParabolicControlOptions& o = options_;
  const GridPartition nodes = inner_nodes(o.axes(), o.cells(), context_.communicator);
  SourceEvolution::Data data{.nodes = nodes};
  data.weight = o.weight == "nodes" ? 1.0 : std::pow(1.0 / o.cells(), o.axes());
  data.theta = o.scheme == "implicit-euler" ? 1.0 : 0.5;
  data.final_time = o.final_time;
  data.steps = o.num_steps();
  data.tracks_all = o.tracking != "final";
  data.final_cost = o.tracking == "all" ? 0.0 : o.final_cost;
  data.control_cost = o.control_cost;
  data.num_pictures = o.pictures;
  data.solver = context_.make<LinearSolver>(o.solver);

  const SineSolution sine{o.axes(), o.final_time, o.control_cost};
  static constexpr const char* mode[] = {"sin(pi*x)", "sin(pi*x)*sin(pi*y)",
                                         "sin(pi*x)*sin(pi*y)*sin(pi*z)"};
  const std::string phi = mode[o.axes() - 1];
  std::vector<double> times;
  for (int n = 0; n <= data.steps; ++n) times.push_back(o.final_time * n / data.steps);
  const bool is_sine = o.target == "sine" && data.tracks_all;
  if (is_sine) {
    std::vector<double> factors;
    for (const double t : times) factors.push_back(sine.target(t));
    data.target = TargetInTime(values_at_nodes("target", phi, nodes, context_), factors);
  } else if (data.tracks_all) {
    data.target = TargetInTime(o.target, nodes, times, context_);
  }
  if (o.tracking != "all")
    data.final_target = values_at_nodes("final_target", o.final_target, nodes, context_);
  const std::string initial = o.initial != "auto" ? o.initial : is_sine ? phi : "0";
  data.initial = values_at_nodes("initial", initial, nodes, context_);

  const auto evolution = std::make_shared<SourceEvolution>(data);
  const auto n = static_cast<std::size_t>(evolution->parameter_partition().local_size());
  const double start = std::clamp(0.0, o.control_lower, o.control_upper);
  auto problem = make_program(
      evolution, o.form, checkpoint_files(o, context_),
      std::vector<double>(n, start),
      {std::vector<double>(n, o.control_lower), std::vector<double>(n, o.control_upper)});
  problem->text = std::to_string(o.axes()) + "D heat equation controlled by its source, " +
                  std::to_string(o.cells()) + " cells a side, " + std::to_string(data.steps) +
                  " steps of " + o.scheme + ", " + o.form.formulation;
  return problem;
}

namespace {

/// A function of place at the centres of cells.
Vector values_in_cells(const std::string& key, const std::string& text, const Grid& grid,
                       const Context& context) {
  const auto resolve = [&](const std::string& file) { return context.resolve_file(file); };
  const GridPartition cells(grid);
  const std::vector<double> values = values_at_places(
      cells.communicator(), cells.own(), grid.dimension,
      [&](int axis, Index i) { return grid.spacing[static_cast<std::size_t>(axis)] * (i + 0.5); },
      [&] { return make_spatial_function(text, grid.dimension, resolve); }, key + " '" + text + "'");
  const Vector v("parabolic_control::values", cells.partition());
  Kokkos::deep_copy(v.view(), Kokkos::View<const double*, Kokkos::HostSpace>(values.data(),
                                                                             values.size()));
  return v;
}

/// 1000 in the cells with all |x_a - 1/2| < 1/10 (of the example in TAO).
Vector heat_in_the_middle(const Grid& grid) {
  const Vector v("parabolic_control::initial", Partition(grid.num_cells()));
  const auto host = Kokkos::create_mirror_view(v.view());
  for (std::size_t c = 0; c < host.extent(0); ++c) {
    bool is_inside = true;
    auto rest = static_cast<Index>(c);
    for (std::size_t a = 0; a < static_cast<std::size_t>(grid.dimension); ++a) {
      const double x = grid.spacing[a] * (rest % grid.cells[a] + 0.5);
      is_inside = is_inside && x > 0.4 && x < 0.6;
      rest /= grid.cells[a];
    }
    host(c) = is_inside ? 1000.0 : 0.0;
  }
  Kokkos::deep_copy(v.view(), host);
  return v;
}

std::vector<std::array<double, 3>> points_of(const ParabolicControlOptions& o, std::uint64_t seed) {
  const auto axes = static_cast<std::size_t>(o.axes());
  std::vector<double> numbers = o.points;
  const RandomStream stream(seed, "parabolic_control::points");
  if (numbers.empty())
    for (std::size_t k = 0; k < axes * static_cast<std::size_t>(o.num_points); ++k)
      numbers.push_back(stream.uniform(k, 0.06, 0.94));
  std::vector<std::array<double, 3>> points(numbers.size() / axes, {0.0, 0.0, 0.0});
  for (std::size_t k = 0; k < numbers.size(); ++k) points[k / axes][k % axes] = numbers[k];
  return points;
}

/// Data of the steps with samples: what is seen of the truth, offset and noise.
std::vector<Vector> data_of(const ParabolicControlOptions& o, std::vector<Vector> seen,
                            std::uint64_t seed) {
  const RandomStream stream(seed, "parabolic_control::noise");
  std::vector<Vector> data(seen.size());
  std::uint64_t drawn = 0;
  for (int k = 1; k <= o.num_samples; ++k) {
    // The last of each of num_samples parts of the time, cut where they do not divide it.
    const auto n = static_cast<std::size_t>(static_cast<std::int64_t>(o.num_steps()) * k /
                                            o.num_samples - 1);
    const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), seen[n].view());
    for (std::size_t i = 0; i < host.extent(0); ++i)
      host(i) += o.offset + o.noise * stream.normal(drawn++);
    Kokkos::deep_copy(seen[n].view(), host);
    data[n] = seen[n];
  }
  return data;
}

}  // namespace

std::unique_ptr<NonlinearProgram> ParabolicControlSource::create_conductivity() const {
  const ParabolicControlOptions& o = options_;
  if (context_.communicator.size() > 1)
    throw Unsupported("source 'parabolic-control' with control = \"conductivity\" works on one rank, "
                      "there are " + std::to_string(context_.communicator.size()));
  const Grid grid = LogDiffusion(o.axes(), o.cells(), LogDiffusion::Walls::insulated).grid();
  ConductivityEvolution::Data data;
  data.dimension = o.axes();
  data.cells = o.cells();
  data.final_time = o.final_time;
  data.steps = o.num_steps();
  data.alpha = o.gradient_cost;
  data.beta = o.value_cost;
  data.solver = context_.make<LinearSolver>(o.solver);
  data.product_solver = context_.make<LinearSolver>(o.solver);
  data.Q = point_interpolation(grid, points_of(o, context_.seed));
  data.initial = o.initial == "auto" ? heat_in_the_middle(grid)
                                     : values_in_cells("initial", o.initial, grid, context_);
  data.truth = values_in_cells("true_parameter", o.true_parameter, grid, context_);
  const auto evolution = std::make_shared<ConductivityEvolution>(data);
  const std::vector<Vector> seen = evolution->observe(data.truth);
  for (const Vector& v : seen)
    if (!std::isfinite(norm2(v)))
      throw DataError("the simulated data are not finite" +
                      (evolution->fault().empty() ? "" : ": " + evolution->fault()));
  evolution->set_data(data_of(o, seen, context_.seed));
  auto problem = make_program(
      evolution, o.form, checkpoint_files(o, context_),
      std::vector<double>(static_cast<std::size_t>(grid.num_cells()), 0.0));
  problem->text = std::to_string(o.axes()) + "D conductivity of a heat equation, " +
                  std::to_string(o.cells()) + " cells a side, " + std::to_string(data.steps) +
                  " steps, seen at " + std::to_string(data.Q->row_partition().global_size()) +
                  " points, " + o.form.formulation;
  return problem;
}

}  // namespace parabolic_control
