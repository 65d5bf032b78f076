#include <libsolve/core/options.hpp>

namespace libsolve {

std::string Range::to_text() const {
  const bool has_low = std::isfinite(low);
  const bool has_high = std::isfinite(high);
  if (has_low && has_high)
    return std::string("in ") + (low_open ? "(" : "[") + format_number(low) + ", " +
           format_number(high) + (high_open ? ")" : "]");
  if (has_low) return (low_open ? "> " : ">= ") + format_number(low);
  if (has_high) return (high_open ? "< " : "<= ") + format_number(high);
  return {};
}

namespace detail {

namespace {
bool refuse(const Value& value, const char* wanted, std::string& problem) {
  problem = std::string("must be ") + wanted + ", is " + std::string(value.type_name()) + " (" +
            value.to_text() + ")";
  return false;
}

template <class T>
bool convert_array(const Value& value, std::vector<T>& out, const char* wanted,
                   std::string& problem) {
  if (!value.is_array()) return refuse(value, wanted, problem);
  out.clear();
  for (const Value& v : value.as_array()) {
    T x{};
    if (!convert(v, x, problem)) return refuse(value, wanted, problem);
    out.push_back(std::move(x));
  }
  return true;
}
}  // namespace

bool convert(const Value& value, bool& out, std::string& problem) {
  if (!value.is_bool()) return refuse(value, "true or false", problem);
  out = value.as_bool();
  return true;
}

bool convert(const Value& value, std::int64_t& out, std::string& problem) {
  if (value.is_integer()) {
    out = value.as_integer();
    return true;
  }
  return refuse(value, "an integer", problem);
}

bool convert(const Value& value, int& out, std::string& problem) {
  std::int64_t wide = 0;
  if (!convert(value, wide, problem)) return false;
  if (wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max())
    return refuse(value, "an integer of at most 32 bits", problem);
  out = static_cast<int>(wide);
  return true;
}

bool convert(const Value& value, std::uint64_t& out, std::string& problem) {
  std::int64_t wide = 0;
  if (!convert(value, wide, problem)) return false;
  if (wide < 0) return refuse(value, "a non-negative integer", problem);
  out = static_cast<std::uint64_t>(wide);
  return true;
}

bool convert(const Value& value, double& out, std::string& problem) {
  if (!value.is_number()) return refuse(value, "a number", problem);
  out = value.as_number();
  if (std::isnan(out)) return refuse(value, "a number", problem);
  return true;
}

bool convert(const Value& value, std::string& out, std::string& problem) {
  if (!value.is_string()) return refuse(value, "a string", problem);
  out = value.as_string();
  return true;
}

bool convert(const Value& value, std::vector<int>& out, std::string& problem) {
  return convert_array(value, out, "an array of integers", problem);
}
bool convert(const Value& value, std::vector<double>& out, std::string& problem) {
  return convert_array(value, out, "an array of numbers", problem);
}
bool convert(const Value& value, std::vector<std::string>& out, std::string& problem) {
  return convert_array(value, out, "an array of strings", problem);
}

bool convert(const Value& value, ComponentSpec& out, std::string& problem) {
  if (value.is_string()) {
    out = ComponentSpec(value.as_string());
    out.options.where = value.where;
    out.name_where = value.where;
    return true;
  }
  if (!value.is_table()) return refuse(value, "a name or a table with 'name'", problem);
  const Value* name = value.find("name");
  if (name == nullptr || !name->is_string()) {
    problem = "must have a string 'name' beside its options";
    return false;
  }
  out = ComponentSpec(name->as_string());
  out.options.where = value.where;
  out.name_where = name->where;
  for (const auto& [key, v] : value.as_table())
    if (key != "name") out.options.set(key, v);
  return true;
}

Value to_value(const ComponentSpec& v) {
  if (v.options.as_table().empty()) return Value(v.name);
  Value table;
  table.set("name", v.name);
  for (const auto& [key, option] : v.options.as_table()) table.set(key, option);
  return table;
}

void add_at_keys(const Diagnostics& found, const Value& table, const std::string& prefix,
                 Diagnostics& problems) {
  for (const Diagnostic& d : found.problems()) {
    SourceLocation where = d.where;
    std::string_view path = d.key;
    const Value* at = &table;
    if (path.starts_with(prefix)) path.remove_prefix(prefix.size());
    while (!path.empty() && at->is_table()) {
      const std::size_t end = std::min(path.find('.'), path.size());
      at = at->find(path.substr(0, end));
      if (at == nullptr) break;
      if (!at->where.file.empty()) where = at->where;
      path.remove_prefix(std::min(end + 1, path.size()));
    }
    problems.add(std::move(where), d.key, d.message);
  }
}

}  // namespace detail
}  // namespace libsolve
