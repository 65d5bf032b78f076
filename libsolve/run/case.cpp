#include <algorithm>
#include <filesystem>
#include <libsolve/io/case_file.hpp>
#include <libsolve/run/case.hpp>
#include <limits>

namespace libsolve {

namespace {

const std::vector<std::string> table_names = {"problem", "method", "output", "run"};

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text) + "'";
}

/// Something that solves, as opposed to an inner component or a problem source.
bool is_method(const ComponentInfo& info) {
  return info.kind.ends_with("solver");
}

/// A duration or "none" as seconds; what it is written as stays text for the record.
double duration(const Value& table, const std::string& prefix, const char* key,
                const std::string& text, Diagnostics& problems) {
  if (text == "none") return std::numeric_limits<double>::infinity();
  double seconds = 0.0;
  std::string problem;
  if (parse_duration(Value(text), seconds, problem)) return seconds;
  const Value* written = table.find(key);
  problems.add(written != nullptr ? written->where : table.where, prefix + key,
               problem + ", or \"none\"");
  return 0.0;
}

/// Durations may be written as numbers; the options keep them as text.
void numbers_to_text(Value& table, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    Value* value = table.find(key);
    if (value == nullptr || !value->is_number()) continue;
    const SourceLocation where = value->where;
    *value = Value(format_number(value->as_number()));
    value->where = where;
  }
}

/// A table of the case, or an empty one; other types are reported.
Value table_of(const Value& root, const char* name, Diagnostics& problems) {
  const Value* found = root.find(name);
  if (found == nullptr) {
    Value empty;
    empty.where = root.where;
    return empty;
  }
  if (found->is_table()) return *found;
  problems.add(
      found->where, name,
      "must be a table: [" + std::string(name) + "], is " + std::string(found->type_name()));
  return {};
}

/// [problem] or [method] as a component; false where it does not name one.
bool component_of(const Value& root, const char* table, const char* name_key,
                  const std::vector<std::string>& known, ComponentSpec& out,
                  Diagnostics& problems) {
  const Value* found = root.find(table);
  const std::string choices = known.empty() ? "" : " (available: " + join(known) + ")";
  if (found == nullptr) {
    problems.add(root.where, table,
                 "this table is missing; write [" + std::string(table) + "] and " + name_key +
                     " = \"...\"" + choices);
    return false;
  }
  if (found->is_string()) {
    out = ComponentSpec(found->as_string());
    out.name_where = out.options.where = found->where;
    return true;
  }
  if (!found->is_table()) {
    problems.add(found->where, table, "must be a table, is " + std::string(found->type_name()));
    return false;
  }
  const std::string key = std::string(table) + "." + name_key;
  const Value* name = found->find(name_key);
  if (name == nullptr || !name->is_string()) {
    std::string message = name == nullptr
                              ? std::string("is missing")
                              : "must be a string, is " + std::string(name->type_name());
    std::vector<std::string> keys;
    for (const auto& [k, v] : found->as_table()) keys.push_back(k);
    const std::string near = nearest_name(name_key, keys);
    if (name == nullptr && !near.empty()) message += "; " + in_quotes(near) + " is close to it";
    problems.add(name == nullptr ? found->where : name->where, key, message + choices);
    return false;
  }
  out = ComponentSpec(name->as_string());
  out.name_where = name->where;
  out.options.where = found->where;
  for (const auto& [k, v] : found->as_table())
    if (k != name_key) out.options.set(k, v);
  return true;
}

/// The method's entry among everything that solves, or null with the reason in `problems`.
const ComponentInfo* find_method(const Registry& registry, const ComponentSpec& spec,
                                 const std::string& problem_class, Diagnostics& problems) {
  std::vector<std::string> kinds;
  for (const ComponentInfo* info : registry.list()) {
    if (!is_method(*info)) continue;
    if (info->name == spec.name && (problem_class.empty() || info->problem_class == problem_class))
      return info;
    if (std::find(kinds.begin(), kinds.end(), info->kind) == kinds.end() &&
        (problem_class.empty() || info->problem_class == problem_class))
      kinds.push_back(info->kind);
  }
  for (const ComponentInfo* info : registry.list())
    if (is_method(*info) && info->name == spec.name) {
      std::vector<std::string> fitting;
      for (const std::string& kind : kinds)
        for (const std::string& name : registry.names(kind)) fitting.push_back(name);
      problems.add(spec.name_where, "method.name",
                   in_quotes(spec.name) + " solves problems of class " +
                       in_quotes(info->problem_class) + ", the problem is of class " +
                       in_quotes(problem_class) +
                       (fitting.empty() ? "" : " (methods for it: " + join(fitting) + ")"));
      return nullptr;
    }
  // The registry's own words: nearest name, other kinds of that name, plugins that did not load.
  registry.resolve(kinds.empty() ? "linear-solver" : kinds.front(), spec, "method.", problems);
  return nullptr;
}

}  // namespace

