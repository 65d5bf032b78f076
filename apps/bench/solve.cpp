#include <atomic>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/io/case_file.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/linear/linear_system.hpp>

#include "bench.hpp"

#ifdef __linux__
#include <malloc.h>
#include <sys/mman.h>
#endif

namespace bench {

using libsolve::Context;
using libsolve::LinearSolver;
using libsolve::LinearSystem;
using libsolve::Value;

namespace {

// Bytes that Kokkos holds now, and the most it held since reset_high_water().
std::atomic<std::int64_t> held{0};
std::atomic<std::int64_t> high_water{0};

void on_allocate(Kokkos_Profiling_SpaceHandle, const char*, const void*, std::uint64_t size) {
  const std::int64_t total = held += static_cast<std::int64_t>(size);
  std::int64_t seen = high_water;
  while (seen < total && !high_water.compare_exchange_weak(seen, total)) {
  }
}
void on_deallocate(Kokkos_Profiling_SpaceHandle, const char*, const void*, std::uint64_t size) {
  held -= static_cast<std::int64_t>(size);
}

/// Gives back what this process has freed, and lets the machine find memory for the next solve: a
/// virtual machine gets it from its host on first use, at a cost that is neither the solver's nor
/// the same from run to run. The first touch by this process stays in the first solve.
void renew_memory(double bytes) {
#ifdef __linux__
#ifdef __GLIBC__
  malloc_trim(0);
#endif
  const auto size = static_cast<std::size_t>(bytes);
  void* block = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (block == MAP_FAILED) return;
  madvise(block, size, MADV_HUGEPAGE);
  for (std::size_t at = 0; at < size; at += 4096) static_cast<volatile char*>(block)[at] = 1;
  munmap(block, size);
#else
  (void)bytes;
#endif
}

std::string size_text(const Value& problem) {
  std::string text;
  for (const Value& n : problem.find("size")->as_array())
    text += (text.empty() ? "" : "x") + std::to_string(n.as_integer());
  return text;
}

}  // namespace

bool SolveRow::passed() const {
  return status == "converged" && relative_residual <= 1.0000001e-8 &&
         (max_iterations == 0 || iterations <= max_iterations) &&
         (max_td == 0.0 || total_td() <= max_td) &&
         (max_bytes == 0.0 || bytes_per_unknown <= max_bytes);
}

SolveRow run_solve(const Settings& settings, const Triad& triad, const libsolve::Registry& registry,
                   const SolveCase& c, const Value& method) {
  Kokkos::Tools::Experimental::set_allocate_data_callback(on_allocate);
  Kokkos::Tools::Experimental::set_deallocate_data_callback(on_deallocate);
  Context context;
  context.registry = &registry;
  SolveRow row;
  row.name = c.name;
  row.size = size_text(c.problem);
  row.max_iterations = c.max_iterations;
  row.max_td = c.max_td;
  row.max_bytes = c.max_bytes;

  libsolve::ComponentSpec source_spec("poisson");
  source_spec.options = c.problem;
  const auto source = context.make<libsolve::ProblemSource>(source_spec);
  const auto problem = source->create();
  auto& system = dynamic_cast<LinearSystem&>(*problem);
  row.unknowns = static_cast<double>(system.num_unknowns());

  libsolve::ComponentSpec solver_spec(method.find("name")->as_string());
  for (const auto& [key, value] : method.as_table())
    if (key != "name") solver_spec.options.set(key, value);

  renew_memory(200.0 * row.unknowns);
  for (int r = 0; r < settings.repeat; ++r) {
    const auto solver = context.make<LinearSolver>(solver_spec);
    libsolve::fill(system.x(), 0.0);
    const double before = triad.seconds_per_double();
    high_water = held.load();
    const std::int64_t base = held;
    const double start = now(settings.clock);
    solver->setup(system);
    Kokkos::fence("bench::setup");
    const double ready = now(settings.clock);
    const libsolve::Report report = solver->solve(system, libsolve::Monitor::none());
    Kokkos::fence("bench::solve");
    const double end = now(settings.clock);
    const std::int64_t bytes = high_water - base;
    const double after = triad.seconds_per_double();
    const double td = 0.5 * (before + after) * row.unknowns;
    if (r == 0) row.first_td = (end - start) / td;
    if (r > 0 && (end - start) / td >= row.total_td()) continue;
    row.triad_before = before;
    row.triad_after = after;
    row.setup_td = (ready - start) / td;
    row.solve_td = (end - ready) / td;
    row.seconds = end - start;
    row.status = libsolve::to_string(report.status);
    row.reason = report.reason;
    row.notes = report.notes;
    row.iterations = static_cast<double>(report.iterations);
    row.bytes_per_unknown = static_cast<double>(bytes) / row.unknowns;
    for (const auto& measure : system.verify())
      if (measure.name == "relative_residual") row.relative_residual = measure.value;
  }
  return row;
}

namespace {

Value ints(const std::vector<int>& v) {
  return libsolve::detail::to_value(v);
}
Value numbers(const std::vector<double>& v) {
  return libsolve::detail::to_value(v);
}

}  // namespace

Value named_problem(const std::string& name, const std::vector<int>& size) {
  Value p;
  p.set("size", ints(size));
  const auto starts = [&](const char* word) { return name.rfind(word, 0) == 0; };
  if (starts("blocks")) p.set("coefficient", "blocks");
  if (starts("smooth")) p.set("coefficient", "smooth");
  if (starts("neumann box")) p.set("boundary", "neumann");
  for (const char* mask : {"spheres", "boxes", "channels"})
    if (name.find(mask) != std::string::npos) p.set("mask", mask);
  if (name.find("Neumann") != std::string::npos) p.set("mask_boundary", "neumann");
  return p;
}

std::vector<SolveCase> suite(const std::string& filter) {
  std::vector<SolveCase> all;
  const auto add = [&](const std::string& name, const std::vector<int>& size, int iterations,
                       double td, double bytes = 0.0) -> SolveCase& {
    all.push_back({name, named_problem(name, size), iterations, td, bytes});
    return all.back();
  };
  const auto cube = [](int n) { return std::vector<int>{n, n, n}; };
  for (const int n : {128, 256}) add("constant", cube(n), 8, 250.0, 80.0);
  for (const auto& size : {cube(63), cube(64), cube(65), cube(96), cube(100), cube(127), cube(129),
                           std::vector<int>{61, 83, 40}, std::vector<int>{200, 37, 101}})
    add("constant", size, 8, 0.0);
  for (const int n : {60, 64, 96, 100, 128}) add("blocks", cube(n), 14, 600.0);
  for (const char* name : {"spheres, Dirichlet", "boxes, Dirichlet", "channels, Dirichlet"})
    for (const int n : {64, 128}) add(name, cube(n), 9, 0.0);
  for (const int n : {64, 100, 128}) add("neumann box", cube(n), 9, 0.0);
  for (const char* name : {"spheres, Neumann", "boxes, Neumann", "channels, Neumann"}) {
    add(name, cube(64), 16, 0.0);
    add(name, cube(128), 0, 0.0);  // reported, not asked
  }
  for (const int axis : {0, 1, 2})
    for (const double factor : {1000.0, 0.001}) {
      std::vector<double> a = {1.0, 1.0, 1.0};
      a[static_cast<size_t>(axis)] = factor;
      const std::string which = factor > 1.0 ? "strong " : "weak ";
      add("anisotropy 1:1000, " + which + "xyz"[axis], cube(64), 9, 0.0)
          .problem.set("anisotropy", numbers(a));
      add("anisotropy 1:1000, " + which + "xyz"[axis], cube(100), 9, 0.0)
          .problem.set("anisotropy", numbers(a));
    }
  std::vector<SolveCase> kept;
  for (SolveCase& c : all)
    if ((c.name + " " + size_text(c.problem)).find(filter) != std::string::npos)
      kept.push_back(std::move(c));
  return kept;
}

}  // namespace bench
