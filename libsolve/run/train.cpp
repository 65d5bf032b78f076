#include <unistd.h>

#include <algorithm>
#include <libsolve/io/weights_file.hpp>
#include <libsolve/run/detail/run_parts.hpp>
#include <libsolve/run/run_monitor.hpp>
#include <libsolve/run/train.hpp>
#include <limits>
#include <optional>

namespace libsolve {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point t) {
  return std::chrono::duration<double>(Clock::now() - t).count();
}

/// What an earlier part of the training left: its state, its curve and what to say of it.
struct Earlier {
  TrainingState state = {};
  History curve = {};
  std::string note = {};
};

/// The part of a resolved case that says how the weights are made.
std::string recipe_part(const std::string& resolved) {
  return resolved.substr(0, resolved.find("\n[output]"));
}

History curve_up_to(const Hdf5File& file, std::int64_t step) {
  History h;
  const std::vector<double> steps = file.numbers("/history/iteration");
  const size_t rows = static_cast<size_t>(std::count_if(
      steps.begin(), steps.end(), [&](double s) { return s <= static_cast<double>(step); }));
  for (size_t i = 0; i < rows; ++i) h.iteration.push_back(static_cast<std::int64_t>(steps[i]));
  h.seconds = file.numbers("/history/seconds");
  h.seconds.resize(rows);
  for (const std::string& name : file.members("/history")) {
    if (name == "iteration" || name == "seconds") continue;
    h.names.push_back(name);
    h.columns.push_back(file.numbers("/history/" + name));
    h.columns.back().resize(rows);
  }
  return h;
}

Earlier read_earlier(const std::string& path, const TrainingCase& c) {
  Earlier earlier;
  std::optional<TrainingState> state = read_training_state(path);
  if (!state)
    throw InputError({.file = path, .line = 0, .column = 0}, "state",
                     "--resume needs the state of the training, and the file has none; train "
                     "without --resume, with output.state = true where it is to be resumed later");
  earlier.state = std::move(*state);
  const Hdf5File file = Hdf5File::open(path);
  earlier.curve = curve_up_to(file, earlier.state.step);
  earlier.note = "resumed: step " + std::to_string(earlier.state.step) + " of '" + path +
                 "' (status " + file.text_attribute("/report", "status") + ")";
  if (recipe_part(file.text("/case/resolved")) != recipe_part(c.record.resolved))
    earlier.note += "; the earlier part had other [train] options";
  if (file.number_attribute("/environment", "seed") != static_cast<double>(c.run.seed))
    earlier.note += "; the earlier part had another seed";
  return earlier;
}

/// The curve of the earlier part, then that of this one; seconds go on where they were.
History joined(const History& first, const History& second) {
  if (first.iteration.empty()) return second;
  History h = first;
  const size_t rows = h.iteration.size();
  h.iteration.insert(h.iteration.end(), second.iteration.begin(), second.iteration.end());
  for (const double s : second.seconds) h.seconds.push_back(first.seconds.back() + s);
  for (size_t i = 0; i < second.names.size(); ++i) {
    const auto found = std::find(h.names.begin(), h.names.end(), second.names[i]);
    const size_t column = static_cast<size_t>(found - h.names.begin());
    if (found == h.names.end()) {
      h.names.push_back(second.names[i]);
      h.columns.emplace_back(rows, std::numeric_limits<double>::quiet_NaN());
    }
    h.columns[column].insert(h.columns[column].end(), second.columns[i].begin(),
                             second.columns[i].end());
  }
  for (auto& column : h.columns)
    column.resize(h.iteration.size(), std::numeric_limits<double>::quiet_NaN());
  return h;
}

}  // namespace

