#include <algorithm>
#include <filesystem>
#include <libsolve/io/case_file.hpp>
#include <libsolve/run/case.hpp>
#include <libsolve/run/detail/case_parts.hpp>
#include <limits>

namespace libsolve {

namespace {

using detail::component_of;
using detail::refuse_unknown_tables;
using detail::resolve_output_and_run;
using detail::throw_in_order;

const std::vector<std::string> table_names = {"problem", "method", "output", "run"};

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text) + "'";
}

/// Something that solves, as opposed to an inner component or a problem source.
bool is_method(const ComponentInfo& info) {
  return info.kind.ends_with("solver");
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

  if (loaded.root.find("train") != nullptr)
    problems.add(loaded.root.find("train")->where, "train",
                 "this case trains weights; run it by: libsolve train " + loaded.record.path);
  else
    refuse_unknown_tables(loaded.root, table_names, problems);

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

  resolve_output_and_run(loaded.root, c, problems);

  throw_in_order(problems);
  c.resolved.set("problem", resolved_problem);
  c.resolved.set("method", resolved_method);
  c.resolved.set("output", options_to_value(c.output));
  c.resolved.set("run", options_to_value(c.run));
  c.record.resolved = to_toml(c.resolved);
  return c;
}

}  // namespace libsolve
