#include <unistd.h>

#include <chrono>
#include <cmath>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/io/case_file.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/run/compare.hpp>
#include <libsolve/run/detail/run_parts.hpp>
#include <libsolve/run/run_monitor.hpp>
#include <libsolve/run/triad.hpp>
#include <limits>
#include <new>

namespace libsolve {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point t) {
  return std::chrono::duration<double>(Clock::now() - t).count();
}

/// The problem as every method finds it.
class Start {
 public:
  explicit Start(const Problem& problem) : fields_(problem.solution()) {
    for (const Field& field : fields_) {
      copies_.push_back(field.values.like("compare::start"));
      copy(field.values, copies_.back());
    }
  }
  void restore() const {
    for (size_t i = 0; i < fields_.size(); ++i) copy(copies_[i], fields_[i].values);
  }

 private:
  std::vector<Field> fields_;
  std::vector<Vector> copies_;
};

/// The measure that decides: the problem's first.
double deciding_measure(const Report& report, const std::string& name) {
  for (const Measure& m : report.measures)
    if (m.name == name) return m.value;
  return std::numeric_limits<double>::quiet_NaN();
}

/// One solve by a new method.
ComparisonRow run_method(const Case& c, const ComparedMethod& compared, const Context& context,
                         Problem& problem, const std::string& measure, const RunSettings& settings,
                         Progress& progress) {
  ComparisonRow row;
  row.method = compared.label;
  row.options = to_toml(compared.resolved);
  row.memory_bytes = std::numeric_limits<double>::quiet_NaN();
  RunMonitor monitor({.comm = settings.comm,
                      .start = Clock::now(),
                      .time_limit_s = c.time_limit_s,
                      .stop_flag = settings.stop_flag,
                      .progress = &progress});
  Report report;
  auto begin = Clock::now();
  // Ranks start and end together, and the slowest one's time is everybody's.
  const auto elapsed = [&] {
    Kokkos::fence();
    return settings.comm.max(seconds_since(begin));
  };
  const auto failed = [&](const char* status, const std::string& why, ExitCode code) {
    row.status = status;
    row.reason = why;
    row.exit_code = code;
  };
  try {
    const std::unique_ptr<Component> component =
        context.registry->make(c.method_kind, compared.spec, context);
    auto* method = dynamic_cast<Method*>(component.get());
    if (method == nullptr)
      throw PluginError("'" + compared.spec.name +
                        "' does not derive from Method; rebuild its "
                        "plugin");
    auto* solver = dynamic_cast<LinearSolver*>(method);
    auto* system = dynamic_cast<LinearSystem*>(&problem);
    settings.comm.barrier();
    begin = Clock::now();
    if (solver != nullptr && system != nullptr) {
      monitor.begin_phase("setup");
      solver->setup(*system);
      row.setup_seconds = elapsed();
    }
    report = method->solve(problem, monitor);
    row.solve_seconds = elapsed() - row.setup_seconds;
    if (solver == nullptr && std::isfinite(report.value("setup"))) {
      row.setup_seconds = settings.comm.max(report.value("setup"));
      row.solve_seconds -= row.setup_seconds;
    }
    detail::take_verified(report, problem.verify());
    row.status = std::string(to_string(report.status));
    row.reason = report.reason;
    row.exit_code = exit_code_of(report.status);
    row.memory_bytes = report.value("memory_bytes");
  } catch (const NumericalError& e) {
    failed("breakdown", e.what(), ExitCode::breakdown);
  } catch (const Unsupported& e) {
    failed("unsupported", e.what(), ExitCode::not_converged);
  } catch (const Error& e) {
    failed("failed", e.what(), ExitCode::breakdown);
  } catch (const std::bad_alloc&) {
    failed("failed", "not enough memory", ExitCode::breakdown);
  }
  row.relative_residual = deciding_measure(report, measure);
  row.iterations = report.iterations;
  row.notes = report.notes;
  detail::take_words_of_first_rank(settings.comm, row.reason, row.notes);
  row.history = monitor.history();
  return row;
}

