#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <libsolve/optimize/solve_counts.hpp>

#include "bench.hpp"

namespace bench {

using namespace libsolve;  // NOLINT: an application is written in terms of the library

namespace {

constexpr int slots = 10;

std::unique_ptr<Problem> make(const Context& context, const GradientCase& c,
                              const std::string& checkpoints) {
  ComponentSpec source("heat-inversion");
  source.options.set("dimension", c.dimension);
  source.options.set("size", c.size);
  source.options.set("steps", c.steps);
  source.options.set("checkpoints", checkpoints);
  source.options.set("slots", slots);
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

}  // namespace

std::vector<GradientRow> run_gradient(const Settings& settings, const Registry& registry,
                                      const GradientCase& c) {
  Context context;
  context.registry = &registry;
  const auto forward_problem = make(context, c, "none");
  auto& forward = dynamic_cast<NonlinearProgram&>(*forward_problem);
  std::vector<std::unique_ptr<Problem>> problems;
  std::vector<GradientRow> rows;
  for (const char* checkpoints : {"none", "all", "sqrt", "binomial"}) {
    problems.push_back(make(context, c, checkpoints));
    rows.emplace_back();
    rows.back().c = c;
    rows.back().checkpoints = checkpoints;
  }
  double forward_seconds = 0.0;
  const Vector g = forward.x().like("bench::g");
  for (int r = 0; r < settings.repeat; ++r) {
    time_once(settings, forward, r, forward_seconds,
              [&] { (void)forward.functions().objective(forward.x().view()); });
    for (std::size_t i = 0; i < rows.size(); ++i) {
      auto& program = dynamic_cast<NonlinearProgram&>(*problems[i]);
      const auto& inside = dynamic_cast<const SolvesInside&>(program.functions());
      const SolveCounts before = inside.solve_counts();
      time_once(settings, program, r, rows[i].seconds,
                [&] { program.functions().gradient(program.x().view(), g.view()); });
      rows[i].state_steps = inside.solve_counts().state - before.state;
      rows[i].adjoint_steps = inside.solve_counts().adjoint - before.adjoint;
    }
  }
  for (GradientRow& row : rows) {
    row.forward_seconds = forward_seconds;
    row.bar = row.checkpoints == "binomial" ? 0.0 : row.checkpoints == "sqrt" ? 3.5 : 2.5;
  }
  return rows;
}

void print_gradient_header() {
  fmt::print("{:>2} {:>5} {:>6} {:>9} | {:>9} {:>7} {:>7} {:>6} | {:>10} {:>10} {:>6} {:>5}\n", "D",
             "size", "steps", "keeps", "forward", "adjoint", "in all", "runs", "forward s",
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
          {"state_steps", row.state_steps},
          {"adjoint_steps", row.adjoint_steps},
          {"forward_seconds", row.forward_seconds},
          {"gradient_seconds", row.seconds},
          {"ratio", row.ratio()},
          {"bar", row.bar}};
}

}  // namespace bench