LoadedCase load_case(const std::string& path, const std::vector<std::string>& overrides) {
  LoadedCase loaded;
  loaded.record.path = path;
  loaded.record.text = read_text_file(path);
  loaded.record.overrides = overrides;
  loaded.root = parse_toml(loaded.record.text, path);
  loaded.root.where = {.file = path, .line = 0, .column = 0};
  Diagnostics problems;
  for (const std::string& assignment : overrides) apply_override(loaded.root, assignment, problems);
  problems.throw_if_any();
  return loaded;
}

Case resolve_case(const LoadedCase& loaded, const Registry& registry) {
  Case c;
  c.record = loaded.record;
  const std::filesystem::path folder = std::filesystem::path(loaded.record.path).parent_path();
  c.base_folder = folder.empty() ? "." : folder.string();
  Diagnostics problems;

  for (const auto& [key, value] : loaded.root.as_table()) {
    if (std::find(table_names.begin(), table_names.end(), key) != table_names.end()) continue;
    const std::string near = nearest_name(key, table_names);
    problems.add(value.where, key,
                 std::string(value.is_table() ? "unknown table" : "unknown key") +
                     (near.empty() ? "; a case has the tables " + join(table_names)
                                   : "; did you mean [" + near + "]?"));
  }

  Value resolved_problem, resolved_method;
  if (component_of(loaded.root, "problem", "source", registry.names(ProblemSource::kind), c.problem,
                   problems)) {
    const Value own =
        registry.resolve(ProblemSource::kind, c.problem, "problem.", problems, c.base_folder);
    resolved_problem.set("source", c.problem.name);
    for (const auto& [key, value] : own.as_table())
      if (key != "name") resolved_problem.set(key, value);
    if (const ComponentInfo* info = registry.find(ProblemSource::kind, c.problem.name))
      c.problem_class = info->problem_class;
  }
  std::vector<std::string> methods;
  for (const ComponentInfo* info : registry.list())
    if (is_method(*info)) methods.push_back(info->name);
  if (component_of(loaded.root, "method", "name", methods, c.method, problems)) {
    if (const ComponentInfo* info = find_method(registry, c.method, c.problem_class, problems)) {
      c.method_kind = info->kind;
      resolved_method = registry.resolve(info->kind, c.method, "method.", problems, c.base_folder);
    }
  }

  Value output = table_of(loaded.root, "output", problems);
  numbers_to_text(output, {"snapshot_interval"});
  c.output = parse_options<OutputOptions>(output, "output.", "the table [output]", problems);
  c.snapshot_interval_s =
      duration(output, "output.", "snapshot_interval", c.output.snapshot_interval, problems);
  if (c.snapshot_interval_s == 0.0) c.snapshot_interval_s = std::numeric_limits<double>::infinity();
  if (c.output.file.empty()) {
    const Value* written = output.find("file");
    problems.add(written != nullptr ? written->where : output.where, "output.file",
                 "must name a file");
  }

  Value run = table_of(loaded.root, "run", problems);
  numbers_to_text(run, {"time_limit"});
  c.run = parse_options<RunOptions>(run, "run.", "the table [run]", problems);
  c.time_limit_s = duration(run, "run.", "time_limit", c.run.time_limit, problems);

  if (!problems.empty()) {
    std::vector<Diagnostic> sorted = problems.problems();
    std::stable_sort(sorted.begin(), sorted.end(), [](const Diagnostic& a, const Diagnostic& b) {
      return a.where.file == b.where.file ? a.where.line < b.where.line
                                          : a.where.file != "--set" && b.where.file == "--set";
    });
    throw InputError(std::move(sorted));
  }
  c.resolved.set("problem", resolved_problem);
  c.resolved.set("method", resolved_method);
  c.resolved.set("output", options_to_value(c.output));
  c.resolved.set("run", options_to_value(c.run));
  c.record.resolved = to_toml(c.resolved);
  return c;
}

}  // namespace libsolve
