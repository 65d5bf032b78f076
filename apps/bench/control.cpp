#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/pde/q1_control.hpp>
#include <libsolve/pde/q1_operator.hpp>

#include "bench.hpp"

namespace bench {

using namespace libsolve;  // NOLINT: an application is written in terms of the library

namespace {

constexpr double accuracy = 1e-6;

ComponentSpec spec_from(const std::string& text) {
  const Value options = component_from(text);
  ComponentSpec spec(options.find("name")->as_string());
  for (const auto& [key, value] : options.as_table())
    if (key != "name") spec.options.set(key, value);
  if (spec.options.find("relative_tolerance") == nullptr)
    spec.options.set("relative_tolerance", accuracy);
  return spec;
}

/// -Laplace y = 1 on the same nodes, assembled, by conjugate gradients with BoomerAMG.
struct Forward {
  std::unique_ptr<LinearSystem> system;
  Context context;

  Forward(const NodeGrid& grid, const Context& c) : context(c) {
    const auto A = Q1Operator(grid, q1_stiffness(grid)).assemble();
    const Vector one("bench::one", grid.partition()), b = one.like("bench::b");
    fill(one, 1.0);
    Q1Operator(grid, q1_mass(grid)).apply(one, b);
    system = std::make_unique<LinearSystem>(A, b, one.like("bench::x"));
  }
  void time_once(const Settings& settings, ControlRow& row) const {
    const auto solver = context.make<LinearSolver>(spec_from(row.c.forward));
    fill(system->x(), 0.0);
    const double start = now(settings.clock);
    solver->setup(*system);
    Kokkos::fence("bench::setup");
    const double ready = now(settings.clock);
    const Report report = solver->solve(*system, Monitor::none());
    Kokkos::fence("bench::solve");
    const double seconds = now(settings.clock) - start;
    if (!report.converged())
      throw NumericalError(row.c.forward + " did not solve the forward problem: " + report.reason);
    if (row.forward_seconds > 0.0 && seconds >= row.forward_seconds) return;
    row.forward_seconds = seconds;
    row.forward_setup_seconds = ready - start;
    row.forward_steps = static_cast<double>(report.iterations);
  }
};

void time_method(const Settings& settings, const Context& context, NonlinearProgram& program,
                 ControlRow& row) {
  const std::vector<double> x(static_cast<std::size_t>(program.num_variables()), 0.0),
      lambda(static_cast<std::size_t>(program.num_constraints()), 0.0);
  program.set_solution(x, lambda, x);
  program.has_multipliers = false;
  const double start = now(settings.clock);
  const auto solver = context.make<ProgramSolver>(spec_from(row.c.method));
  const Report report = solver->solve(program, Monitor::none());
  Kokkos::fence("bench::control");
  const double seconds = now(settings.clock) - start;
  row.status = to_string(report.status);
  row.residual = report.value("relative_kkt_residual");
  row.steps = static_cast<double>(report.iterations);
  if (row.seconds > 0.0 && seconds >= row.seconds) return;
  row.seconds = seconds;
  row.setup_seconds = report.value("setup");
}

}  // namespace

std::vector<ControlRow> run_control(const Settings& settings, const Registry& registry,
                                    const ControlCase& c, const std::vector<std::string>& methods) {
  Context context;
  context.registry = &registry;
  ComponentSpec source("poisson-control");
  source.options.set("size", c.size);
  source.options.set("dimension", c.dimension);
  source.options.set("beta", c.beta);
  const auto problem = context.make<ProblemSource>(source)->create();
  auto& program = dynamic_cast<NonlinearProgram&>(*problem);
  const Forward forward(dynamic_cast<const Q1Control&>(program.functions()).nodes(), context);
  std::vector<ControlRow> rows;
  for (const std::string& method : methods) {
    rows.emplace_back();
    rows.back().c = c;
    rows.back().c.method = method;
  }
  ControlRow best_forward;
  best_forward.c = c;
  for (int r = 0; r < settings.repeat; ++r) {
    forward.time_once(settings, best_forward);
    for (ControlRow& row : rows) time_method(settings, context, program, row);
  }
  for (ControlRow& row : rows) {
    row.forward_steps = best_forward.forward_steps;
    row.forward_seconds = best_forward.forward_seconds;
    row.forward_setup_seconds = best_forward.forward_setup_seconds;
  }
  return rows;
}

void print_control_header() {
  fmt::print("{:>2} {:>5} {:>7} {:>5} {:>9} {:>9} {:>9} | {:>5} {:>9} {:>9} {:>6}  {}\n", "D",
             "size", "beta", "steps", "residual", "set-up s", "total s", "steps", "set-up s",
             "forward s", "ratio", "method");
}

void print(const ControlRow& row) {
  fmt::print(
      "{:>2} {:>5} {:>7.0e} {:>5.0f} {:>9.1e} {:>9.4f} {:>9.4f} | {:>5.0f} {:>9.4f} {:>9.4f} "
      "{:>6.2f}  {}{}\n",
      row.c.dimension, row.c.size, row.c.beta, row.steps, row.residual, row.setup_seconds,
      row.seconds, row.forward_steps, row.forward_setup_seconds, row.forward_seconds, row.ratio(),
      row.c.method,
      row.status == "converged" ? (row.passed() ? "" : " FAIL") : " (" + row.status + ")");
  std::fflush(stdout);
}

nlohmann::json to_json(const ControlRow& row) {
  return {{"dimension", row.c.dimension},
          {"size", row.c.size},
          {"beta", row.c.beta},
          {"method", row.c.method},
          {"forward", row.c.forward},
          {"status", row.status},
          {"steps", row.steps},
          {"relative_kkt_residual", row.residual},
          {"setup_seconds", row.setup_seconds},
          {"seconds", row.seconds},
          {"forward_steps", row.forward_steps},
          {"forward_setup_seconds", row.forward_setup_seconds},
          {"forward_seconds", row.forward_seconds},
          {"ratio", row.ratio()},
          {"passed", row.passed()}};
}

}  // namespace bench