RunOutcome train_case(const TrainingCase& c, const Registry& registry,
                      const RunSettings& settings) {
  const Communicator& comm = settings.comm;
  if (comm.size() > 1)
    throw Unsupported(
        "a training runs on one rank, whose threads share the work, and this job has " +
        std::to_string(comm.size()) + "; start libsolve train without mpirun");
  Progress silent;
  Progress& progress = settings.progress != nullptr ? *settings.progress : silent;
  const std::string path = c.output.file;
  RunOutcome outcome;
  try {
    detail::refuse_unwritable(path, 1e5, comm);
  } catch (const IoError& e) {
    detail::set_unwritable(outcome, e);
    return outcome;
  }

  Context context;
  context.registry = &registry;
  context.seed = c.run.seed;
  context.communicator = comm;
  context.base_folder = c.base_folder;
  progress.phase("data", seconds_since(settings.start));
  const auto setup_begin = Clock::now();
  const auto trainer = context.make<Trainer>(c.trainer);
  const double setup_seconds = seconds_since(setup_begin);
  outcome.problem = trainer->description();
  progress.message(outcome.problem);

  std::vector<std::string> notes;
  Earlier earlier;
  if (settings.resume) {
    const std::string file = detail::file_to_resume(path);
    if (file.empty()) {
      notes.push_back("nothing to resume: there is neither '" + path + "' nor '" +
                      snapshot_path(path) + "'; started from the beginning");
    } else {
      earlier = read_earlier(file, c);
      trainer->resume(earlier.state);
      notes.push_back(earlier.note);
    }
    progress.message(notes.back());
  }

  Results results;
  results.problem = outcome.problem;
  results.case_record = c.record;
  results.environment = environment_record(comm, settings.command);
  results.environment.seed = c.run.seed;
  detail::add_plugins(registry, Trainer::kind, *c.resolved.find("train"), "name",
                      results.environment.plugins);
  const auto write = [&](const std::string& file, bool with_state) {
    results.more = [&](Hdf5File& f) {
      const TrainingState state = with_state ? trainer->state() : TrainingState{};
      write_weights(f, trainer->weights(), with_state ? &state : nullptr);
    };
    write_results(file, results, comm);
  };

  std::string snapshot_problem;
  const RunMonitor* monitor_seen = nullptr;
  const auto snapshot = [&] {
    results.status = "running";
    results.exit_code = -1;
    results.history = joined(earlier.curve, monitor_seen->history());
    results.report = Report{};
    results.report.iterations = results.history.iteration.back();
    results.report.reason = "snapshot of a training that was going on";
    results.report.notes = notes;
    try {
      write(snapshot_path(path), true);
      snapshot_problem.clear();
    } catch (const IoError& e) {
      snapshot_problem = e.what();  // the training goes on; the end may find room
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

  progress.phase("train", seconds_since(settings.start));
  const auto train_begin = Clock::now();
  Report report = trainer->train(monitor);
  Kokkos::fence();
  const double train_seconds = seconds_since(train_begin);

  if (report.status == Status::interrupted && settings.stop_flag != nullptr)
    notes.push_back("stopped by " + detail::signal_name(settings.stop_flag->load()) +
                    " after step " + std::to_string(report.iterations));
  if (!snapshot_problem.empty())
    notes.push_back("the last snapshot could not be written: " + snapshot_problem);
  report.notes.insert(report.notes.end(), notes.begin(), notes.end());
  detail::put(report.seconds, {"data", setup_seconds, "s"});
  detail::put(report.seconds, {"train", train_seconds, "s"});
  const double before = earlier.curve.seconds.empty() ? 0.0 : earlier.curve.seconds.back();
  detail::put(report.seconds, {"train_with_earlier_parts", before + train_seconds, "s"});

  outcome.report = report;
  outcome.exit_code = exit_code_of(report.status);
  results.status = std::string(to_string(report.status));
  results.exit_code = static_cast<int>(outcome.exit_code);
  results.report = report;
  results.history = joined(earlier.curve, monitor.history());
  progress.phase("write", seconds_since(settings.start));
  try {
    write(path, c.output.state || !report.converged());
  } catch (const IoError& e) {
    detail::set_unwritable(outcome, e);
    return outcome;
  }
  ::unlink(snapshot_path(path).c_str());
  outcome.results_path = path;
  return outcome;
}

}  // namespace libsolve
