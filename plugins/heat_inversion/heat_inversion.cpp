#include "heat_inversion.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/io/spatial_function.hpp>
#include <libsolve/io/state_files.hpp>
#include <libsolve/pde/inner_nodes.hpp>

#include "heat_data.hpp"
#include "heat_functions.hpp"

namespace heat_inversion {

ComponentSpec default_solver() {
  ComponentSpec spec("cg");
  spec.options.set("preconditioner", Value("multigrid"));
  spec.options.set("relative_tolerance", Value(1e-13));
  return spec;
}

void HeatInversionOptions::describe(Fields<HeatInversionOptions>& f) {
  using O = HeatInversionOptions;
  f.add("size", &O::size, Range::closed(2, 8192), "N cells along each side, N - 1 inner nodes");
  f.add("dimension", &O::dimension, Range::closed(1, 3), "of the domain (0, 1)^D");
  f.add("final_time", &O::final_time, Range::above(0.0), "T");
  f.add("steps", &O::steps, Range::closed(1, 1000000), "time steps, all of one length");
  f.add("scheme", &O::scheme, Choices{{"crank-nicolson", "implicit-euler"}},
        "theta = 1/2, or 1; the reaction is explicit in both");
  f.add("reaction", &O::reaction,
        "a, b, c of r(u) = a u + b u^2 + c u^3 in u_t = Laplace u - r(u); none: the heat equation");
  f.add("initial", &O::initial, "u(0) that data are made from: a formula in x, y, z, \"FILE.h5:/DATASET\" or \"FILE.png\" (2D)");
  f.add("data", &O::data, "d: \"simulated\" from initial by the same scheme; or as initial");
  f.add("noise", &O::noise, Range::at_least(0.0),
        "simulated: standard deviation of the noise over the largest |u(T)|");
  f.add("value_cost", &O::value_cost, Range::at_least(0.0), "gamma_0, of 1/2 |m|^2");
  f.add("gradient_cost", &O::gradient_cost, Range::at_least(0.0), "gamma_1, of 1/2 |grad m|^2");
  f.add("weight", &O::weight, Choices{{"nodes", "integral"}},
        "nodes: sums over the inner nodes; integral: times h^D");
  f.add("checkpoints", &O::checkpoints, Choices{{"auto", "none", "all", "sqrt", "binomial"}},
        "states kept for the adjoint; auto: none without a reaction or with a linear one, which need "
        "none, else all");
  f.add("slots", &O::slots, Range::closed(1, 1000000), "binomial: states kept at once");
  f.add("checkpoint_folder", &O::checkpoint_folder,
        "where states are kept in HDF5 files, removed afterwards; \"\": in memory");
  f.add_component("solver", &O::solver, LinearSolver::kind,
                  "for the steps; its tolerance is what derivatives are exact to");
  f.add_component("integrator", &O::integrator, TimeIntegrator::kind,
                  "in place of steps, scheme, checkpoints, slots, solver: chooses its steps by itself, derivatives "
                  "to its tolerance; none: the theta scheme, derivatives exact");
}

void HeatInversionOptions::check(const HeatInversionOptions& o, const std::string& prefix,
                                 const SourceLocation& where, Diagnostics& problems) {
  if (o.reaction.size() > 3)
    problems.add(where, prefix + "reaction", "takes three numbers at most");
  for (const double a : o.reaction)
    if (!std::isfinite(a)) problems.add(where, prefix + "reaction", "must be finite");
  const bool is_linear =
      (o.reaction.size() < 2 || o.reaction[1] == 0.0) && (o.reaction.size() < 3 || o.reaction[2] == 0.0);
  if (o.checkpoints == "none" && !is_linear && o.integrator.name == "none")
    problems.add(where, prefix + "checkpoints",
                 "\"none\" is for linear reactions: the adjoint of this one needs its states");
  const auto check_function = [&](const char* key, const std::string& text) {
    const std::string fault = fault_of_spatial_function(text, o.dimension);
    if (!fault.empty()) problems.add(where, prefix + key, fault);
  };
  check_function("initial", o.initial);
  if (o.data != "simulated") check_function("data", o.data);
}

namespace {

Vector on_device(const std::vector<double>& values, const Partition& partition) {
  const Vector v("heat_inversion::data", partition);
  Kokkos::deep_copy(v.view(), Kokkos::View<const double*, Kokkos::HostSpace>(values.data(),
                                                                             values.size()));
  return v;
}

}  // namespace

std::unique_ptr<Problem> HeatInversionSource::create() {
  const HeatInversionOptions& o = options_;
  const GridPartition parts = inner_nodes(o.dimension, o.size, context_.communicator);
  HeatFunctions::Data made{.parts = parts};
  made.weight = o.weight == "nodes" ? 1.0 : std::pow(1.0 / o.size, o.dimension);
  made.value_cost = o.value_cost;
  made.gradient_cost = o.gradient_cost;
  made.theta = o.scheme == "implicit-euler" ? 1.0 : 0.5;
  made.final_time = o.final_time;
  made.steps = o.steps;
  const auto coefficient = [&](std::size_t k) { return k < o.reaction.size() ? o.reaction[k] : 0.0; };
  made.reaction = {coefficient(0), coefficient(1), coefficient(2)};
  made.checkpoints = o.checkpoints;
  made.slots = o.slots;
  if (!o.checkpoint_folder.empty())
    made.make_store = state_files_in(context_.resolve_file(o.checkpoint_folder));
  const bool is_integrated = o.integrator.name != "none";
  if (is_integrated)
    made.make_integrator = [context = context_, spec = o.integrator] {
      return context.make<TimeIntegrator>(spec);
    };
  else
    made.solver = context_.make<LinearSolver>(o.solver);
  const auto functions = std::make_shared<HeatFunctions>(made);
  if (is_integrated)
    if (const std::string why = functions->integrated()->integrator().why_no_adjoint(); !why.empty())
      throw Unsupported("problem.integrator = \"" + o.integrator.name + "\": " + why);

  const Partition& partition = parts.partition();
  if (o.data == "simulated") {
    const Vector truth = on_device(values_at_nodes("initial", o.initial, parts, context_), partition);
    const Vector last = functions->simulate(truth);
    if (!std::isfinite(norm2(last)))
      throw DataError("the simulated data are not finite" +
                      (functions->fault().empty() ? "" : ": " + functions->fault()));
    const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), last.view());
    std::vector<double> d(host.data(), host.data() + host.extent(0));
    add_noise(parts, o.noise, context_.seed, d);
    functions->set_data(on_device(d, partition));
    functions->set_truth(truth);
  } else {
    functions->set_data(on_device(values_at_nodes("data", o.data, parts, context_), partition));
  }
  const auto n = static_cast<std::size_t>(partition.local_size());
  auto problem = std::make_unique<NonlinearProgram>(
      functions, Bounds{std::vector<double>(n, -INFINITY), std::vector<double>(n, INFINITY)},
      Bounds{}, std::vector<double>(n, 0.0));
  problem->text = std::to_string(o.dimension) + "D initial state of the heat equation, " +
                  std::to_string(o.size) + " cells a side, " +
                  (is_integrated ? "steps of '" + o.integrator.name + "'"
                                 : std::to_string(o.steps) + " steps of " + o.scheme) +
                  (functions->is_linear() ? "" : ", with a reaction");
  return problem;
}

}  // namespace heat_inversion
