#include "read_case.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/text.hpp>
#include <limits>

namespace formulas {

namespace {

constexpr double none = std::numeric_limits<double>::infinity();

class CaseReader {
 public:
  CaseReader(const FormulasOptions& o, const std::string& prefix, const SourceLocation& where,
             Diagnostics& problems)
      : o_(o), prefix_(prefix), where_(where), problems_(problems) {}

  FormulaProgram read() {
    const std::vector<std::string> names = variable_names();
    try {
      p_.formulas = std::make_shared<Formulas>(names);
    } catch (const DataError& e) {
      problem(o_.variables, "variables", e.what());
    }
    if (!p_.formulas || names.empty()) return p_;
    if (const auto text = text_of(o_.objective, "objective"))
      guarded(o_.objective, "objective", *text, [&] { p_.objective = p_.formulas->add(*text); });
    each(o_.equalities, "equalities", true);
    each(o_.inequalities, "inequalities", false);
    p_.variable_bounds.lower = numbers(o_.lower, "lower", -none);
    p_.variable_bounds.upper = numbers(o_.upper, "upper", none);
    p_.start = numbers(o_.start, "start", 0.0);
    for (std::size_t j = 0; j < names.size(); ++j) {
      if (!(p_.variable_bounds.lower[j] <= p_.variable_bounds.upper[j]))
        problem(o_.upper, "upper",
                "is below the lower bound of " + names[j] + ": " +
                    format_number(p_.variable_bounds.lower[j]) + " to " +
                    format_number(p_.variable_bounds.upper[j]));
      if (!std::isfinite(p_.start[j]))
        problem(o_.start, "start", "of " + names[j] + " is not finite");
    }
    if (std::all_of(p_.constraint_names.begin(), p_.constraint_names.end(),
                    [](const std::string& name) { return name.empty(); }))
      p_.constraint_names.clear();
    return p_;
  }

 private:
  void problem(const Value& at, const std::string& key, const std::string& message) {
    problems_.add(at.where.file.empty() ? where_ : at.where, prefix_ + key, message);
  }

  std::vector<std::string> variable_names() {
    std::vector<std::string> names;
    if (o_.variables.is_integer()) {
      for (std::int64_t k = 1; k <= o_.variables.as_integer(); ++k)
        names.push_back("x" + std::to_string(k));
    } else if (o_.variables.is_array()) {
      for (const Value& v : o_.variables.as_array()) {
        if (v.is_string())
          names.push_back(v.as_string());
        else
          problem(v, "variables", "expected a name, found " + std::string(v.type_name()));
      }
    }
    if (names.empty() && problems_.empty())
      problem(o_.variables, "variables",
              "expected names (variables = [\"x\", \"y\"]) or a number (variables = 2 for x1, x2), "
              "found " +
                  o_.variables.to_text());
    return names;
  }

  std::optional<std::string> text_of(const Value& v, const std::string& key) {
    if (v.is_string()) return v.as_string();
    if (v.is_number()) return v.to_text();
    problem(v, key, "expected a formula in quotes, found " + std::string(v.type_name()));
    return {};
  }

  template <class Read>
  void guarded(const Value& at, const std::string& key, const std::string& text, const Read& read) {
    constexpr std::size_t short_enough = 80;
    try {
      read();
    } catch (const FormulaError& e) {
      problem(at, key,
              std::string(e.what()) + (text.size() <= short_enough ? " in \"" + text + "\"" : ""));
    }
  }

  void each(const Value& list, const std::string& key, bool is_equality) {
    if (list.is_table()) {
      for (const auto& [name, v] : list.as_table())
        constraint(v, key + "." + name, name, is_equality);
    } else if (list.is_array()) {
      int number = 0;
      for (const Value& v : list.as_array())
        constraint(v, key + "[" + std::to_string(++number) + "]", "", is_equality);
    } else {
      constraint(list, key, "", is_equality);
    }
  }

  void constraint(const Value& v, const std::string& key, const std::string& name,
                  bool is_equality) {
    const auto text = text_of(v, key);
    if (!text) return;
    guarded(v, key, *text, [&] {
      Formulas::Relation r = p_.formulas->add_relation(*text);
      if (std::isnan(r.lower)) r = {r.formula, is_equality ? 0.0 : -none, 0.0};
      if (is_equality != (r.lower == r.upper)) {
        problem(v, key,
                is_equality
                    ? "expected \"a = b\" or a formula that is to be 0; inequalities stand in "
                      "'inequalities'"
                    : "expected \"a <= b\", \"a >= b\", \"l <= a <= u\" or a formula that is to "
                      "be at most 0; equalities stand in 'equalities'");
        return;
      }
      if (!(r.lower <= r.upper) || r.lower == none || r.upper == -none) {
        problem(v, key,
                "no value is between " + format_number(r.lower) + " and " + format_number(r.upper));
        return;
      }
      p_.constraints.push_back(r.formula);
      p_.constraint_names.push_back(name);
      p_.constraint_bounds.lower.push_back(r.lower);
      p_.constraint_bounds.upper.push_back(r.upper);
    });
  }

  double number(const Value& v, const std::string& key) {
    if (v.is_number()) return v.as_number();
    if (v.is_string() && (v.as_string() == "inf" || v.as_string() == "-inf"))
      return v.as_string() == "inf" ? none : -none;
    problem(v, key, "expected a number, found " + std::string(v.type_name()));
    return 0.0;
  }

  /// One for each variable.
  std::vector<double> numbers(const Value& v, const std::string& key, double otherwise) {
    const std::vector<std::string>& names = p_.formulas->variables();
    std::vector<double> result(names.size(), otherwise);
    if (v.is_array()) {
      const Value::Array& given = v.as_array();
      if (given.size() != names.size()) {
        problem(v, key,
                "has " + std::to_string(given.size()) + " numbers for " +
                    std::to_string(names.size()) + " variables");
        return result;
      }
      for (std::size_t j = 0; j < given.size(); ++j)
        result[j] = number(given[j], key + "[" + std::to_string(j + 1) + "]");
    } else if (v.is_table()) {
      for (const auto& [name, value] : v.as_table()) {
        const auto found = std::find(names.begin(), names.end(), name);
        if (found == names.end()) {
          const std::string near = nearest_name(name, names);
          problem(value, key + "." + name,
                  "is no variable" + (near.empty() ? "" : "; did you mean '" + near + "'?"));
        } else {
          result[static_cast<std::size_t>(found - names.begin())] = number(value, key + "." + name);
        }
      }
    } else {
      result.assign(names.size(), number(v, key));
    }
    return result;
  }

  const FormulasOptions& o_;
  const std::string& prefix_;
  const SourceLocation& where_;
  Diagnostics& problems_;
  FormulaProgram p_;
};

}  // namespace

FormulaProgram read_case(const FormulasOptions& o, const std::string& prefix,
                         const SourceLocation& where, Diagnostics& problems) {
  return CaseReader(o, prefix, where, problems).read();
}

}  // namespace formulas
