#pragma once

#include <cmath>
#include <functional>
#include <libsolve/core/text.hpp>
#include <libsolve/core/value.hpp>
#include <limits>
#include <optional>
#include <string>
#include <vector>

/// Options of methods and problem sources: one plain struct with one description. Parsing, range
/// checks, `libsolve describe`, error messages and the record in the results come from it.
///
///   struct SorOptions {
///     double omega = 1.5;
///     static void describe(libsolve::Fields<SorOptions>& f) {
///       f.add("omega", &SorOptions::omega, libsolve::Range::open(0.0, 2.0), "relaxation parameter");
///     }
///   };
namespace libsolve {

/// An interval for numbers.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;
  bool high_open = false;

  static Range any() { return {}; }
  static Range at_least(double v) { return {.low = v}; }
  static Range above(double v) { return {.low = v, .low_open = true}; }
  static Range closed(double a, double b) { return {.low = a, .high = b}; }
  static Range open(double a, double b) {
    return {.low = a, .high = b, .low_open = true, .high_open = true};
  }
  bool contains(double v) const {
    return (low_open ? v > low : v >= low) && (high_open ? v < high : v <= high);
  }
  /// ">= 1", "in (0, 2)", "" for any.
  LIBSOLVE_EXPORT std::string to_text() const;
};

/// The allowed words of a string option.
struct Choices {
  std::vector<std::string> words;
};

/// An option that names another component, by name or as a table with `name` and its options:
/// `preconditioner = "jacobi"`, `preconditioner = { name = "multigrid", cycle = "V" }`.
struct ComponentSpec {
  std::string name = {};
  Value options = {};               ///< table without `name`; carries the source locations
  SourceLocation name_where = {};   ///< where the name was written
  ComponentSpec() = default;
  ComponentSpec(std::string n) : name(std::move(n)) {}
  ComponentSpec(const char* n) : name(n) {}
};

/// One option as `libsolve describe` shows it.
struct OptionInfo {
  std::string name = {};
  std::string type = {};           ///< "float", "integer", "boolean", "string", "integers", "floats", "component", "file"
  std::string default_value = {};  ///< TOML text; "" where there is none (required)
  std::string range = {};          ///< ">= 1", "in (0, 2)"
  std::vector<std::string> choices = {};
  std::string unit = {};
  std::string help = {};
  std::string component_kind = {};  ///< for type "component": "preconditioner", ...
  bool required = false;
};

namespace detail {
/// `value` as T, or a message in `problem` that says what would be accepted.
LIBSOLVE_EXPORT bool convert(const Value& value, bool& out, std::string& problem);
LIBSOLVE_EXPORT bool convert(const Value& value, std::int64_t& out, std::string& problem);
LIBSOLVE_EXPORT bool convert(const Value& value, int& out, std::string& problem);
LIBSOLVE_EXPORT bool convert(const Value& value, std::uint64_t& out, std::string& problem);
LIBSOLVE_EXPORT bool convert(const Value& value, double& out, std::string& problem);
LIBSOLVE_EXPORT bool convert(const Value& value, std::string& out, std::string& problem);
LIBSOLVE_EXPORT bool convert(const Value& value, std::vector<int>& out, std::string& problem);
LIBSOLVE_EXPORT bool convert(const Value& value, std::vector<double>& out, std::string& problem);
LIBSOLVE_EXPORT bool convert(const Value& value, std::vector<std::string>& out,
                             std::string& problem);
LIBSOLVE_EXPORT bool convert(const Value& value, ComponentSpec& out, std::string& problem);

LIBSOLVE_EXPORT Value to_value(const ComponentSpec& v);
inline Value to_value(bool v) { return Value(v); }
inline Value to_value(int v) { return Value(v); }
inline Value to_value(std::int64_t v) { return Value(v); }
inline Value to_value(std::uint64_t v) { return Value(static_cast<std::int64_t>(v)); }
inline Value to_value(double v) { return Value(v); }
inline Value to_value(const std::string& v) { return Value(v); }
template <class T>
Value to_value(const std::vector<T>& v) {
  Value::Array a;
  for (const T& x : v) a.emplace_back(x);
  return Value(std::move(a));
}

template <class T>
struct TypeName;
template <> struct TypeName<bool> { static constexpr const char* text = "boolean"; };
template <> struct TypeName<int> { static constexpr const char* text = "integer"; };
template <> struct TypeName<std::int64_t> { static constexpr const char* text = "integer"; };
template <> struct TypeName<std::uint64_t> { static constexpr const char* text = "integer"; };
template <> struct TypeName<double> { static constexpr const char* text = "float"; };
template <> struct TypeName<std::string> { static constexpr const char* text = "string"; };
template <> struct TypeName<std::vector<int>> { static constexpr const char* text = "integers"; };
template <> struct TypeName<std::vector<double>> { static constexpr const char* text = "floats"; };
template <> struct TypeName<std::vector<std::string>> { static constexpr const char* text = "strings"; };
template <> struct TypeName<ComponentSpec> { static constexpr const char* text = "component"; };

template <class T>
std::string check_range(const T& v, const Range& range) {
  const auto bad = [&](double x) { return !range.contains(x); };
  bool wrong = false;
  if constexpr (std::is_arithmetic_v<T>) {
    wrong = bad(static_cast<double>(v));
  } else if constexpr (requires { v.begin(); }) {
    for (const auto& x : v)
      if constexpr (std::is_arithmetic_v<std::decay_t<decltype(x)>>)
        wrong = wrong || bad(static_cast<double>(x));
  }
  return wrong ? "must be " + range.to_text() + ", is " + to_value(v).to_text() : std::string();
}
}  // namespace detail

