#include <algorithm>
#include <cmath>
#include <libsolve/core/text.hpp>
#include <libsolve/optimize/formula_case.hpp>
#include <limits>
#include <optional>

namespace libsolve {

namespace {

/// Variables of formulas: each has a name.
constexpr std::int64_t most_variables = 1'000'000;
constexpr double none = std::numeric_limits<double>::infinity();

/// What a list of this form asks for, for messages.
std::string expected(ConstraintForm form) {
  switch (form) {
    case ConstraintForm::equality:
      return "expected \"a = b\" or a formula that is to be 0; inequalities stand in "
             "'inequalities'";
    case ConstraintForm::inequality:
      return "expected \"a <= b\", \"a >= b\", \"l <= a <= u\" or a formula that is to be at most "
             "0; equalities stand in 'equalities'";
    case ConstraintForm::either:
      break;
  }
  return "expected a relation or a formula that is to be at most 0";
}

}  // namespace

void FormulaCaseReader::problem(const Value& at, const std::string& key,
                                const std::string& message) {
  problems_->add(at.where.file.empty() ? *where_ : at.where, *prefix_ + key, message);
}

std::vector<std::string> FormulaCaseReader::variable_names(const Value& v, const std::string& key,
                                                           const std::string& letter) {
  std::vector<std::string> names;
  const std::size_t before = problems_->problems().size();
  if (v.is_integer() && v.as_integer() > most_variables) {
    problem(v, key,
            "must be at most " + std::to_string(most_variables) + ", is " + v.to_text() +
                "; programs of that size are written in code (element_functions.hpp)");
  } else if (v.is_integer()) {
    for (std::int64_t k = 1; k <= v.as_integer(); ++k) names.push_back(letter + std::to_string(k));
  } else if (v.is_array()) {
    for (const Value& name : v.as_array()) {
      if (name.is_string())
        names.push_back(name.as_string());
      else
        problem(name, key, "expected a name, found " + std::string(name.type_name()));
    }
  }
  if (names.empty() && problems_->problems().size() == before)
    problem(v, key,
            "expected names (" + key + " = [\"a\", \"b\"]) or a number (" + key + " = 2 for " +
                letter + "1, " + letter + "2), found " + v.to_text());
  return names;
}

std::shared_ptr<Formulas> FormulaCaseReader::make_formulas(const std::vector<std::string>& names,
                                                           const Value& v, const std::string& key) {
  try {
    return std::make_shared<Formulas>(names);
  } catch (const DataError& e) {
    problem(v, key, e.what());
    return nullptr;
  }
}

namespace {

/// The text of a formula; nothing where `v` can be none.
std::optional<std::string> text_of(const Value& v) {
  if (v.is_string()) return v.as_string();
  if (v.is_number()) return v.to_text();
  return {};
}

std::string no_text(const Value& v) {
  return "expected a formula in quotes, found " + std::string(v.type_name());
}

/// What is wrong with a formula, with the formula where it is short.
std::string message_of(const FormulaError& e, const std::string& text) {
  constexpr std::size_t short_enough = 80;
  return std::string(e.what()) + (text.size() <= short_enough ? " in \"" + text + "\"" : "");
}

}  // namespace

Index FormulaCaseReader::formula(Formulas& formulas, const Value& v, const std::string& key) {
  const auto text = text_of(v);
  if (!text) {
    problem(v, key, no_text(v));
    return -1;
  }
  try {
    return formulas.add(*text);
  } catch (const FormulaError& e) {
    problem(v, key, message_of(e, *text));
    return -1;
  }
}

void FormulaCaseReader::constraints(Formulas& formulas, const Value& list, const std::string& key,
                                    ConstraintForm form, FormulaConstraints& to) {
  if (list.is_table()) {
    for (const auto& [name, v] : list.as_table())
      add_constraint(formulas, v, key + "." + name, name, form, to);
  } else if (list.is_array()) {
    int number = 0;
    for (const Value& v : list.as_array())
      add_constraint(formulas, v, key + "[" + std::to_string(++number) + "]", "", form, to);
  } else {
    add_constraint(formulas, list, key, "", form, to);
  }
}

void FormulaCaseReader::add_constraint(Formulas& formulas, const Value& v, const std::string& key,
                                       const std::string& name, ConstraintForm form,
                                       FormulaConstraints& to) {
  const auto text = text_of(v);
  if (!text) return problem(v, key, no_text(v));
  try {
    Formulas::Relation r = formulas.add_relation(*text);
    if (std::isnan(r.lower)) r = {r.formula, form == ConstraintForm::equality ? 0.0 : -none, 0.0};
    if (form != ConstraintForm::either &&
        (form == ConstraintForm::equality) != (r.lower == r.upper))
      return problem(v, key, expected(form));
    if (!(r.lower <= r.upper) || r.lower == none || r.upper == -none)
      return problem(
          v, key,
          "no value is between " + format_number(r.lower) + " and " + format_number(r.upper));
    to.formulas.push_back(r.formula);
    to.names.push_back(name);
    to.bounds.lower.push_back(r.lower);
    to.bounds.upper.push_back(r.upper);
  } catch (const FormulaError& e) {
    problem(v, key, message_of(e, *text));
  }
}

double FormulaCaseReader::number(const Value& v, const std::string& key) {
  if (v.is_number()) return v.as_number();
  if (v.is_string() && (v.as_string() == "inf" || v.as_string() == "-inf"))
    return v.as_string() == "inf" ? none : -none;
  problem(v, key, "expected a number, found " + std::string(v.type_name()));
  return 0.0;
}

std::vector<double> FormulaCaseReader::numbers(const Value& v, const std::string& key,
                                               const std::vector<std::string>& names,
                                               double otherwise) {
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

void FormulaCaseReader::check_numbers(const std::vector<std::string>& names, const Bounds& bounds,
                                      const Value& upper, const std::string& upper_key,
                                      const std::vector<double>& start, const Value& start_value,
                                      const std::string& start_key) {
  for (std::size_t j = 0; j < names.size(); ++j) {
    if (!(bounds.lower[j] <= bounds.upper[j]))
      problem(upper, upper_key,
              "is below the lower bound of " + names[j] + ": " + format_number(bounds.lower[j]) +
                  " to " + format_number(bounds.upper[j]));
    if (!std::isfinite(start[j]))
      problem(start_value, start_key, "of " + names[j] + " is not finite");
  }
}

}  // namespace libsolve
