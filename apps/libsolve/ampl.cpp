#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <libsolve/core/build_info.hpp>
#include <libsolve/core/runtime.hpp>
#include <libsolve/io/case_file.hpp>
#include <libsolve/io/sol_file.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <libsolve/plugin/loader.hpp>
#include <libsolve/run/run.hpp>

#include "app.hpp"
#include "signals.hpp"

namespace app {

namespace {

using libsolve::SolveResult;
using libsolve::Status;

constexpr const char* default_method = "sketch-newton";

/// Words of "a=1 b='x y'", as AMPL's option strings have them.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  char quote = '\0';
  for (const char c : text + " ") {
    if (quote != '\0') {
      if (c == quote)
        quote = '\0';
      else
        word += c;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c != ' ' && c != '\t' && c != '\n') {
      word += c;
    } else if (!word.empty()) {
      words.push_back(word);
      word.clear();
    }
  }
  return words;
}

/// Where a key=value goes in a case.
std::string place_of(const std::string& key) {
  if (key == "method") return "method.name";
  if (key == "output") return "output.file";
  if (key == "objno") return "problem.objective";
  if (key == "seed" || key == "time_limit" || key == "threads") return "run." + key;
  return "method." + key;
}

struct AmplCase {
  libsolve::LoadedCase loaded;
  bool has_output = false;
};

AmplCase case_of(const std::string& file, const AmplArguments& arguments) {
  using libsolve::Value;
  AmplCase result;
  Value& root = result.loaded.root;
  root.set("problem", Value()).set("source", "nl");
  root.find("problem")->set("file", std::filesystem::absolute(file).string());
  root.set("method", Value()).set("name", default_method);
  libsolve::Diagnostics problems;
  for (const std::string& assignment : arguments.assignments) {
    const std::string key = assignment.substr(0, assignment.find('='));
    result.has_output = result.has_output || key == "output";
    const std::string moved = place_of(key) + assignment.substr(key.size());
    result.loaded.record.overrides.push_back(moved);
    libsolve::apply_override(root, moved, problems);
  }
  problems.throw_if_any();
  result.loaded.record.path = file;
  result.loaded.record.text = libsolve::to_toml(root);
  return result;
}

SolveResult result_of(const libsolve::Report& report) {
  constexpr double nearly_solved = 1e-4;
  switch (report.status) {
    case Status::stagnated:
      if (report.reason.starts_with("locally infeasible")) return SolveResult::locally_infeasible;
      return report.value("kkt_residual") <= nearly_solved ? SolveResult::uncertain
                                                           : SolveResult::failure;
    case Status::converged:
      return SolveResult::solved;
    case Status::infeasible:
      return SolveResult::infeasible;
    case Status::unbounded:
      return SolveResult::unbounded;
    case Status::max_iterations:
      return SolveResult::iteration_limit;
    case Status::time_limit:
      return SolveResult::time_limit;
    case Status::interrupted:
      return SolveResult::interrupted;
    default:
      return SolveResult::failure;
  }
}

std::string message_of(const std::string& method, const libsolve::Report& report) {
  return fmt::format(
      "libsolve {}, {}: {}; objective {:.10g}, {} iterations, KKT residual {:.2g}\n{}",
      libsolve::build_info().version, method, libsolve::to_string(report.status),
      report.value("objective"), report.iterations, report.value("kkt_residual"), report.reason);
}

/// AMPL's duals: the slope of the objective as stated over the constraint's bound.
std::vector<double> duals_of(const libsolve::NonlinearProgram& program) {
  std::vector<double> duals = program.host_multipliers();
  if (!program.is_maximisation)
    for (double& y : duals) y = y == 0.0 ? 0.0 : -y;
  return duals;
}

}  // namespace

AmplArguments ampl_arguments(const std::vector<std::string>& arguments) {
  AmplArguments result;
  if (const char* options = std::getenv("libsolve_options")) result.assignments = words_of(options);
  for (const std::string& a : arguments) {
    if (a == "-AMPL") continue;
    if (result.problem.empty() && a.find('=') == std::string::npos) {
      result.problem = a;
    } else {
      result.assignments.push_back(a);
    }
  }
  libsolve::Diagnostics problems;
  if (result.problem.empty())
    problems.add({}, "-AMPL",
                 "names no problem; expected: libsolve PROBLEM.nl -AMPL [key=value ...]");
  for (const std::string& a : result.assignments)
    if (a.find('=') == std::string::npos || a[0] == '=')
      problems.add({}, a, "is no assignment; expected key=value, an option of the method");
  problems.throw_if_any();
  return result;
}

int ampl_version() {
  fmt::print("libsolve {} (AMPL interface)\n", libsolve::build_info().version);
  return 0;
}

int ampl(const Global& global, const AmplArguments& arguments) {
  const auto start = std::chrono::steady_clock::now();
  const std::atomic<int>& stop_flag = catch_stop_signals();
  std::unique_ptr<libsolve::Runtime> runtime;
  libsolve::Registry registry;
  return run_guarded(false, [&](int& ranks) {
    namespace fs = std::filesystem;
    const fs::path given = arguments.problem;
    const fs::path file = given.extension() == ".nl" ? given : fs::path(arguments.problem + ".nl");
    const std::string solution = fs::path(file).replace_extension(".sol").string();
    std::error_code ignored;
    fs::remove(solution, ignored);  // an old one is not to be taken for ours
    const libsolve::NlHeader header = libsolve::read_nl_header(file.string());
    const AmplCase ampl_case = case_of(file.string(), arguments);
    libsolve::load_plugins(registry, {.files = global.plugins});
    const libsolve::Case c = libsolve::resolve_case(ampl_case.loaded, registry);
    runtime = make_runtime(global, ampl_case.loaded);
    ranks = runtime->world().size();

    const libsolve::Value* objective = c.resolved.find("problem")->find("objective");
    const auto write_solution = [&](const libsolve::Problem& problem,
                                    const libsolve::Report& report) {
      const auto& program = dynamic_cast<const libsolve::NonlinearProgram&>(problem);
      const std::string message = message_of(c.method.name, report);
      libsolve::write_sol_file(solution, header, message, program.host_x(), duals_of(program),
                               result_of(report), static_cast<int>(objective->as_integer()));
      fmt::print("{}\n", message);
    };
    const libsolve::RunOutcome outcome = libsolve::run_case(c, registry,
                                                            {.comm = runtime->world(),
                                                             .start = start,
                                                             .stop_flag = &stop_flag,
                                                             .command = global.command,
                                                             .write_results = ampl_case.has_output,
                                                             .on_solved = write_solution});
    if (ampl_case.has_output) print_results(outcome.results_path, outcome.error, false);
    return outcome.exit_code == libsolve::ExitCode::unwritable ? outcome.exit_code
                                                               : libsolve::ExitCode::converged;
  });
}

}  // namespace app