/// Collects the fields of an options struct O; see the top of this file. `add` returns a handle to
/// mark the field further: `.unit("s")`, `.required()`, `.file()`.
template <class O>
class Fields {
 public:
  struct Field {
    OptionInfo info;
    /// Stores `value` into the struct; returns "" or what is wrong.
    std::function<std::string(O&, const Value&)> set;
    std::function<Value(const O&)> get;
  };
  class Handle {
   public:
    explicit Handle(OptionInfo& info) : info_(&info) {}
    Handle unit(std::string text) { info_->unit = std::move(text); return *this; }
    Handle required() { info_->required = true; info_->default_value.clear(); return *this; }
    /// The string names a file to be read, relative to the case file's folder; it must exist.
    Handle file() { info_->type = "file"; return *this; }

   private:
    OptionInfo* info_;
  };

  /// A field without limits (boolean, string, numbers of any size).
  template <class M, class Owner>
    requires std::is_base_of_v<Owner, O>
  Handle add(std::string name, M Owner::* member, std::string help) {
    return add(std::move(name), member, Range::any(), std::move(help));
  }

  /// Numbers, or arrays of them, in a range.
  template <class M, class Owner>
    requires std::is_base_of_v<Owner, O>
  Handle add(std::string name, M Owner::* member, Range range, std::string help) {
    Field f = field(std::move(name), detail::TypeName<M>::text, std::move(help));
    f.info.range = range.to_text();
    f.set = [member, range](O& o, const Value& v) {
      M parsed{};
      std::string problem;
      if (!detail::convert(v, parsed, problem)) return problem;
      problem = detail::check_range(parsed, range);
      if (problem.empty()) o.*member = std::move(parsed);
      return problem;
    };
    f.get = [member](const O& o) { return detail::to_value(o.*member); };
    return push(std::move(f));
  }

  /// A number that may be left to the method: the word "auto", or a number in a range.
  template <class M, class Owner>
    requires std::is_base_of_v<Owner, O>
  Handle add(std::string name, std::optional<M> Owner::* member, Range range, std::string help) {
    Field f = field(std::move(name), std::string(detail::TypeName<M>::text) + " or \"auto\"",
                    std::move(help));
    f.info.range = range.to_text();
    f.set = [member, range](O& o, const Value& v) -> std::string {
      if (v.is_string() && v.as_string() == "auto") {
        o.*member = std::nullopt;
        return {};
      }
      M parsed{};
      std::string problem;
      if (!detail::convert(v, parsed, problem)) return problem + ", or \"auto\"";
      problem = detail::check_range(parsed, range);
      if (problem.empty()) o.*member = std::move(parsed);
      return problem;
    };
    f.get = [member](const O& o) {
      return (o.*member) ? detail::to_value(*(o.*member)) : Value("auto");
    };
    return push(std::move(f));
  }

  /// One word of several.
  template <class Owner>
    requires std::is_base_of_v<Owner, O>
  Handle add(std::string name, std::string Owner::* member, Choices choices, std::string help) {
    Field f = field(std::move(name), "string", std::move(help));
    f.info.choices = choices.words;
    f.set = [member, words = choices.words](O& o, const Value& v) {
      std::string parsed;
      std::string problem;
      if (!detail::convert(v, parsed, problem)) return problem + ": one of " + join(words);
      for (const std::string& w : words)
        if (w == parsed) {
          o.*member = parsed;
          return std::string();
        }
      const std::string near = nearest_name(parsed, words);
      return "must be one of " + join(words) + ", is \"" + parsed + "\"" +
             (near.empty() ? "" : "; did you mean \"" + near + "\"?");
    };
    f.get = [member](const O& o) { return Value(o.*member); };
    return push(std::move(f));
  }

  /// Another component of the given kind ("preconditioner").
  template <class Owner>
    requires std::is_base_of_v<Owner, O>
  Handle add_component(std::string name, ComponentSpec Owner::* member, std::string_view kind,
                       std::string help) {
    Handle h = add(std::move(name), member, std::move(help));
    fields_.back().info.component_kind = kind;
    return h;
  }

