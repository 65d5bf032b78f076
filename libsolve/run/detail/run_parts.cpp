#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <libsolve/run/detail/run_parts.hpp>

namespace libsolve::detail {

std::string signal_name(int number) {
  switch (number) {
    case SIGINT:
      return "SIGINT";
    case SIGTERM:
      return "SIGTERM";
    case SIGUSR1:
      return "SIGUSR1";
    default:
      return "signal " + std::to_string(number);
  }
}

void add_plugins(const Registry& registry, std::string_view kind, const Value& resolved,
                 const char* name_key, std::vector<PluginRecord>& plugins) {
  const Value* name = resolved.is_table() ? resolved.find(name_key) : &resolved;
  if (name == nullptr || !name->is_string()) return;
  const ComponentInfo* info = registry.find(kind, name->as_string());
  if (info == nullptr) return;
  const std::string file = info->plugin_path;
  const bool known = std::any_of(plugins.begin(), plugins.end(),
                                 [&](const PluginRecord& p) { return p.file == file; });
  if (!known)
    plugins.push_back(
        {.name = file.empty() ? "built-in" : std::filesystem::path(file).stem().string(),
         .file = file,
         .version = info->plugin_version,
         .sha256 = file.empty() ? "" : sha256_of_file(file)});
  if (!resolved.is_table()) return;
  for (const OptionInfo& option : info->options)
    if (!option.component_kind.empty())
      if (const Value* inner = resolved.find(option.name))
        add_plugins(registry, option.component_kind, *inner, "name", plugins);
}

void refuse_whole_on_each_rank(const Problem& problem, const std::string& source,
                               const Communicator& comm) {
  if (comm.size() == 1) return;
  const std::vector<Field> fields = problem.solution();
  if (fields.empty()) return;  // who knows
  for (const Field& field : fields)
    if (field.values.communicator().size() > 1) return;
  throw Unsupported("the problem source '" + source +
                    "' puts the whole problem on one rank, and this job has " +
                    std::to_string(comm.size()) +
                    " ranks; run it on one rank (threads share the work)");
}

void take_words_of_first_rank(const Communicator& comm, std::string& reason,
                              std::vector<std::string>& notes) {
  if (comm.size() == 1) return;
  reason = comm.broadcast(reason);
  std::array<std::int64_t, 1> count = {static_cast<std::int64_t>(notes.size())};
  comm.broadcast(count);
  notes.resize(static_cast<size_t>(count[0]));
  for (std::string& note : notes) note = comm.broadcast(note);
}

std::vector<Field> chosen_fields(const Case& c, const std::vector<Field>& fields) {
  if (c.output.fields.empty()) return fields;
  std::vector<std::string> names;
  for (const Field& f : fields) names.push_back(f.name);
  std::vector<Field> chosen;
  Diagnostics problems;
  for (const std::string& wanted : c.output.fields) {
    const auto it = std::find(names.begin(), names.end(), wanted);
    if (it != names.end()) {
      chosen.push_back(fields[static_cast<size_t>(it - names.begin())]);
      continue;
    }
    SourceLocation where{.file = c.record.path, .line = 0, .column = 0};
    const std::string near = nearest_name(wanted, names);
    problems.add(where, "output.fields",
                 "the solution has no field '" + wanted + "'" +
                     (near.empty() ? "" : "; did you mean '" + near + "'?") +
                     " (fields: " + join(names) + ")");
  }
  problems.throw_if_any();
  return chosen;
}

void put(std::vector<Measure>& list, const Measure& m) {
  for (Measure& old : list)
    if (old.name == m.name) {
      old = m;
      return;
    }
  list.push_back(m);
}

void take_verified(Report& report, const std::vector<Measure>& verified) {
  bool finite = true;
  for (const Measure& m : verified) {
    finite = finite && std::isfinite(m.value);
    for (const Measure& said : report.measures) {
      if (said.name != m.name || !(std::abs(said.value - m.value) > 0.1 * std::abs(m.value)))
        continue;
      const std::string text = "the method said " + m.name + " = " + format_number(said.value) +
                               ", recomputed from the problem it is " + format_number(m.value);
      report.notes.push_back(text);
      if (report.converged() && m.value > 2.0 * std::abs(said.value)) {
        report.status = Status::stagnated;
        report.reason = text + ": not converged";
      }
    }
    put(report.measures, m);
  }
  if (!finite && report.converged()) {
    report.status = Status::non_finite;
    report.reason = "the method said converged, and the recomputed measures are not finite";
  }
}

std::string file_to_resume(const std::string& results) {
  namespace fs = std::filesystem;
  const std::string snapshot = snapshot_path(results);
  std::error_code no_results, no_snapshot;
  const auto finished = fs::last_write_time(results, no_results);
  const auto running = fs::last_write_time(snapshot, no_snapshot);
  if (no_results && no_snapshot) return {};
  if (no_results) return snapshot;
  return no_snapshot || running < finished ? results : snapshot;
}

void refuse_unwritable(const std::string& path, double bytes, const Communicator& comm) {
  std::string problem;
  try {
    if (comm.rank() == 0) check_writable(path, bytes);
  } catch (const IoError& e) {
    problem = e.what();
  }
  if (comm.any(!problem.empty())) throw IoError(comm.broadcast(problem));
}

}  // namespace libsolve::detail
