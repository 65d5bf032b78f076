#include <fmt/format.h>

#include <chrono>
#include <libsolve/core/runtime.hpp>
#include <libsolve/plugin/loader.hpp>
#include <libsolve/run/compare.hpp>
#include <optional>

#include "app.hpp"
#include "signals.hpp"
#include "terminal_progress.hpp"

namespace app {

int compare(const Global& global, const CompareArguments& arguments) {
  const auto start = std::chrono::steady_clock::now();
  const std::atomic<int>& stop_flag = catch_stop_signals();
  std::unique_ptr<libsolve::Runtime> runtime;
  libsolve::Registry registry;
  return run_guarded(arguments.json, [&](int& ranks) {
    const libsolve::LoadedCase loaded =
        libsolve::load_case(arguments.case_file, arguments.overrides);
    libsolve::load_plugins(registry, {.files = global.plugins});
    const libsolve::Case c = libsolve::resolve_case(loaded, registry);
    const auto methods = libsolve::compared_methods(arguments.methods, c, registry);
    runtime = make_runtime(global, loaded);
    const libsolve::Communicator world = runtime->world();
    ranks = world.size();

    std::optional<TerminalProgress> progress;
    if (!arguments.quiet && world.rank() == 0) progress.emplace();
    const libsolve::Comparison comparison =
        libsolve::compare_case(c, methods, registry,
                               {.comm = world,
                                .start = start,
                                .stop_flag = &stop_flag,
                                .progress = progress ? &*progress : nullptr,
                                .command = global.command},
                               arguments.repeat);
    progress.reset();
    if (world.rank() == 0) {
      if (arguments.json)
        fmt::print("{}\n", libsolve::comparison_json(comparison));
      else if (!comparison.rows.empty())
        fmt::print("{}", libsolve::comparison_text(comparison));
      print_results(comparison.results_path, comparison.error, arguments.quiet || arguments.json);
    }
    return comparison.exit_code;
  });
}

}  // namespace app
