#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <libsolve/core/build_info.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/run/detail/run_parts.hpp>
#include <libsolve/run/run.hpp>
#include <libsolve/run/run_monitor.hpp>
#include <libsolve/run/triad.hpp>

namespace libsolve {

namespace {

using Clock = std::chrono::steady_clock;
using detail::add_plugins;
using detail::chosen_fields;
using detail::file_to_resume;
using detail::put;
using detail::signal_name;
using detail::take_verified;

double seconds_since(Clock::time_point t) {
  return std::chrono::duration<double>(Clock::now() - t).count();
}

/// Input fields to store. A mask always is: no picture of the solution is right without it.
std::vector<Field> stored_data(const Case& c, const Problem& problem) {
  std::vector<Field> fields = problem.data();
  if (!c.output.data) std::erase_if(fields, [](const Field& f) { return f.name != "mask"; });
  return fields;
}

/// The part of a resolved case that says which problem it is.
std::string problem_part(const std::string& resolved) {
  return resolved.substr(0, resolved.find("\n[method]"));
}

/// Puts the solution of an earlier run into the problem; returns what to say of it.
std::string resume_from(const std::string& path, const Case& c, const Problem& problem) {
  const Hdf5File file = Hdf5File::open(path);
  std::vector<std::string> taken;
  for (const Field& field : problem.solution()) {
    const std::string name = "/solution/" + field.name;
    if (!file.exists(name))
      throw InputError({.file = path, .line = 0, .column = 0}, name,
                       "--resume needs this field, and it is not in the file; run without "
                       "--resume, or with all solution fields in [output]");
    try {
      if (field.grid && field.box)
        file.read_box(name, *field.grid, *field.box, field.values.view());
      else
        file.read_vector(name, field.values);
    } catch (const ShapeError& e) {
      throw InputError(
          {.file = path, .line = 0, .column = 0}, name,
          std::string("--resume: the earlier run solved a problem of another size: ") + e.what());
    }
    taken.push_back(field.name);
  }
  std::string text = "resumed: the initial guess is the solution " + join(taken) + " of '" + path +
                     "' (status " + file.text_attribute("/report", "status") + ", iteration " +
                     format_number(file.number_attribute("/report", "iterations")) +
                     "); iterations count from 0 again";
  if (problem_part(file.text("/case/resolved")) != problem_part(c.record.resolved))
    text += "; the earlier run had other [problem] options";
  return text;
}

}  // namespace

RunOutcome run_case(const Case& c, const Registry& registry, const RunSettings& settings) {
  const Communicator& comm = settings.comm;
  Progress silent;
  Progress& progress =
      settings.progress != nullptr && comm.rank() == 0 ? *settings.progress : silent;
  const auto phase = [&](std::string_view name) {
    progress.phase(name, seconds_since(settings.start));
  };
  const std::string path = c.output.file;
  RunOutcome outcome;

  const auto unwritable = [&](const IoError& e) {
    detail::set_unwritable(outcome, e);
    return outcome;
  };
  const auto refuse_unwritable = [&](double bytes) {
    detail::refuse_unwritable(path, bytes, comm);
  };
  // Long before there is anything to write.
  try {
    refuse_unwritable(0.0);
  } catch (const IoError& e) {
    return unwritable(e);
  }

  Context context;
  context.registry = &registry;
  context.seed = c.run.seed;
  context.communicator = comm;
  context.base_folder = c.base_folder;

  phase("problem");
  const auto problem_begin = Clock::now();
  const auto source = context.make<ProblemSource>(c.problem);
  const std::unique_ptr<Problem> problem = source->create();
  const double problem_seconds = seconds_since(problem_begin);
  if (comm.size() > 1)
    for (const Field& field : problem->solution())
      if (field.values.communicator().size() == 1)
        throw Unsupported("the problem source '" + c.problem.name +
                          "' puts the whole problem on one rank, and this job has " +
                          std::to_string(comm.size()) +
                          " ranks; run it on one rank (threads share the work)");
  std::unique_ptr<Component> component = registry.make(c.method_kind, c.method, context);
  auto* method = dynamic_cast<Method*>(component.get());
  if (method == nullptr)
    throw PluginError("'" + c.method.name + "' is registered as a " + c.method_kind +
                      " but does not derive from Method; rebuild its plugin");
  outcome.problem = problem->description();
  progress.message(outcome.problem + ", " + c.problem_class + ", solved by " + c.method.name);

  const auto solution_fields = [&] { return chosen_fields(c, problem->solution()); };
  try {
    refuse_unwritable(field_bytes(solution_fields()) + field_bytes(stored_data(c, *problem)) + 1e5);
  } catch (const IoError& e) {
    return unwritable(e);
  }

  std::vector<std::string> notes;
  if (settings.resume) {
    const std::string earlier = comm.broadcast(comm.rank() == 0 ? file_to_resume(path) : "");
    notes.push_back(earlier.empty() ? "nothing to resume: there is neither '" + path + "' nor '" +
                                          snapshot_path(path) + "'; started from the beginning"
                                    : resume_from(earlier, c, *problem));
    progress.message(notes.back());
  }

  Results results;
  results.problem = outcome.problem;
  results.case_record = c.record;
  results.environment = environment_record(comm, settings.command);
  results.environment.seed = c.run.seed;
  if (comm.rank() == 0 || comm.size() > 1) {
    add_plugins(registry, ProblemSource::kind, *c.resolved.find("problem"), "source",
                results.environment.plugins);
    add_plugins(registry, c.method_kind, *c.resolved.find("method"), "name",
                results.environment.plugins);
  }

  std::string snapshot_problem;
  const RunMonitor* monitor_seen = nullptr;
  const auto snapshot = [&] {
    results.status = "running";
    results.exit_code = -1;
    results.history = monitor_seen->history();
    results.report = Report{};
    results.report.iterations = results.history.iteration.back();
    results.report.reason = "snapshot of a run that was going on";
    results.report.notes = notes;
    results.solution = solution_fields();
    try {
      write_results(snapshot_path(path), results, comm);
      snapshot_problem.clear();
    } catch (const IoError& e) {
      snapshot_problem = e.what();  // the solve goes on; the end may find room
    }
  };
  RunMonitor monitor({.comm = comm,
                      .start = settings.start,
                      .time_limit_s = c.time_limit_s,
                      .stop_flag = settings.stop_flag,
                      .progress = &progress,
                      .snapshot = snapshot,
                      .snapshot_interval_s = c.snapshot_interval_s});
  monitor_seen = &monitor;

  const auto solve_begin = Clock::now();
  Report report;
  try {
    report = method->solve(*problem, monitor);
  } catch (const NumericalError& e) {  // a factorisation that broke down is a result, too
    report.status = Status::breakdown;
    report.reason = e.what();
    report.iterations =
        monitor.history().iteration.empty() ? 0 : monitor.history().iteration.back();
  }
  Kokkos::fence();
  const double solve_seconds = seconds_since(solve_begin);

  phase("verify");
  const auto verify_begin = Clock::now();
  take_verified(report, problem->verify());
  const double verify_seconds = seconds_since(verify_begin);

  if (report.status == Status::interrupted && settings.stop_flag != nullptr)
    notes.push_back("stopped by " + signal_name(settings.stop_flag->load()) + " after iteration " +
                    std::to_string(report.iterations));
  if (!snapshot_problem.empty())
    notes.push_back("the last snapshot could not be written: " + snapshot_problem);
  report.notes.insert(report.notes.end(), notes.begin(), notes.end());
  put(report.seconds, {"problem", problem_seconds, "s"});
  put(report.seconds, {"verify", verify_seconds, "s"});
  const double unknowns = static_cast<double>(problem->num_unknowns());
  put(report.metrics, {"unknowns", unknowns, ""});
  put(report.metrics, {"solve_seconds", solve_seconds, "s"});
  const double seconds_per_unknown = solve_seconds / std::max(unknowns, 1.0);
  put(report.metrics, {"seconds_per_unknown", seconds_per_unknown, "s"});
  if (settings.measure_triad) {
    const double triad = triad_seconds_per_double();
    put(report.metrics, {"triad_bandwidth", 8.0 / triad, "B/s"});
    put(report.metrics, {"td", seconds_per_unknown / triad, ""});
  }

  outcome.report = report;
  outcome.exit_code = exit_code_of(report.status);
  results.status = std::string(to_string(report.status));
  results.exit_code = static_cast<int>(outcome.exit_code);
  results.report = report;
  results.history = monitor.history();
  results.solution = solution_fields();
  results.data = stored_data(c, *problem);
  phase("write");
  try {
    write_results(path, results, comm);
  } catch (const IoError& e) {
    return unwritable(e);
  }
  if (c.output.xdmf && comm.rank() == 0) {
    try {
      write_xdmf(path, results);
    } catch (const IoError& e) {  // the results are safe; only the aid for old viewers is missing
      progress.message(std::string("the XDMF file beside the results was not written: ") +
                       e.what());
    }
  }
  if (comm.rank() == 0) ::unlink(snapshot_path(path).c_str());
  outcome.results_path = path;
  return outcome;
}

}  // namespace libsolve
