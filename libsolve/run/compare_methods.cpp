#include <algorithm>
#include <libsolve/run/compare.hpp>

namespace libsolve {

namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator)
      parts.emplace_back();
    else if (c != ' ')
      parts.back() += c;
  }
  return parts;
}

const OptionInfo* inner_option(const ComponentInfo& solver) {
  for (const OptionInfo& option : solver.options)
    if (option.component_kind == "preconditioner") return &option;
  return nullptr;
}

bool has_option(const ComponentInfo& info, const std::string& name) {
  return std::any_of(info.options.begin(), info.options.end(),
                     [&](const OptionInfo& o) { return o.name == name; });
}

/// Solver A with what the case says of its method.
ComponentSpec solver_spec(const ComponentInfo& info, const Case& c) {
  ComponentSpec spec(info.name);
  const bool same = info.name == c.method.name;
  for (const auto& [key, value] : c.method.options.as_table())
    if (same && has_option(info, key) && key != "preconditioner") spec.options.set(key, value);
  const Value* method = c.resolved.find("method");
  for (const char* key : {"relative_tolerance", "absolute_tolerance", "max_iterations"})
    if (const Value* value = method != nullptr ? method->find(key) : nullptr)
      if (has_option(info, key)) spec.options.set(key, *value);
  return spec;
}

/// Preconditioner B with the case's options, where the case has the same one.
Value preconditioner_value(const std::string& name, const Case& c) {
  Value table;
  table.set("name", name);
  const Value* written = c.method.options.find("preconditioner");
  if (written == nullptr || !written->is_table()) return table;
  const Value* its_name = written->find("name");
  return its_name != nullptr && its_name->is_string() && its_name->as_string() == name ? *written
                                                                                       : table;
}

}  // namespace

std::vector<ComparedMethod> compared_methods(const std::string& list, const Case& c,
                                             const Registry& registry) {
  std::vector<ComparedMethod> methods;
  Diagnostics problems;
  const SourceLocation where{.file = "--methods", .line = 0, .column = 0};
  for (const std::string& label : split(list, ',')) {
    const std::vector<std::string> parts = split(label, '+');
    if (parts.size() > 2 || std::count(parts.begin(), parts.end(), "") > 0) {
      problems.add(where, label,
                   "write SOLVER or SOLVER+PRECONDITIONER, separated by commas: "
                   "cg+multigrid,hypre-pfmg");
      continue;
    }
    ComparedMethod method{.label = label};
    method.spec = ComponentSpec(parts[0]);
    if (const ComponentInfo* info = registry.find(c.method_kind, parts[0])) {
      method.spec = solver_spec(*info, c);
      if (parts.size() == 2) {
        const OptionInfo* option = inner_option(*info);
        if (option == nullptr) {
          problems.add(
              where, label,
              "'" + parts[0] + "' takes no preconditioner; write '" + parts[0] + "' alone");
          continue;
        }
        method.spec.options.set(option->name, preconditioner_value(parts[1], c));
      }
    }
    method.spec.name_where = method.spec.options.where = where;
    method.resolved =
        registry.resolve(c.method_kind, method.spec, label + ".", problems, c.base_folder);
    methods.push_back(std::move(method));
  }
  problems.throw_if_any();
  return methods;
}

}  // namespace libsolve
