#include "burgers_control.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/io/state_files.hpp>
#include <libsolve/pde/formula_values.hpp>

namespace burgers_control {

void BurgersControlOptions::describe(Fields<BurgersControlOptions>& f) {
  using O = BurgersControlOptions;
  f.add("size", &O::size, Range::closed(2, 1000000), "cells of (0, 1), size - 1 inner nodes");
  f.add("steps", &O::steps, Range::closed(1, 1000000), "N time steps, all of one length");
  f.add("final_time", &O::final_time, Range::above(0.0), "T");
  f.add("scheme", &O::scheme, Choices{{"crank-nicolson", "implicit-euler"}},
        "theta = 1/2, or 1: damps what sharp corners stir up");
  f.add("viscosity", &O::viscosity, Range::above(0.0), "nu");
  f.add("control_cost", &O::control_cost, Range::at_least(0.0), "alpha, of 1/2 |u|^2");
  f.add("initial", &O::initial, "y(0): \"step\" (1 on (0, 1/2], 0 beyond), a formula in x, or FILE.h5:/DATASET");
  f.add("target", &O::target, "y_d: \"initial\", or a formula in x and t");
  f.add("force", &O::force, "f, a formula in x and t");
  f.add("control_lower", &O::control_lower, "smallest u allowed; -inf: no bound");
  f.add("control_upper", &O::control_upper, "largest u allowed; inf: no bound");
  f.add("weight", &O::weight, Choices{{"nodes", "integral"}},
        "integral: of place and time; nodes: divided by h dt, so that derivatives have the size of u");
  f.add_group(&O::form);
}

void BurgersControlOptions::check(const BurgersControlOptions& o, const std::string& prefix,
                                  const SourceLocation& where, Diagnostics& problems) {
  if (std::isnan(o.control_lower) || std::isnan(o.control_upper) ||
      o.control_lower > o.control_upper)
    problems.add(where, prefix + "control_upper",
                 "is " + format_number(o.control_upper) + ", below control_lower, " +
                     format_number(o.control_lower));
  EvolutionForm::check(o.form, true, prefix, where, problems);
  const auto add = [&](const char* key, const std::string& fault) {
    if (!fault.empty()) problems.add(where, prefix + key, fault);
  };
  if (o.initial != "step") add("initial", fault_of_spatial_function(o.initial, 1));
  const auto fault_in_time = [](const std::string& formula) {
    const std::string fault = fault_of_formula(formula, {"x", "t"});
    return fault.empty() ? fault : "is no formula in x and t: " + fault;
  };
  if (o.target != "initial") add("target", fault_in_time(o.target));
  add("force", fault_in_time(o.force));
}

BurgersData burgers_data(const BurgersControlOptions& o, const FileResolver& resolve) {
  BurgersData d;
  d.size = o.size;
  d.steps = o.steps;
  d.final_time = o.final_time;
  d.theta = o.scheme == "implicit-euler" ? 1.0 : 0.5;
  d.viscosity = o.viscosity;
  d.control_cost = o.control_cost;
  const double dt = o.final_time / o.steps;
  d.weight = o.weight == "nodes" ? o.size / dt : 1.0;
  const auto nodes = static_cast<std::size_t>(o.size) + 1, N = static_cast<std::size_t>(o.steps);
  const auto x = [&](std::size_t k) { return static_cast<double>(k % nodes) / o.size; };
  if (o.initial == "step")
    for (std::size_t i = 0; i < nodes; ++i) d.initial.push_back(i > 0 && 2 * i <= nodes - 1 ? 1.0 : 0.0);
  else
    d.initial = values_at_places(
        Communicator::self(), Box{{0, 0, 0}, {o.size + 1, 1, 1}}, 1,
        [&](int, Index i) { return x(static_cast<std::size_t>(i)); },
        [&] { return make_spatial_function(o.initial, 1, resolve); }, "initial");
  if (o.target == "initial")
    for (std::size_t n = 0; n <= N; ++n)
      d.target.insert(d.target.end(), d.initial.begin(), d.initial.end());
  else
    d.target = formula_values(
        o.target, {"x", "t"}, (N + 1) * nodes,
        [&](std::size_t k, auto v) {
          v[0] = x(k);
          v[1] = dt * static_cast<double>(k / nodes);
        },
        "target");
  d.force = formula_values(
      o.force, {"x", "t"}, N * nodes,
      [&](std::size_t k, auto v) {
        v[0] = x(k);
        v[1] = dt * (static_cast<double>(k / nodes) + d.theta);
      },
      "force");
  return d;
}

std::unique_ptr<Problem> BurgersControlSource::create() {
  const BurgersControlOptions& o = options_;
  if (context_.communicator.size() > 1)
    throw Unsupported("source 'burgers-control' works on one rank, there are " +
                      std::to_string(context_.communicator.size()));
  const auto evolution = std::make_shared<BurgersEvolution>(burgers_data(o, [&](const std::string& f) { return context_.resolve_file(f); }));
  const auto num_controls = static_cast<std::size_t>(evolution->parameter_partition().local_size());
  const double start = std::clamp(0.0, o.control_lower, o.control_upper);
  auto problem = make_program(
      evolution, o.form, state_files_in(context_.resolve_file(o.form.checkpoint_folder)),
      std::vector<double>(num_controls, start),
      {std::vector<double>(num_controls, o.control_lower),
       std::vector<double>(num_controls, o.control_upper)});
  const bool has_bounds = std::isfinite(o.control_lower) || std::isfinite(o.control_upper);
  problem->text = "control of Burgers' equation, nu " + format_number(o.viscosity) + ", " +
                  std::to_string(o.size) + " cells, " + std::to_string(o.steps) + " steps of " +
                  o.scheme + (has_bounds ? ", bounded controls" : "") +
                  (o.form.formulation == "full" ? ", states and controls" : "");
  return problem;
}

}  // namespace burgers_control