double total_seconds(const ComparisonRow& row) {
  return row.setup_seconds + row.solve_seconds;
}

/// Without any time of its own: nothing to compare.
bool has_time(const ComparisonRow& row) {
  return total_seconds(row) > 0.0;
}

ExitCode exit_code_of_all(const std::vector<ComparisonRow>& rows) {
  ExitCode worst = ExitCode::converged;
  for (const ComparisonRow& row : rows)
    if (row.exit_code == ExitCode::interrupted || worst == ExitCode::interrupted)
      worst = ExitCode::interrupted;
    else
      worst = std::max(worst, row.exit_code);
  return worst;
}

void write_compare(Hdf5File& file, const Comparison& c) {
  const auto column = [&](const char* name, const char* unit, auto value_of) {
    std::vector<double> values;
    for (const ComparisonRow& row : c.rows) values.push_back(static_cast<double>(value_of(row)));
    const std::string path = std::string("/compare/") + name;
    file.column(path, std::span<const double>(values));
    file.attribute(path, "units", unit);
  };
  const auto words = [&](const char* name, auto text_of) {
    std::vector<std::string> texts;
    for (const ComparisonRow& row : c.rows) texts.push_back(text_of(row));
    file.texts(std::string("/compare/") + name, texts);
  };
  file.make_group("/compare");
  file.attribute("/compare", "triad_bandwidth", 8.0 / c.triad_seconds_per_double);
  file.attribute("/compare", "measure", c.measure);
  words("method", [](const ComparisonRow& r) { return r.method; });
  words("status", [](const ComparisonRow& r) { return r.status; });
  words("reason", [](const ComparisonRow& r) { return r.reason; });
  column("setup_seconds", "s", [](const ComparisonRow& r) { return r.setup_seconds; });
  column("solve_seconds", "s", [](const ComparisonRow& r) { return r.solve_seconds; });
  column("iterations", "dimensionless", [](const ComparisonRow& r) { return r.iterations; });
  column("memory_bytes", "B", [](const ComparisonRow& r) { return r.memory_bytes; });
  column("td", "dimensionless", [](const ComparisonRow& r) { return r.td; });
  column("ratio", "dimensionless", [](const ComparisonRow& r) { return r.ratio; });
  column("relative_residual", "dimensionless",
         [](const ComparisonRow& r) { return r.relative_residual; });
  for (size_t i = 0; i < c.rows.size(); ++i) {
    const ComparisonRow& row = c.rows[i];
    const std::string group = "/compare/rows/" + std::to_string(i);
    file.make_group(group);
    file.attribute(group, "method", row.method);
    file.text(group + "/options", row.options);
    file.texts(group + "/notes", row.notes);
    file.column(group + "/iteration", std::span<const std::int64_t>(row.history.iteration));
    file.column(group + "/seconds", std::span<const double>(row.history.seconds));
    file.attribute(group + "/seconds", "units", "s");
    for (size_t k = 0; k < row.history.names.size(); ++k)
      if (const std::string path = group + "/" + row.history.names[k]; !file.exists(path))
        file.column(path, std::span<const double>(row.history.columns[k]));
  }
}

}  // namespace

