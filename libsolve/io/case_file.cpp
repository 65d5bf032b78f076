#include <libsolve/io/case_file.hpp>

#include <toml++/toml.h>
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>

namespace libsolve {

namespace {

SourceLocation location(const toml::source_region& region, const std::string& file) {
  return {.file = file,
          .line = static_cast<int>(region.begin.line),
          .column = static_cast<int>(region.begin.column)};
}

template <class T>
std::string streamed(const T& v) {
  std::ostringstream text;
  text << v;
  return text.str();
}

Value convert(const toml::node& node, const std::string& file) {
  Value value;
  if (const auto* table = node.as_table()) {
    struct Entry {
      const toml::key* key;
      const toml::node* node;
    };
    std::vector<Entry> entries;
    for (auto&& [key, child] : *table) entries.push_back({&key, &child});
    // toml++ sorts by name; the order of writing is friendlier to read back.
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return a.key->source().begin < b.key->source().begin;
    });
    Value::Table converted;
    for (const Entry& e : entries)
      converted.emplace_back(std::string(e.key->str()), convert(*e.node, file));
    value = Value(std::move(converted));
  } else if (const auto* array = node.as_array()) {
    Value::Array converted;
    for (const toml::node& child : *array) converted.push_back(convert(child, file));
    value = Value(std::move(converted));
  } else if (const auto* text = node.as_string()) {
    value = Value(text->get());
  } else if (const auto* integer = node.as_integer()) {
    value = Value(std::int64_t{integer->get()});
  } else if (const auto* number = node.as_floating_point()) {
    value = Value(number->get());
  } else if (const auto* boolean = node.as_boolean()) {
    value = Value(boolean->get());
  } else if (const auto* date = node.as_date()) {
    value = Value(streamed(date->get()));
  } else if (const auto* time = node.as_time()) {
    value = Value(streamed(time->get()));
  } else if (const auto* date_time = node.as_date_time()) {
    value = Value(streamed(date_time->get()));
  }
  value.where = location(node.source(), file);
  return value;
}

std::string trim(std::string_view text) {
  const char* blanks = " \t\r\n";
  const size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(blanks) - first + 1));
}

/// Every place below `value` becomes `where`.
void relocate(Value& value, const SourceLocation& where) {
  value.where = where;
  if (value.is_array())
    for (Value& v : value.as_array()) relocate(v, where);
  if (value.is_table())
    for (auto& [key, v] : value.as_table()) relocate(v, where);
}

const SourceLocation command_line = {.file = "--set", .line = 0, .column = 0};

/// The value of an override, or false with what is wrong.
bool override_value(const std::string& text, Value& out, std::string& problem) {
  try {
    const Value parsed = parse_toml("value = " + text + "\n", "--set");
    if (parsed.as_table().size() == 1) {
      const toml::table table = toml::parse("value = " + text + "\n");
      const toml::node& node = *table.get("value");
      const bool is_time = node.is_date() || node.is_time() || node.is_date_time();
      out = is_time ? Value(text) : parsed.as_table().front().second;
      return true;
    }
  } catch (const InputError& e) {
    if (!text.empty() && std::strchr("[{\"'", text.front()) != nullptr) {
      problem = "is no TOML value: " + text;
      return false;
    }
  }
  out = Value(text);
  return true;
}

bool is_bare_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

}  // namespace

std::string read_text_file(const std::string& path) {
  const auto refuse = [&](const std::string& why) {
    throw InputError({.file = path, .line = 0, .column = 0}, "", "cannot read this file: " + why);
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) refuse("it is a folder");
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) refuse(errno != 0 ? std::strerror(errno) : "it cannot be opened");
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (stream.bad()) refuse("reading failed");
  return text;
}

Value parse_toml(std::string_view text, const std::string& file) {
  try {
    return convert(toml::parse(text, file), file);
  } catch (const toml::parse_error& e) {
    throw InputError(location(e.source(), file), "",
                     "column " + std::to_string(e.source().begin.column) +
                         " is no TOML: " + std::string(e.description()));
  }
}

