#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <libsolve/core/build_info.hpp>
#include <libsolve/core/resumable.hpp>
#include <libsolve/io/case_file.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/run/detail/run_parts.hpp>
#include <libsolve/run/run.hpp>
#include <libsolve/run/run_monitor.hpp>
#include <libsolve/run/triad.hpp>
#include <limits>

namespace libsolve {

namespace {

using Clock = std::chrono::steady_clock;
using detail::add_plugins;
using detail::chosen_fields;
using detail::file_to_resume;
using detail::put;
using detail::signal_name;
using detail::take_verified;
using detail::take_words_of_first_rank;

double seconds_since(Clock::time_point t) {
  return std::chrono::duration<double>(Clock::now() - t).count();
}

/// Input fields to store. A mask always is: no picture of the solution is right without it.
std::vector<Field> stored_data(const Case& c, const Problem& problem) {
  std::vector<Field> fields = problem.data();
  if (!c.output.data) std::erase_if(fields, [](const Field& f) { return f.name != "mask"; });
  return fields;
}

/// Options that only say when to stop, of a method, of its inner solvers, or of a sequence.
bool only_stops(const std::string& option) {
  return option == "relative_tolerance" || option == "absolute_tolerance" ||
         option == "max_iterations" || option == "systems";
}

void leave_out_when_to_stop(Value& value) {
  if (!value.is_table()) return;
  std::erase_if(value.as_table(), [](const auto& entry) { return only_stops(entry.first); });
  for (auto& [key, inner] : value.as_table()) leave_out_when_to_stop(inner);
}

/// A table of a resolved case as text, without what only says when to stop.
std::string table_text(const std::string& resolved, const std::string& name) {
  const Value tables = parse_toml(resolved, "the resolved case");
  const Value* table = tables.find(name);
  if (table == nullptr) return "";
  Value rest = *table;
  leave_out_when_to_stop(rest);
  return rest.to_text();
}

/// A group of a results file as the state of a Resumable.
class StoredState final : public StateSource {
 public:
  StoredState(const Hdf5File& file, std::string group) : file_(file), group_(std::move(group)) {}
  bool has(std::string_view name) const override { return file_.exists(full(name)); }
  std::vector<double> numbers(std::string_view name) const override {
    return file_.numbers(full(name));
  }
  void read(std::string_view name, const Field& into) const override {
    if (into.grid && into.box)
      file_.read_box(full(name), *into.grid, *into.box, into.values.view());
    else
      file_.read_vector(full(name), into.values);
  }

