#include "advection.hpp"

#include <algorithm>
#include <array>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/io/state_files.hpp>
#include <libsolve/pde/formula_values.hpp>
#include <numeric>

namespace advection {

ComponentSpec default_solver() {
  ComponentSpec spec("gmres");
  spec.options.set("preconditioner", Value("none"));
  spec.options.set("relative_tolerance", Value(1e-12));
  return spec;
}

void AdvectionOptions::describe(Fields<AdvectionOptions>& f) {
  using O = AdvectionOptions;
  f.add("size", &O::size, Range::closed(3, 4096), "N cells along each side");
  f.add("steps", &O::steps, Range::closed(1, 100000), "time steps, all of one length");
  f.add("final_time", &O::final_time, Range::above(0.0), "T");
  f.add("velocity_cost", &O::velocity_cost, Range::at_least(0.0), "alpha, of the velocity's energy");
  f.add("initial", &O::initial, "y(0), a formula in x, y, a picture or FILE.h5:/DATASET; scaled to the integral 1");
  f.add("target", &O::target, "d, what y(T) should be, likewise");
  f.add("reference_x", &O::reference_x,
        "x component of u_r, the velocity that costs nothing, a formula in x, y, t");
  f.add("reference_y", &O::reference_y, "y component of u_r, likewise");
  f.add_group(&O::form);
  f.add_component("solver", &O::solver, LinearSolver::kind,
                  "for the steps, whose systems are not symmetric; its tolerance is what derivatives "
                  "are exact to");
}

void AdvectionOptions::check(const AdvectionOptions& o, const std::string& prefix,
                             const SourceLocation& where, Diagnostics& problems) {
  EvolutionForm::check(o.form, true, prefix, where, problems);
  const auto check_density = [&](const char* key, const std::string& text) {
    const std::string fault = fault_of_spatial_function(text, 2);
    if (!fault.empty()) problems.add(where, prefix + key, fault);
  };
  check_density("initial", o.initial);
  check_density("target", o.target);
  const auto check_velocity = [&](const char* key, const std::string& formula) {
    const std::string fault = fault_of_formula(formula, {"x", "y", "t"});
    if (!fault.empty())
      problems.add(where, prefix + key, "is no formula in x, y and t: " + fault);
  };
  check_velocity("reference_x", o.reference_x);
  check_velocity("reference_y", o.reference_y);
}

AdvectionData advection_data(const AdvectionOptions& o, const FileResolver& resolve) {
  AdvectionData d;
  d.size = o.size;
  d.steps = o.steps;
  d.final_time = o.final_time;
  d.velocity_cost = o.velocity_cost;
  const auto n = static_cast<std::size_t>(o.size), cells = n * n;
  const double h = 1.0 / o.size, dt = o.final_time / o.steps;
  const auto place = [&](std::size_t c, std::span<double> v) {
    v[0] = h * (static_cast<double>(c % n) + 0.5);
    v[1] = h * (static_cast<double>(c / n) + 0.5);
  };
  const auto density = [&](const char* key, const std::string& text) {
    std::vector<double> y = values_at_places(
        Communicator::self(), Box{{0, 0, 0}, {o.size, o.size, 1}}, 2,
        [&](int, Index i) { return h * (i + 0.5); },
        [&] { return make_spatial_function(text, 2, resolve); }, key);
    if (const auto least = std::min_element(y.begin(), y.end()); *least < 0.0) {
      std::array<double, 2> at{};
      place(static_cast<std::size_t>(least - y.begin()), at);
      throw DataError(std::string(key) + " = \"" + text + "\" is " + format_number(*least) + " at (" +
                      format_number(at[0]) + ", " + format_number(at[1]) +
                      "); a density must not be negative");
    }
    const double total = h * h * std::accumulate(y.begin(), y.end(), 0.0);
    if (!(total > 0.0))
      throw DataError(std::string(key) + " = \"" + text + "\" has the integral " +
                      format_number(total) + "; a density needs a positive one");
    for (double& v : y) v /= total;
    return y;
  };
  d.initial = density("initial", o.initial);
  d.target = density("target", o.target);
  // Step n = 1, ..., N has the velocity of t_{n-1}.
  const std::array<std::pair<const char*, const std::string*>, 2> reference = {
      {{"reference_x", &o.reference_x}, {"reference_y", &o.reference_y}}};
  for (int step = 0; step < o.steps; ++step)
    for (const auto& [key, formula] : reference) {
      const auto u = formula_values(
          *formula, {"x", "y", "t"}, cells,
          [&](std::size_t c, std::span<double> v) {
            place(c, v);
            v[2] = dt * step;
          },
          key);
      d.reference.insert(d.reference.end(), u.begin(), u.end());
    }
  return d;
}

std::unique_ptr<Problem> AdvectionSource::create() {
  const AdvectionOptions& o = options_;
  if (context_.communicator.size() > 1)
    throw Unsupported("source 'advection' works on one rank, there are " +
                      std::to_string(context_.communicator.size()));
  AdvectionData data = advection_data(o, [&](const std::string& f) { return context_.resolve_file(f); });
  data.solver = context_.make<LinearSolver>(o.solver);
  auto problem =
      make_program(std::make_shared<AdvectionEvolution>(data), o.form,
                   state_files_in(context_.resolve_file(o.form.checkpoint_folder)), data.reference);
  problem->text = "velocity of a density, " + std::to_string(o.size) + " x " +
                  std::to_string(o.size) + " cells, " + std::to_string(o.steps) + " steps" +
                  (o.form.formulation == "full" ? ", densities and velocities" : "");
  return problem;
}

}  // namespace advection