void apply_override(Value& root, const std::string& assignment, Diagnostics& problems) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    problems.add(command_line, "",
                 "'" + assignment +
                     "' is no assignment; write --set table.key=value, for example "
                     "--set method.relative_tolerance=1e-6");
    return;
  }
  const std::string path = trim(std::string_view(assignment).substr(0, equals));
  std::vector<std::string> keys;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t dot = std::min(path.find('.', begin), path.size());
    keys.push_back(trim(std::string_view(path).substr(begin, dot - begin)));
    begin = dot + 1;
  }
  for (const std::string& key : keys)
    if (!is_bare_key(key)) {
      problems.add(command_line, path,
                   "is no key; keys are words of letters, digits, _ and - joined by dots");
      return;
    }
  Value value;
  std::string problem;
  if (!override_value(trim(std::string_view(assignment).substr(equals + 1)), value, problem)) {
    problems.add(command_line, path, problem);
    return;
  }
  relocate(value, command_line);

  Value* at = &root;
  for (size_t i = 0; i + 1 < keys.size(); ++i) {
    Value* next = at->find(keys[i]);
    if (next == nullptr) {
      next = &at->set(keys[i], Value());
      next->where = command_line;
    } else if (next->is_string()) {  // a component by its name alone
      Value table;
      table.where = next->where;
      table.set(i == 0 && keys[0] == "problem" ? "source" : "name", *next);
      *next = std::move(table);
    } else if (!next->is_table()) {
      problems.add(command_line, path,
                   "reaches into '" + keys[i] + "', which is " + std::string(next->type_name()) +
                       " and no table");
      return;
    }
    at = next;
  }
  at->set(keys.back(), std::move(value));
}

std::string to_toml(const Value& root) {
  std::string text;
  for (const auto& [key, value] : root.as_table())
    if (!value.is_table()) text += key + " = " + value.to_text() + "\n";
  for (const auto& [key, value] : root.as_table()) {
    if (!value.is_table()) continue;
    text += (text.empty() ? "[" : "\n[") + key + "]\n";
    for (const auto& [name, v] : value.as_table()) text += name + " = " + v.to_text() + "\n";
  }
  return text;
}

bool parse_duration(const Value& value, double& seconds, std::string& problem) {
  const auto refuse = [&] {
    problem = "must be a duration such as 90, \"90s\", \"55m\", \"1h30m\" or \"01:30:00\", is " +
              value.to_text();
    return false;
  };
  if (value.is_number()) {
    seconds = value.as_number();
    return (std::isfinite(seconds) && seconds >= 0.0) || refuse();
  }
  if (!value.is_string()) return refuse();
  const std::string text = trim(value.as_string());
  if (text.empty()) return refuse();

  const auto number = [&](size_t& at, double& out) {
    const size_t begin = at;
    while (at < text.size() &&
           (std::isdigit(static_cast<unsigned char>(text[at])) || text[at] == '.'))
      ++at;
    if (at == begin || std::count(text.begin() + begin, text.begin() + at, '.') > 1) return false;
    if (at - begin == 1 && text[begin] == '.') return false;
    out = std::strtod(text.substr(begin, at - begin).c_str(), nullptr);
    return true;
  };
  double total = 0.0;
  size_t at = 0;
  if (text.find(':') != std::string::npos) {  // [hours:]minutes:seconds
    int parts = 0;
    for (bool more = true; more; ++parts) {
      double part = 0.0;
      if (!number(at, part) || (parts > 0 && part >= 60.0)) return refuse();
      total = 60.0 * total + part;
      more = at < text.size();
      if (more && text[at++] != ':') return refuse();
    }
    if (parts > 3) return refuse();
    seconds = total;
    return true;
  }
  static constexpr std::pair<std::string_view, double> units[] = {
      {"ms", 1e-3}, {"d", 86400.0}, {"h", 3600.0}, {"m", 60.0}, {"s", 1.0}};
  double last_unit = std::numeric_limits<double>::infinity();
  while (at < text.size()) {
    double part = 0.0;
    if (!number(at, part)) return refuse();
    double unit = 0.0;
    if (at == text.size() && last_unit == std::numeric_limits<double>::infinity()) unit = 1.0;
    for (const auto& [name, scale] : units)
      if (unit == 0.0 && text.compare(at, name.size(), name) == 0) {
        unit = scale;
        at += name.size();
      }
    if (unit == 0.0 || unit >= last_unit) return refuse();
    last_unit = unit;
    total += part * unit;
  }
  seconds = total;
  return true;
}

}  // namespace libsolve