 private:
  std::string full(std::string_view name) const { return group_ + "/" + std::string(name); }
  const Hdf5File& file_;
  std::string group_;
};

/// Puts the solution of an earlier run into the problem; returns its name.
std::string read_solution(const Hdf5File& file, const Problem& problem) {
  std::vector<std::string> taken;
  for (const Field& field : problem.solution()) {
    const std::string name = "/solution/" + field.name;
    if (!file.exists(name))
      throw InputError({.file = file.path(), .line = 0, .column = 0}, name,
                       "--resume needs this field, and it is not in the file; run without "
                       "--resume, or with all solution fields in [output]");
    StoredState(file, "/solution").read(field.name, field);
    taken.push_back(field.name);
  }
  return join(taken);
}

History read_history(const Hdf5File& file) {
  History history;
  for (const double k : file.numbers("/history/iteration"))
    history.iteration.push_back(static_cast<std::int64_t>(k));
  history.seconds = file.numbers("/history/seconds");
  for (const std::string& name : file.members("/history")) {
    if (name == "iteration" || name == "seconds") continue;
    history.names.push_back(name);
    history.columns.push_back(file.numbers("/history/" + name));
  }
  return history;
}

struct Resumed {
  std::string text = {};  ///< what to say of it
  History history = {};   ///< where the method goes on
};

/// Puts an earlier run back into the problem, and into the method where it can go on.
Resumed resume_from(const std::string& path, const Case& c, Problem& problem, Method& method) {
  const Hdf5File file = Hdf5File::open(path);
  const std::string earlier = file.text("/case/resolved");
  const bool same_seed = file.number_attribute("/environment", "seed") == static_cast<double>(c.run.seed);
  const bool same_problem =
      same_seed && table_text(earlier, "problem") == table_text(c.record.resolved, "problem");
  const bool same_method = table_text(earlier, "method") == table_text(c.record.resolved, "method");
  auto* resumable_problem = dynamic_cast<Resumable*>(&problem);
  auto* resumable_method = dynamic_cast<Resumable*>(&method);
  const bool goes_on = same_problem && same_method && resumable_method != nullptr &&
                       file.exists("/checkpoint/method");
  std::string what;
  try {
    if (same_problem && resumable_problem != nullptr && file.exists("/checkpoint/problem")) {
      resumable_problem->restore(StoredState(file, "/checkpoint/problem"), problem);
      what = goes_on ? "resumed: goes on" : "resumed: the problem is where the earlier run left it";
    } else {
      const std::string fields = read_solution(file, problem);
      what = goes_on ? "resumed: goes on"
                     : "resumed: the initial guess is the solution " + fields;
    }
    if (goes_on) resumable_method->restore(StoredState(file, "/checkpoint/method"), problem);
  } catch (const ShapeError& e) {
    throw InputError(
        {.file = path, .line = 0, .column = 0}, "--resume",
        std::string("the earlier run solved a problem of another size: ") + e.what());
  } catch (const DataError& e) {
    throw InputError({.file = path, .line = 0, .column = 0}, "--resume", e.what());
  }
  what += std::string(goes_on ? " from the state in '" : " of '") + path + "' (status " +
          file.text_attribute("/report", "status") + ", iteration " +
          format_number(file.number_attribute("/report", "iterations")) + ")";
  if (!goes_on && resumable_problem == nullptr) what += "; iterations count from 0 again";
  if (!same_problem)
    what += same_seed ? "; the earlier run had other [problem] options"
                      : "; the earlier run had another seed";
  if (!same_method && resumable_method != nullptr)
    what += "; the earlier run had other [method] options, so the method starts anew";
  return {what, goes_on ? read_history(file) : History()};
}

/// What it needs to go on, where it can.
template <class T>
std::vector<Field> state_of(const T& object) {
  const auto* resumable = dynamic_cast<const Resumable*>(&object);
  return resumable == nullptr ? std::vector<Field>() : resumable->state();
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
    if (settings.write_results) detail::refuse_unwritable(path, bytes, comm);
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
  detail::refuse_whole_on_each_rank(*problem, c.problem.name, comm);
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
  Resumed resumed;
  if (settings.resume) {
    const std::string earlier = comm.broadcast(comm.rank() == 0 ? file_to_resume(path) : "");
    if (!earlier.empty())
      resumed = resume_from(earlier, c, *problem, *method);
    else
      resumed.text = "nothing to resume: there is neither '" + path + "' nor '" +
                     snapshot_path(path) + "'; started from the beginning";
    notes.push_back(resumed.text);
    progress.message(resumed.text);
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
    results.problem_state = state_of(*problem);
    results.method_state = state_of(*method);
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
                      .snapshot_interval_s = settings.write_results
                                                 ? c.snapshot_interval_s
                                                 : std::numeric_limits<double>::infinity(),
                      .earlier = std::move(resumed.history)});
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
  take_words_of_first_rank(comm, report.reason, report.notes);
  put(report.seconds, {"problem", problem_seconds, "s"});
  put(report.seconds, {"verify", verify_seconds, "s"});
  const double unknowns = static_cast<double>(problem->num_unknowns());
  put(report.metrics, {"unknowns", unknowns, ""});
  put(report.metrics, {"solve_seconds", solve_seconds, "s"});
  const double seconds_per_unknown = solve_seconds / std::max(unknowns, 1.0);
  put(report.metrics, {"seconds_per_unknown", seconds_per_unknown, "s"});
  if (settings.measure_triad) {
    const double triad = triad_seconds_per_double(comm);
    put(report.metrics, {"triad_bandwidth", 8.0 / triad, "B/s"});
    put(report.metrics, {"td", seconds_per_unknown / triad, ""});
  }

  outcome.report = report;
  outcome.exit_code = exit_code_of(report.status);
  if (settings.on_solved) settings.on_solved(*problem, report);
  if (!settings.write_results) return outcome;
  results.status = std::string(to_string(report.status));
  results.exit_code = static_cast<int>(outcome.exit_code);
  results.report = report;
  results.history = monitor.history();
  results.solution = solution_fields();
  results.data = stored_data(c, *problem);
  results.problem_state = state_of(*problem);
  results.method_state = state_of(*method);
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
