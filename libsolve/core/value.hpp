#pragma once

#include <cstdint>
#include <libsolve/core/errors.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace libsolve {

/// A value of a case file or of the command line, with where it was written: boolean, integer,
/// float, string, array or table. Neutral, so that no method depends on a file format.
class LIBSOLVE_EXPORT Value {
 public:
  using Array = std::vector<Value>;
  using Table = std::vector<std::pair<std::string, Value>>;  ///< in the order written

  Value() : data_(Table{}) {}  ///< an empty table
  Value(bool v) : data_(v) {}
  Value(std::int64_t v) : data_(v) {}
  Value(int v) : data_(std::int64_t{v}) {}
  Value(double v) : data_(v) {}
  Value(std::string v) : data_(std::move(v)) {}
  Value(const char* v) : data_(std::string(v)) {}
  Value(Array v) : data_(std::move(v)) {}
  Value(Table v) : data_(std::move(v)) {}

  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(data_); }
  bool is_float() const { return std::holds_alternative<double>(data_); }
  bool is_number() const { return is_integer() || is_float(); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_array() const { return std::holds_alternative<Array>(data_); }
  bool is_table() const { return std::holds_alternative<Table>(data_); }

  // Access by type; std::bad_variant_access where it does not hold.
  bool as_bool() const { return std::get<bool>(data_); }
  std::int64_t as_integer() const { return std::get<std::int64_t>(data_); }
  double as_number() const {
    return is_integer() ? static_cast<double>(as_integer()) : std::get<double>(data_);
  }
  const std::string& as_string() const { return std::get<std::string>(data_); }
  const Array& as_array() const { return std::get<Array>(data_); }
  Array& as_array() { return std::get<Array>(data_); }
  const Table& as_table() const { return std::get<Table>(data_); }
  Table& as_table() { return std::get<Table>(data_); }

  /// Entry of a table, or null.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  /// Sets or replaces an entry of a table; returns the stored value.
  Value& set(std::string_view key, Value value);

  /// "a boolean", "an integer", "a float", "a string", "an array", "a table".
  std::string_view type_name() const;
  /// As TOML would write it.
  std::string to_text() const;

  SourceLocation where;

 private:
  std::variant<bool, std::int64_t, double, std::string, Array, Table> data_;
};

}  // namespace libsolve
