#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <libsolve/core/build_info.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/runtime.hpp>
#include <libsolve/io/case_file.hpp>
#include <libsolve/plugin/loader.hpp>

#include "bench.hpp"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace {

constexpr const char* explanation = R"(
td ("triad double") = seconds per unknown / seconds that STREAM triad needs per double it moves, the
mean of a measurement right before and right after, in this process with these threads. Three doubles
are counted for each element of triad. Set-up and solve are timed apart; the best of --repeat runs is
shown, in memory that the process has used before, as it is in a code that solves again and again; "first
td" is set-up and solve of the first run, whose memory is new to the process. B/unk is the most that set-up and solve held in Kokkos views at once, per unknown: all beyond
the operator, x and b.

Examples:
  libsolve-bench kernels
  libsolve-bench learn
  OMP_NUM_THREADS=1 libsolve-bench transport
  OMP_NUM_THREADS=1 libsolve-bench bilevel
  OMP_NUM_THREADS=1 libsolve-bench batches
  libsolve-bench control --size 256 1024 --method collective-multigrid "full-space-krylov; preconditioner = 'presb'"
  OMP_NUM_THREADS=1 libsolve-bench gradient --size 64 128 --steps 100
  libsolve-bench solve --size 128 --case constant
  libsolve-bench solve --size 100 --case blocks --set method.preconditioner.cycle=W
  OMP_NUM_THREADS=1 libsolve-bench suite --json suite.json
  libsolve-bench suite --filter blocks --clock cpu      on a shared machine, one thread)";

struct Arguments {
  bench::Settings settings;
  std::string json;
  std::vector<int> size = {128};
  std::string name = "constant";
  std::string filter;
  std::string method = "flexible-cg";
  std::string preconditioner = "multigrid";
  std::vector<std::string> sets;
  std::vector<std::string> compared;
  std::vector<std::string> methods = {"collective-multigrid", "full-space-krylov"};
  std::vector<double> beta = {1e-2, 1e-4, 1e-6, 1e-8};
  int dimension = 2;
  std::string forward = "hypre-boomeramg";
  int steps = 100;
};

libsolve::Value make_method(const Arguments& arguments) {
  libsolve::Value method;
  method.set("name", arguments.method);
  method.set("relative_tolerance", 1e-8);
  method.set("max_iterations", 200);
  if (!arguments.preconditioner.empty()) method.set("preconditioner", arguments.preconditioner);
  return method;
}

/// Applies --set problem.x=..., method.y=... .
void override_values(const Arguments& arguments, libsolve::Value& problem,
                     libsolve::Value& method) {
  libsolve::Value root;
  root.set("problem", problem);
  root.set("method", method);
  libsolve::Diagnostics problems;
  for (const std::string& s : arguments.sets) libsolve::apply_override(root, s, problems);
  problems.throw_if_any();
  problem = *root.find("problem");
  method = *root.find("method");
}

nlohmann::json environment(const Arguments& arguments) {
  const auto build = libsolve::build_info();
  return {{"libsolve", build.version},
          {"revision", build.revision},
          {"compiler", build.compiler},
          {"execution_space", libsolve::ExecSpace::name()},
          {"threads", libsolve::ExecSpace().concurrency()},
          {"clock", arguments.settings.clock == bench::Clock::cpu ? "cpu" : "wall"},
          {"repeat", arguments.settings.repeat}};
}