Comparison compare_case(const Case& c, const std::vector<ComparedMethod>& methods,
                        const Registry& registry, const RunSettings& settings, int repeat) {
  const Communicator& comm = settings.comm;
  Progress silent;
  Progress& progress =
      settings.progress != nullptr && comm.rank() == 0 ? *settings.progress : silent;
  const std::string path = c.output.file;
  Comparison comparison;
  try {
    detail::refuse_unwritable(path, 0.0, comm);
  } catch (const IoError& e) {
    detail::set_unwritable(comparison, e);
    return comparison;
  }

  Context context;
  context.registry = &registry;
  context.seed = c.run.seed;
  context.communicator = comm;
  context.base_folder = c.base_folder;
  progress.phase("problem", seconds_since(settings.start));
  const auto problem_begin = Clock::now();
  const auto problem = context.make<ProblemSource>(c.problem)->create();
  const double problem_seconds = seconds_since(problem_begin);
  detail::refuse_whole_on_each_rank(*problem, c.problem.name, comm);
  const Start start(*problem);
  const std::vector<Measure> before = problem->verify();  // warms up the operator, too
  comparison.measure = before.empty() ? "" : before.front().name;
  comparison.problem = problem->description();
  comparison.unknowns = static_cast<double>(problem->num_unknowns());

  Results results;
  results.problem = comparison.problem;
  results.case_record = c.record;
  results.environment = environment_record(comm, settings.command);
  results.environment.seed = c.run.seed;
  detail::add_plugins(registry, ProblemSource::kind, *c.resolved.find("problem"), "source",
                      results.environment.plugins);
  comparison.num_ranks = results.environment.num_ranks;
  comparison.num_threads = results.environment.num_threads;

  double triad = triad_seconds_per_double(comm);
  for (const ComparedMethod& method : methods) {
    detail::add_plugins(registry, c.method_kind, method.resolved, "name",
                        results.environment.plugins);
    progress.message(method.label);
    ComparisonRow best;
    for (int i = 0; i < std::max(repeat, 1); ++i) {
      start.restore();
      ComparisonRow row =
          run_method(c, method, context, *problem, comparison.measure, settings, progress);
      if (i == 0 || total_seconds(row) < total_seconds(best)) best = std::move(row);
      if (best.status != "converged") break;
    }
    if (comparison.rows.empty()) {  // the solution that is kept
      results.history = best.history;
      results.report.iterations = best.iterations;
      results.report.reason = best.method + ": " + best.reason;
      results.report.measures = problem->verify();
      results.solution = detail::chosen_fields(c, problem->solution());
      for (Field& field : results.solution) {
        const Vector kept = field.values.like("compare::solution");
        copy(field.values, kept);
        field.values = kept;
      }
    }
    comparison.rows.push_back(std::move(best));
    if (comparison.rows.back().exit_code == ExitCode::interrupted) break;
  }
  triad = std::min(triad, triad_seconds_per_double(comm));

  comparison.triad_seconds_per_double = triad;
  const ComparisonRow& first = comparison.rows.front();
  const double nothing = std::numeric_limits<double>::quiet_NaN();
  for (ComparisonRow& row : comparison.rows) {
    row.td =
        has_time(row) ? total_seconds(row) / std::max(comparison.unknowns, 1.0) / triad : nothing;
    row.ratio =
        has_time(row) && has_time(first) ? total_seconds(row) / total_seconds(first) : nothing;
    if (row.status == "converged")
      results.report.notes.push_back(row.method + ": converged, " + format_number(row.td) + " td");
    else
      results.report.notes.push_back(row.method + ": " + row.status + ": " + row.reason);
  }
  comparison.exit_code = exit_code_of_all(comparison.rows);

  results.status = first.status;
  results.exit_code = static_cast<int>(comparison.exit_code);
  results.report.seconds = {{"problem", problem_seconds, "s"},
                            {"setup", first.setup_seconds, "s"},
                            {"solve", first.solve_seconds, "s"}};
  results.report.metrics = {{"unknowns", comparison.unknowns, ""},
                            {"triad_bandwidth", 8.0 / triad, "B/s"},
                            {"td", first.td, ""}};
  results.more = [&](Hdf5File& file) { write_compare(file, comparison); };
  progress.phase("write", seconds_since(settings.start));
  try {
    write_results(path, results, comm);
    comparison.results_path = path;
  } catch (const IoError& e) {
    detail::set_unwritable(comparison, e);
  }
  return comparison;
}

}  // namespace libsolve
