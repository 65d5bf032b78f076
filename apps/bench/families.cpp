#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/io/case_file.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/linear/linear_system.hpp>

#include "bench.hpp"

namespace bench {

using libsolve::Context;
using libsolve::LinearSolver;
using libsolve::LinearSystem;
using libsolve::Value;

namespace {

/// Builds one operator of a family; the options are those of the source `poisson`.
struct Recipe {
  std::vector<FamilyCase>& all;
  std::string family;

  Value& add(const std::string& name, std::uint64_t seed) {
    all.push_back({family, name, Value(), seed});
    return all.back().problem;
  }
  Recipe& blocks(int count, std::uint64_t seed, const char* kind = "blocks") {
    Value& p = add(std::string(kind) + " " + std::to_string(count), seed);
    p.set("coefficient", kind);
    p.set("blocks", count);
    return *this;
  }
  Recipe& mask(const char* shape, double fraction, const char* walls, std::uint64_t seed) {
    Value& p = add(std::string(shape) + " " + libsolve::Value(fraction).to_text() + " " + walls, seed);
    p.set("mask", shape);
    p.set("mask_fraction", fraction);
    p.set("mask_boundary", walls);
    return *this;
  }
  Recipe& plain(const std::string& name, std::uint64_t seed) {
    add(name, seed);
    return *this;
  }
  Recipe& with(const char* key, Value value) {
    all.back().problem.set(key, value);
    return *this;
  }
  Recipe& along(double x, double y, double z) {
    FamilyCase& c = all.back();
    c.problem.set("anisotropy", libsolve::detail::to_value(std::vector<double>{x, y, z}));
    c.name += ", axes " + Value(x).to_text() + " " + Value(y).to_text() + " " + Value(z).to_text();
    return *this;
  }
};

}  // namespace

std::vector<FamilyCase> held_back() {
  std::vector<FamilyCase> all;
  Recipe jumps{all, "jumps"};
  jumps.blocks(5, 101).blocks(7, 102).blocks(11, 103).blocks(16, 104).blocks(20, 105);
  jumps.blocks(9, 106, "layers").with("boundary", "neumann");
  Recipe masks{all, "masks"};
  masks.mask("channels", 0.3, "neumann", 111).mask("channels", 0.15, "neumann", 112);
  masks.mask("channels", 0.3, "dirichlet", 113).mask("spheres", 0.3, "neumann", 114);
  masks.mask("boxes", 0.2, "neumann", 115).mask("spheres", 0.2, "dirichlet", 116);
  Recipe axes{all, "anisotropy"};
  axes.plain("constant", 121).along(1, 1, 1e-3);
  axes.plain("constant", 122).along(1e-3, 1, 1e-3);
  axes.plain("constant", 123).along(1, 30, 1000);
  axes.plain("constant", 124).along(1, 1, 0.05);
  Recipe mixed{all, "mixtures"};
  mixed.blocks(7, 131).along(1, 1, 0.01);
  mixed.mask("channels", 0.2, "neumann", 132).with("coefficient", "blocks").with("blocks", 5);
  all.back().name += ", blocks 5";
  mixed.mask("spheres", 0.2, "dirichlet", 133).with("coefficient", "blocks").with("blocks", 9);
  all.back().name += ", blocks 9";
  mixed.plain("smooth", 134).with("coefficient", "smooth").with("decades", 4.0).along(1, 0.1, 1);
  return all;
}

Value component_from(const std::string& text) {
  const auto end = text.find(';');
  Value options;
  if (end != std::string::npos) {
    std::string lines = text.substr(end + 1);
    for (char& c : lines)
      if (c == ';') c = '\n';
    options = libsolve::parse_toml(lines, "component");
  }
  std::string name = text.substr(0, end);
  while (!name.empty() && name.back() == ' ') name.pop_back();
  options.set("name", name);
  return options;
}

namespace {

/// Set-up and solve once; keeps the fastest set-up and the fastest solve seen so far.
void time_once(const Settings& settings, const Context& context, LinearSystem& system,
               const Value& preconditioner, CompareRow& row) {
  libsolve::ComponentSpec spec("flexible-cg");
  spec.options.set("relative_tolerance", 1e-8);
  spec.options.set("max_iterations", 200);
  spec.options.set("preconditioner", preconditioner);
  const auto solver = context.make<LinearSolver>(spec);
  libsolve::fill(system.x(), 0.0);
  const double start = now(settings.clock);
  solver->setup(system);
  Kokkos::fence("bench::setup");
  const double ready = now(settings.clock);
  const libsolve::Report report = solver->solve(system, libsolve::Monitor::none());
  Kokkos::fence("bench::solve");
  const double end = now(settings.clock);
  const bool is_first = row.seconds == 0.0;
  const double solve_before = row.seconds - row.setup_seconds;
  const double setup = ready - start, solve = end - ready;
  row.setup_seconds = is_first ? setup : std::min(setup, row.setup_seconds);
  row.seconds = row.setup_seconds + (is_first ? solve : std::min(solve, solve_before));
  row.steps = static_cast<double>(report.iterations);
  row.status = libsolve::to_string(report.status);
  row.notes = report.notes;
  for (const auto& measure : system.verify())
    if (measure.name == "relative_residual") row.relative_residual = measure.value;
}

}  // namespace

std::vector<CompareRow> compare(const Settings& settings, const Triad& triad,
                                const libsolve::Registry& registry, const FamilyCase& c, int n,
                                const std::vector<std::string>& preconditioners) {
  Context context;
  context.registry = &registry;
  context.seed = c.seed;
  libsolve::ComponentSpec source("poisson");
  source.options = c.problem;
  source.options.set("size", libsolve::detail::to_value(std::vector<int>{n, n, n}));
  const auto problem = context.make<libsolve::ProblemSource>(source)->create();
  auto& system = dynamic_cast<LinearSystem&>(*problem);
  const double unknowns = static_cast<double>(system.num_unknowns());
  std::vector<CompareRow> rows(preconditioners.size());
  double triad_seconds = 0.0;
  for (int r = 0; r < settings.repeat; ++r) {
    // there and back, so that none always comes first
    for (std::size_t q = 0; q < rows.size(); ++q) {
      const std::size_t p = r % 2 == 0 ? q : rows.size() - 1 - q;
      time_once(settings, context, system, component_from(preconditioners[p]), rows[p]);
    }
    triad_seconds += triad.seconds_per_double() / settings.repeat;
  }
  for (std::size_t p = 0; p < rows.size(); ++p) {
    CompareRow& row = rows[p];
    row.family = c.family;
    row.name = c.name;
    row.size = n;
    row.preconditioner = preconditioners[p];
    row.setup_td = row.setup_seconds / (unknowns * triad_seconds);
    row.total_td = row.seconds / (unknowns * triad_seconds);
    row.ratio = rows[0].seconds / row.seconds;
  }
  return rows;
}

void print(const CompareRow& row) {
  fmt::print("{:<11} {:<44} {:>4} {:>4.0f} {:>8.4f} {:>8.4f} {:>7.0f} {:>7.0f} {:>8.1e} {:>6.3f}  {}{}\n",
             row.family, row.name, row.size, row.steps, row.setup_seconds, row.seconds,
             row.setup_td, row.total_td, row.relative_residual, row.ratio, row.preconditioner,
             row.status == "converged" ? "" : " (" + row.status + ")");
  std::fflush(stdout);
}

nlohmann::json to_json(const CompareRow& row) {
  return {{"family", row.family},
          {"name", row.name},
          {"size", row.size},
          {"preconditioner", row.preconditioner},
          {"status", row.status},
          {"steps", row.steps},
          {"setup_seconds", row.setup_seconds},
          {"seconds", row.seconds},
          {"setup_td", row.setup_td},
          {"total_td", row.total_td},
          {"relative_residual", row.relative_residual},
          {"ratio", row.ratio},
          {"notes", row.notes}};
}

}  // namespace bench
