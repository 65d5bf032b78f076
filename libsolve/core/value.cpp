#include <libsolve/core/text.hpp>
#include <libsolve/core/value.hpp>

namespace libsolve {

const Value* Value::find(std::string_view key) const {
  if (!is_table()) return nullptr;
  for (const auto& [name, value] : as_table())
    if (name == key) return &value;
  return nullptr;
}

Value* Value::find(std::string_view key) {
  return const_cast<Value*>(static_cast<const Value*>(this)->find(key));
}

Value& Value::set(std::string_view key, Value value) {
  if (Value* old = find(key)) return *old = std::move(value);
  return as_table().emplace_back(std::string(key), std::move(value)).second;
}

std::string_view Value::type_name() const {
  static constexpr std::string_view names[] = {"a boolean", "an integer", "a float",
                                               "a string",  "an array",   "a table"};
  return names[data_.index()];
}

namespace {
std::string quote(const std::string& text) {
  static constexpr const char* hex = "0123456789ABCDEF";
  std::string out = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (code < 0x20 || code == 0x7f) {
      out += std::string("\\u00") + hex[code >> 4] + hex[code & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

/// Keys of letters, digits, '_' and '-' stand bare, others are quoted.
std::string key_text(const std::string& key) {
  const bool is_bare =
      !key.empty() &&
      key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
          std::string::npos;
  return is_bare ? key : quote(key);
}
}  // namespace

std::string Value::to_text() const {
  if (is_bool()) return as_bool() ? "true" : "false";
  if (is_integer()) return std::to_string(as_integer());
  if (is_float()) {
    std::string text = format_number(std::get<double>(data_));
    // TOML keeps 1.0 a float only with a point or an exponent.
    if (text.find_first_of(".en") == std::string::npos) text += ".0";
    return text;
  }
  if (is_string()) return quote(as_string());
  std::vector<std::string> parts;
  if (is_array()) {
    for (const Value& v : as_array()) parts.push_back(v.to_text());
    return "[" + join(parts) + "]";
  }
  for (const auto& [name, v] : as_table()) parts.push_back(key_text(name) + " = " + v.to_text());
  return parts.empty() ? "{}" : "{ " + join(parts) + " }";
}

}  // namespace libsolve
