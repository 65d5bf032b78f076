#include <libsolve/run/run.hpp>

#include <chrono>
#include <libsolve/core/runtime.hpp>
#include <libsolve/plugin/loader.hpp>
#include <optional>

#include "app.hpp"
#include "signals.hpp"
#include "terminal_progress.hpp"

namespace app {

using libsolve::ExitCode;

int run(const Global& global, const RunArguments& arguments) {
  const auto start = std::chrono::steady_clock::now();
  const std::atomic<int>& stop_flag = catch_stop_signals();
  // All that lives on the device goes before the runtime does.
  std::unique_ptr<libsolve::Runtime> runtime;
  libsolve::Registry registry;
  return run_guarded(arguments.json, [&](int& ranks) {
    // Input is checked before MPI and the device are brought up.
    const libsolve::LoadedCase loaded =
        libsolve::load_case(arguments.case_file, arguments.overrides);
    libsolve::load_plugins(registry, {.files = global.plugins});
    const libsolve::Case c = libsolve::resolve_case(loaded, registry);
    runtime = make_runtime(global, loaded);
    const libsolve::Communicator world = runtime->world();
    ranks = world.size();

    std::optional<TerminalProgress> progress;
    if (!arguments.quiet && world.rank() == 0) progress.emplace();
    const libsolve::RunOutcome outcome =
        libsolve::run_case(c, registry,
                           {.comm = world,
                            .start = start,
                            .stop_flag = &stop_flag,
                            .progress = progress ? &*progress : nullptr,
                            .resume = arguments.resume,
                            .measure_triad = arguments.triad,
                            .command = global.command});
    progress.reset();
    if (world.rank() == 0) {
      print_outcome(outcome, "iterations", arguments.json, arguments.quiet);
    }
    return outcome.exit_code;
  });
}

}  // namespace app
