#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>

#include "app.hpp"

namespace {

constexpr const char* examples = R"(
Examples:
  libsolve run data/linear/poisson3d.toml
  libsolve run case.toml --set method.relative_tolerance=1e-10 --set run.seed=7 --output a.h5
  libsolve run case.toml --resume --time-limit 55m          in a batch job of one hour
  libsolve train data/learned/dcdm.toml                     weights that methods read by name
  libsolve run case.toml --json > report.json               everything else goes to stderr
  libsolve compare case.toml --methods cg+multigrid,cg+ic0  a table, on the same data in one run
  libsolve check case.toml                                  is this case valid?
  libsolve list                                             which methods are there?
  libsolve describe multigrid                               which options does it have?
  libsolve inspect results.h5
  libsolve plot results.h5
  libsolve problem.nl -AMPL tolerance=1e-8                  as AMPL and Pyomo call it: problem.sol

Exit codes: 0 converged; 2 bad input; 3 stopped without converging (iterations, time, stagnation);
4 numerical breakdown or non-finite numbers; 5 interrupted, results written; 6 results not written;
1 anything else.
Signals: SIGINT, SIGTERM and SIGUSR1 stop after the current iteration, with the results written; a
second SIGINT ends the program at once.)";

/// --kokkos-... is for Kokkos and unknown to the parser below.
std::vector<std::string> take_kokkos_arguments(std::vector<std::string>& arguments) {
  std::vector<std::string> taken, rest;
  for (std::string& a : arguments) (a.rfind("--kokkos-", 0) == 0 ? taken : rest).push_back(a);
  arguments = rest;
  return taken;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  app::Global global;
  global.command = "libsolve";
  for (const std::string& a : arguments) global.command += " " + a;
  global.kokkos = take_kokkos_arguments(arguments);

  if (arguments.size() == 1 && arguments[0] == "-v") return app::ampl_version();
  if (std::find(arguments.begin(), arguments.end(), "-AMPL") != arguments.end()) {
    try {
      app::settle_openmp(argv);
      return app::ampl(global, app::ampl_arguments(arguments));
    } catch (...) {
      return app::report_exception();
    }
  }

  CLI::App parser("Solve problems from case files: libsolve run CASE", "libsolve");
  parser.footer(examples);
  parser.require_subcommand(0, 1);
  parser.fallthrough();
  bool version = false, json = false;
  parser.add_flag("--version", version, "version and build, then end");
  parser.add_flag("--json", json, "one JSON object on standard output, all else on standard error");
  parser.add_option("--plugin", global.plugins, "a plugin file that must load; may be repeated")
      ->type_name("FILE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);

  app::RunArguments run;
  std::vector<std::string> sets;
  std::string output, time_limit;
  const auto add_case = [&](CLI::App* command, std::string& file) {
    command->add_option("CASE", file, "case file (TOML)")->required();
    command
        ->add_option("--set", sets,
                     "override one entry of the case; may be repeated, the last wins")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };

  CLI::App* run_command = parser.add_subcommand("run", "run a case and write its results file");
  add_case(run_command, run.case_file);
  run_command->add_option("--output", output, "results file, instead of output.file")
      ->type_name("FILE");
  run_command->add_flag("--resume", run.resume,
                        "start from the solution of the last results file or snapshot");
  run_command
      ->add_option("--time-limit", time_limit,
                   "stop after this long, results written: 90, 55m, 1h30m, 01:30:00")
      ->type_name("DURATION");
  run_command->add_flag(
      "--triad", run.triad,
      "measure STREAM triad too and report td, the time per unknown over its time "
      "per double");
  run_command->add_flag("--quiet", run.quiet, "no progress and no summary");

  app::RunArguments train;
  CLI::App* train_command =
      parser.add_subcommand("train", "train the weights of a network and write its weights file");
  add_case(train_command, train.case_file);
  train_command->add_option("--output", output, "weights file, instead of output.file")
      ->type_name("FILE");
  train_command->add_flag("--resume", train.resume,
                          "go on, to the same digits, where the weights file or its snapshot stopped");
  train_command
      ->add_option("--time-limit", time_limit, "stop after this long, weights written: 90, 55m")
      ->type_name("DURATION");
  train_command->add_flag("--quiet", train.quiet, "no progress and no summary");

  app::CompareArguments compare;
  CLI::App* compare_command = parser.add_subcommand(
      "compare", "solve one problem by several methods and print a table of what they cost");
  add_case(compare_command, compare.case_file);
  compare_command
      ->add_option("--methods", compare.methods,
                   "SOLVER or SOLVER+PRECONDITIONER, separated by commas; tolerances come from "
                   "[method] of the case")
      ->type_name("A+B,C,...")
      ->required();
  compare_command
      ->add_option("--repeat", compare.repeat, "solve so often by each method, keep the fastest")
      ->check(CLI::Range(1, 1000));
  compare_command->add_option("--output", output, "results file, instead of output.file")
      ->type_name("FILE");
  compare_command->add_option("--time-limit", time_limit, "for each solve: 90, 55m, 1h30m")
      ->type_name("DURATION");
  compare_command->add_flag("--quiet", compare.quiet, "no progress");

  app::CheckArguments check;
  CLI::App* check_command =
      parser.add_subcommand("check", "validate a case without running it (needs no GPU)");
  add_case(check_command, check.case_file);
  check_command->add_flag("--operator", check.check_operator,
                          "build the problem and test declared symmetry with random vectors");
  check_command->add_flag("--derivatives", check.check_derivatives,
                          "build the program and compare its derivatives with differences");
  check_command->add_flag("--resolved", check.resolved, "print the case with every default");

  CLI::App* list_command = parser.add_subcommand("list", "methods, problem sources and plugins");
  CLI::App* describe_command =
      parser.add_subcommand("describe", "options of a method or problem source");
  std::string name, kind;
  describe_command->add_option("NAME", name, "as libsolve list shows it")->required();
  describe_command->add_option("--kind", kind, "where several kinds share a name")
      ->type_name("KIND");

  std::string file;
  CLI::App* inspect_command = parser.add_subcommand("inspect", "what a results file holds");
  inspect_command->add_option("FILE", file, "results file or snapshot")->required();
  CLI::App* plot_command =
      parser.add_subcommand("plot", "convergence curves and slices as a PNG picture");
  plot_command->add_option("FILE", file, "results file or snapshot")->required();
  plot_command->add_option("--output", output, "picture, or the folder for it")
      ->type_name("FILE.png|FOLDER");

  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    parser.parse(reversed);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app::is_first_process() ? parser.exit(e) : 0;
    if (app::is_first_process())
      fmt::print(stderr, "libsolve: {}\nlibsolve --help shows the commands and examples\n",
                 e.what());
    return static_cast<int>(libsolve::ExitCode::bad_input);
  }

  try {
    const auto quoted = [](const std::string& text) { return libsolve::Value(text).to_text(); };
    if (run_command->parsed() || train_command->parsed() || compare_command->parsed()) {
      app::settle_openmp(argv);
      if (!output.empty()) sets.push_back("output.file=" + quoted(output));
      if (!time_limit.empty()) sets.push_back("run.time_limit=" + quoted(time_limit));
      run.json = train.json = compare.json = json;
      run.overrides = train.overrides = compare.overrides = sets;
      if (train_command->parsed()) return app::train(global, train);
      return run_command->parsed() ? app::run(global, run) : app::compare(global, compare);
    }
    if (check_command->parsed()) {
      check.overrides = sets;
      return app::check(global, check);
    }
    if (list_command->parsed()) return app::list(global, json);
    if (describe_command->parsed()) return app::describe(global, name, kind, json);
    if (inspect_command->parsed()) return app::inspect(file, json);
    if (plot_command->parsed()) return app::plot(file, output);
    if (version) return app::version(json);
    if (app::is_first_process()) fmt::print(stderr, "{}", parser.help());
    return static_cast<int>(libsolve::ExitCode::bad_input);
  } catch (...) {
    return app::report_exception();
  }
}
