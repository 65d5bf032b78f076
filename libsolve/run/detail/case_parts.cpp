#include <algorithm>
#include <libsolve/io/case_file.hpp>
#include <libsolve/run/detail/case_parts.hpp>
#include <limits>

namespace libsolve::detail {

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

void numbers_to_text(Value& table, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    Value* value = table.find(key);
    if (value == nullptr || !value->is_number()) continue;
    const SourceLocation where = value->where;
    *value = Value(format_number(value->as_number()));
    value->where = where;
  }
}

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
    if (name == nullptr && !near.empty()) message += "; '" + near + "' is close to it";
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

void refuse_unknown_tables(const Value& root, const std::vector<std::string>& known,
                           Diagnostics& problems) {
  for (const auto& [key, value] : root.as_table()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string near = nearest_name(key, known);
    problems.add(value.where, key,
                 std::string(value.is_table() ? "unknown table" : "unknown key") +
                     (near.empty() ? "; a case has the tables " + join(known)
                                   : "; did you mean [" + near + "]?"));
  }
}

void throw_in_order(const Diagnostics& problems) {
  if (problems.empty()) return;
  std::vector<Diagnostic> sorted = problems.problems();
  std::stable_sort(sorted.begin(), sorted.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return a.where.file == b.where.file ? a.where.line < b.where.line
                                        : a.where.file != "--set" && b.where.file == "--set";
  });
  throw InputError(std::move(sorted));
}

}  // namespace libsolve::detail