int run(const std::string& command, const Arguments& arguments) {
  const bool cpu = arguments.settings.clock == bench::Clock::cpu;
  const libsolve::Triad triad(libsolve::Triad::default_size,
                              cpu ? +[] { return bench::now(bench::Clock::cpu); } : nullptr);
  const double per_double = triad.seconds_per_double(10);
  const auto build = libsolve::build_info();
  fmt::print(
      "libsolve {} ({}), {} with {} threads, {} clock; STREAM triad {:.4f} ns a double, "
      "{:.1f} GB/s\n",
      build.version, build.revision, libsolve::ExecSpace::name(),
      libsolve::ExecSpace().concurrency(), cpu ? "cpu" : "wall", 1e9 * per_double,
      8e-9 / per_double);
  nlohmann::json out = {{"environment", environment(arguments)},
                        {"triad_seconds_per_double", per_double},
                        {"rows", nlohmann::json::array()}};
  bool passed = true;
  if (command == "kernels") {
    for (const auto& row : bench::run_kernels(arguments.settings, triad)) {
      out["rows"].push_back(bench::to_json(row));
      passed = passed && row.fraction >= row.bar;
    }
  } else if (command == "learn") {
    for (const auto& row : bench::run_learn(arguments.settings)) {
      out["rows"].push_back(bench::to_json(row));
      passed = passed && row.fraction >= row.bar;
    }
  } else if (command == "transport") {
    for (const auto& row : bench::run_transport(arguments.settings)) {
      out["rows"].push_back(bench::to_json(row));
      passed = passed && row.passed();
    }
  } else if (command == "batches") {
    for (const auto& row : bench::run_batches(arguments.settings))
      out["rows"].push_back(bench::to_json(row));
  } else if (command == "bilevel") {
    libsolve::Registry registry;
    libsolve::load_plugins(registry);
    for (const auto& row : bench::run_bilevel(arguments.settings, registry)) {
      out["rows"].push_back(bench::to_json(row));
      passed = passed && row.passed();
    }
  } else if (command == "control") {
    libsolve::Registry registry;
    libsolve::load_plugins(registry);
    bench::print_control_header();
    for (const int n : arguments.size)
      for (const double beta : arguments.beta)
        for (const auto& row : bench::run_control(arguments.settings, registry,
                                                  {arguments.dimension, n, beta, "", arguments.forward},
                                                  arguments.methods)) {
          bench::print(row);
          out["rows"].push_back(bench::to_json(row));
          passed = passed && row.passed();
        }
  } else if (command == "gradient") {
    libsolve::Registry registry;
    libsolve::load_plugins(registry);
    bench::print_gradient_header();
    for (const int n : arguments.size)
      for (const auto& row : bench::run_gradient(arguments.settings, registry,
                                                 {arguments.dimension, n, arguments.steps})) {
        bench::print(row);
        out["rows"].push_back(bench::to_json(row));
        passed = passed && row.passed();
      }
  } else if (command == "families") {
    libsolve::Registry registry;
    libsolve::load_plugins(registry);
    for (const int n : arguments.size)
      for (const bench::FamilyCase& c : bench::held_back()) {
        if ((c.family + " " + c.name).find(arguments.filter) == std::string::npos) continue;
        for (const auto& row : bench::compare(arguments.settings, triad, registry, c, n,
                                              arguments.compared)) {
          bench::print(row);
          out["rows"].push_back(bench::to_json(row));
          passed = passed && row.status == "converged";
        }
      }
  } else {
    libsolve::Registry registry;
    libsolve::load_plugins(registry);
    std::vector<bench::SolveCase> cases;
    if (command == "suite") {
      cases = bench::suite(arguments.filter);
    } else {
      std::vector<int> size = arguments.size;
      if (size.size() == 1) size.assign(3, size[0]);
      cases.push_back({arguments.name, bench::named_problem(arguments.name, size)});
    }
    bench::print_solve_header();
    for (bench::SolveCase& c : cases) {
      libsolve::Value method = make_method(arguments);
      override_values(arguments, c.problem, method);
      const auto row = bench::run_solve(arguments.settings, triad, registry, c, method);
      bench::print(row);
      out["rows"].push_back(bench::to_json(row));
      passed = passed && row.passed();
    }
  }
  if (!arguments.json.empty()) std::ofstream(arguments.json) << out.dump(2) << '\n';
  return passed ? 0 : 3;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App parser("Kernels and whole solves against the speed of the memory bus", "libsolve-bench");
  parser.footer(explanation);
  parser.require_subcommand(1);
  parser.fallthrough();
  parser.allow_extras();  // --kokkos-...
  std::string clock = "wall";
  parser.add_option("--repeat", arguments.settings.repeat, "runs of each, the best is shown")
      ->check(CLI::Range(1, 1000));
  parser
      .add_option("--clock", clock,
                  "wall, or cpu: processor time, for one thread on a shared machine")
      ->check(CLI::IsMember({"wall", "cpu"}));
  parser.add_option("--json", arguments.json, "also write everything to this file");
  auto* kernels =
      parser.add_subcommand("kernels", "level 1, stencil and SpMV, as fractions of triad");
  auto* learn = parser.add_subcommand(
      "learn", "convolutions of networks, as fractions of a core's multiply-adds");
  auto* transport = parser.add_subcommand(
      "transport", "passes over the entries of a cost, in time an entry");
  auto* bilevel = parser.add_subcommand(
      "bilevel", "iterations of LV-HBA in one pass over memory, against the triad");
  auto* batches = parser.add_subcommand(
      "batches", "many small constrained least-squares problems and their adjoint, beside Eigen");
  auto* solve = parser.add_subcommand("solve", "one Poisson problem");
  auto* suite = parser.add_subcommand("suite", "all cases that have a bar");
  solve->add_option("--size", arguments.size, "cells: one number for a cube, or one for each axis")
      ->expected(1, 3);
  solve->add_option("--case", arguments.name,
                    "constant, blocks, smooth, neumann box, or spheres, boxes, channels with "
                    "\", Dirichlet\" or \", Neumann\"");
  suite->add_option("--filter", arguments.filter, "only cases whose name or size contains this");
  auto* families =
      parser.add_subcommand("families", "preconditioners side by side on twenty hard operators");
  families->add_option("--size", arguments.size, "cells an axis; several for several grids")
      ->expected(1, 10);
  families->add_option("--filter", arguments.filter, "only those whose family or name contains this");
  families
      ->add_option("--preconditioner", arguments.compared,
                   "\"NAME\" or \"NAME; option = value; ...\"; ratios are to the first")
      ->required();
  auto* control = parser.add_subcommand(
      "control", "optimal control of a Poisson equation against one forward solve by hypre");
  control->add_option("--size", arguments.size, "cells a side; several for several grids")
      ->expected(1, 10);
  control->add_option("--dimension", arguments.dimension, "2 or 3")->check(CLI::Range(1, 3));
  control->add_option("--forward", arguments.forward,
                      "linear solver of the forward problem, written like a method");
  control->add_option("--beta", arguments.beta, "costs of the control")->expected(1, 20);
  control->add_option("--method", arguments.methods, "\"NAME\" or \"NAME; option = value; ...\"")
      ->expected(1, 10);
  auto* gradient = parser.add_subcommand(
      "gradient", "discrete adjoints of the heat equation against a run forward, by checkpoints");
  gradient->add_option("--size", arguments.size, "cells a side; several for several grids")
      ->expected(1, 10);
  gradient->add_option("--dimension", arguments.dimension, "1 to 3")->check(CLI::Range(1, 3));
  gradient->add_option("--steps", arguments.steps, "time steps")->check(CLI::Range(1, 1000000));
  for (auto* command : {solve, suite}) {
    command->add_option("--method", arguments.method, "linear solver");
    command->add_option("--preconditioner", arguments.preconditioner,
                        "its preconditioner; \"\" for none");
    command->add_option("--set", arguments.sets, "problem.KEY=VALUE or method.KEY=VALUE");
  }
  CLI11_PARSE(parser, argc, argv);
  if (clock == "cpu") arguments.settings.clock = bench::Clock::cpu;
  try {
#ifdef __GLIBC__
    // Freed arrays stay with the process, however large.
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 2147483647);
#endif
    const libsolve::Runtime runtime(argc, argv);
    if (clock == "cpu" && libsolve::ExecSpace().concurrency() > 1) {
      fmt::print(stderr, "--clock cpu needs one thread: set OMP_NUM_THREADS=1\n");
      return 2;
    }
    const std::string command = *kernels    ? "kernels"
                                : *learn    ? "learn"
                                : *families ? "families"
                                : *control  ? "control"
                                : *gradient ? "gradient"
                                : *solve    ? "solve"
                                : *transport ? "transport"
                                : *bilevel   ? "bilevel"
                                : *batches   ? "batches"
                                             : "suite";
    return run(command, arguments);
  } catch (const libsolve::Error& error) {
    fmt::print(stderr, "libsolve-bench: {}\n", error.what());
    return 2;
  }
}