  /// All fields of a shared group (StoppingCriteria, ...), under their own names.
  template <class G, class Owner>
    requires std::is_base_of_v<Owner, O>
  void add_group(G Owner::* member) {
    Fields<G> inner;
    G::describe(inner);
    const O defaults{};
    for (auto& g : inner.fields()) {
      Field f;
      f.info = g.info;
      f.set = [member, set = g.set](O& o, const Value& v) { return set(o.*member, v); };
      f.get = [member, get = g.get](const O& o) { return get(o.*member); };
      if (!f.info.required) f.info.default_value = f.get(defaults).to_text();
      fields_.push_back(std::move(f));
    }
  }

  std::vector<Field>& fields() { return fields_; }
  const std::vector<Field>& fields() const { return fields_; }

 private:
  // Member by member: nvcc 13 loses designated initialisers inside of templates.
  static Field field(std::string name, std::string type, std::string help) {
    Field f;
    f.info.name = std::move(name);
    f.info.type = std::move(type);
    f.info.help = std::move(help);
    return f;
  }
  Handle push(Field f) {
    const O defaults{};
    f.info.default_value = f.get(defaults).to_text();
    fields_.push_back(std::move(f));
    return Handle(fields_.back().info);
  }
  std::vector<Field> fields_;
};

/// What `libsolve describe` shows of O, in the order of description.
template <class O>
std::vector<OptionInfo> describe_options() {
  Fields<O> fields;
  O::describe(fields);
  std::vector<OptionInfo> infos;
  for (const auto& f : fields.fields()) infos.push_back(f.info);
  return infos;
}

namespace detail {
/// Adds what was `found` in the options of `table` to `problems`, each at the line of its key
/// (`prefix` and a path of keys) as far as the table has it.
LIBSOLVE_EXPORT void add_at_keys(const Diagnostics& found, const Value& table,
                                 const std::string& prefix, Diagnostics& problems);
}  // namespace detail

/// Parses `table` into an O. Every unknown key (with the nearest valid name), wrong type and value
/// out of range goes to `problems`, with `prefix` ("method.") before the key; `owner` names whose
/// options they are ("method 'cg'"). O::check(const O&, prefix, where, problems), where it exists,
/// refuses options that contradict each other.
template <class O>
O parse_options(const Value& table, const std::string& prefix, const std::string& owner,
                Diagnostics& problems) {
  Fields<O> fields;
  O::describe(fields);
  std::vector<std::string> names;
  for (const auto& f : fields.fields()) names.push_back(f.info.name);
  O options{};
  for (const auto& [key, value] : table.as_table()) {
    bool known = false;
    for (const auto& f : fields.fields()) {
      if (f.info.name != key) continue;
      known = true;
      const std::string problem = f.set(options, value);
      if (!problem.empty()) problems.add(value.where, prefix + key, problem);
      break;
    }
    if (known) continue;
    const std::string near = nearest_name(key, names);
    problems.add(value.where, prefix + key,
                 "unknown option for " + owner +
                     (near.empty() ? (names.empty() ? "; it has no options"
                                                    : "; known options: " + join(names))
                                   : "; closest known option: '" + near + "'"));
  }
  for (const auto& f : fields.fields())
    if (f.info.required && table.find(f.info.name) == nullptr)
      problems.add(table.where, prefix + f.info.name, "is required by " + owner + ": " + f.info.help);
  if constexpr (requires { O::check(options, prefix, table.where, problems); }) {
    Diagnostics found;
    O::check(options, prefix, table.where, found);
    detail::add_at_keys(found, table, prefix, problems);
  }
  return options;
}

/// The resolved options, defaults included, as a table that parses to the same struct.
template <class O>
Value options_to_value(const O& options) {
  Fields<O> fields;
  O::describe(fields);
  Value table;
  for (const auto& f : fields.fields()) table.set(f.info.name, f.get(options));
  return table;
}

/// Stopping rules shared by iterative methods, spelled the same everywhere. The method converged
/// when measure <= max(relative_tolerance * reference, absolute_tolerance); which norm and which
/// reference, the method's README says.
struct StoppingCriteria {
  double relative_tolerance = 1e-8;
  double absolute_tolerance = 0.0;
  std::int64_t max_iterations = 1000;

  static void describe(Fields<StoppingCriteria>& f) {
    using S = StoppingCriteria;
    f.add("relative_tolerance", &S::relative_tolerance, Range::closed(0.0, 1.0),
          "stop when the residual norm falls below this times that of the right-hand side");
    f.add("absolute_tolerance", &S::absolute_tolerance, Range::at_least(0.0),
          "stop when the residual norm falls below this");
    f.add("max_iterations", &S::max_iterations, Range::at_least(0.0),
          "iterations after which the method gives up");
  }
};

}  // namespace libsolve
