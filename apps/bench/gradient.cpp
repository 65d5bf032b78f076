#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <libsolve/optimize/solve_counts.hpp>
#include <libsolve/pde/time_integrator.hpp>

#include "bench.hpp"

namespace bench {

using namespace libsolve;  // NOLINT: an application is written in terms of the library

namespace {

constexpr int slots = 10;

std::unique_ptr<Problem> make(const Context& context, const GradientCase& c,
                              const std::string& checkpoints, const std::string& integrator) {
  ComponentSpec source("heat-inversion");
  source.options.set("dimension", c.dimension);
  source.options.set("size", c.size);
  source.options.set("steps", c.steps);
  source.options.set("checkpoints", checkpoints);
  source.options.set("slots", slots);
  source.options.set("integrator", integrator);
  return context.make<ProblemSource>(source)->create();
}

/// Seconds of call(x) at a point not met before, the best so far in `best`.
template <class Call>
void time_once(const Settings& settings, NonlinearProgram& program, int point, double& best,
               const Call& call) {
  fill_uniform(program.x(), RandomStream(static_cast<std::uint64_t>(point), "bench::gradient"));
  Kokkos::fence("bench::gradient");
  const double start = now(settings.clock);
  call();
  Kokkos::fence("bench::gradient");
  const double seconds = now(settings.clock) - start;
  if (best == 0.0 || seconds < best) best = seconds;
}

/// A row's problem, and that of the runs forward it is compared with.
struct Contestant {
  std::shared_ptr<Problem> problem, forward;
  GradientRow row;
};

std::vector<Contestant> contestants(const Registry& registry, const GradientCase& c) {
  Context context;
  context.registry = &registry;
  std::vector<Contestant> all;
  const auto add = [&](const std::string& name, const std::string& checkpoints,
                       const std::string& integrator, double bar) {
    Contestant one;
    one.problem = make(context, c, checkpoints, integrator);
    one.forward = make(context, c, integrator == "none" ? "none" : checkpoints, integrator);
    one.row.c = c;
    one.row.checkpoints = name;
    one.row.bar = bar;
    all.push_back(std::move(one));
  };
  add("none", "none", "none", 2.5);
  add("all", "all", "none", 2.5);
  add("sqrt", "sqrt", "none", 3.5);
  add("binomial", "binomial", "none", 0.0);
  for (const char* integrator : {"cvodes", "arkode"})
    if (registry.find(TimeIntegrator::kind, integrator) != nullptr)
      add(integrator, "auto", integrator, 0.0);
  return all;
}

SolveCounts steps_of(NonlinearProgram& program) {
  return dynamic_cast<const SolvesInside&>(program.functions()).solve_counts();
}

}  // namespace

std::vector<GradientRow> run_gradient(const Settings& settings, const Registry& registry,
                                      const GradientCase& c) {
  std::vector<Contestant> all = contestants(registry, c);
  for (int r = 0; r < settings.repeat; ++r)
    for (Contestant& one : all) {
      auto& forward = dynamic_cast<NonlinearProgram&>(*one.forward);
      SolveCounts before = steps_of(forward);
      time_once(settings, forward, r, one.row.forward_seconds,
                [&] { (void)forward.functions().objective(forward.x().view()); });
      one.row.forward_steps = steps_of(forward).state - before.state;
      auto& program = dynamic_cast<NonlinearProgram&>(*one.problem);
      const Vector g = program.x().like("bench::g");
      before = steps_of(program);
      time_once(settings, program, r, one.row.seconds,
                [&] { program.functions().gradient(program.x().view(), g.view()); });
      one.row.state_steps = steps_of(program).state - before.state;
      one.row.adjoint_steps = steps_of(program).adjoint - before.adjoint;
    }
  std::vector<GradientRow> rows;
  for (const Contestant& one : all) rows.push_back(one.row);
  return rows;
}

void print_gradient_header() {
  fmt::print("{:>2} {:>5} {:>6} {:>9} | {:>9} {:>7} {:>7} {:>6} | {:>10} {:>10} {:>6} {:>5}\n", "D",
             "size", "steps", "how", "forward", "adjoint", "in all", "runs", "forward s",
             "gradient s", "ratio", "bar");
}

void print(const GradientRow& row) {
  fmt::print("{:>2} {:>5} {:>6} {:>9} | {:>9} {:>7} {:>7} {:>6.2f} | {:>10.5f} {:>10.5f} {:>6.2f} {:>5}{}\n",
             row.c.dimension, row.c.size, row.c.steps, row.checkpoints, row.state_steps,
             row.adjoint_steps, row.state_steps + row.adjoint_steps, row.runs(),
             row.forward_seconds, row.seconds, row.ratio(),
             row.bar > 0.0 ? fmt::format("{:.1f}", row.bar) : "", row.passed() ? "" : " FAIL");
  std::fflush(stdout);
}

nlohmann::json to_json(const GradientRow& row) {
  return {{"dimension", row.c.dimension},
          {"size", row.c.size},
          {"steps", row.c.steps},
          {"checkpoints", row.checkpoints},
          {"forward_steps", row.forward_steps},
          {"state_steps", row.state_steps},
          {"adjoint_steps", row.adjoint_steps},
          {"forward_seconds", row.forward_seconds},
          {"gradient_seconds", row.seconds},
          {"ratio", row.ratio()},
          {"bar", row.bar}};
}

}  // namespace bench
