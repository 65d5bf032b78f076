#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/optimize/formula.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <memory>
#include <string>
#include <vector>

/// Programs written as formulas in a case file: what the sources of such problems share.
namespace libsolve {

/// Constraints as formulas between bounds.
struct FormulaConstraints {
  std::vector<Index> formulas = {};
  std::vector<std::string> names = {};  ///< one each, "" where there is none
  Bounds bounds = {};
};

/// What a list of constraints may hold.
enum class ConstraintForm {
  equality,    ///< "a = b", or a formula that is to be 0
  inequality,  ///< "a <= b", "a >= b", "l <= a <= u", or a formula that is to be at most 0
  either       ///< any relation, or a formula that is to be at most 0
};

/// Reads the values of a case. Everything wrong goes to `problems` with its line, its key after
/// `prefix`, and the column within the formula; then what is returned is not whole.
class LIBSOLVE_EXPORT FormulaCaseReader {
 public:
  /// The arguments outlive the reader; `where` is where the table stands.
  FormulaCaseReader(const std::string& prefix, const SourceLocation& where, Diagnostics& problems)
      : prefix_(&prefix), where_(&where), problems_(&problems) {}

  /// `v` (the value of `key`) holds the names, or a number n: letter1 ... lettern.
  std::vector<std::string> variable_names(const Value& v, const std::string& key,
                                          const std::string& letter);
  /// An empty set of formulas in these variables; null where the names cannot be.
  std::shared_ptr<Formulas> make_formulas(const std::vector<std::string>& names, const Value& v,
                                          const std::string& key);
  /// The number of the new formula; -1 where it cannot be read.
  Index formula(Formulas& formulas, const Value& v, const std::string& key);
  /// Adds to `to` one formula or relation, an array of them, or a table of them by name.
  void constraints(Formulas& formulas, const Value& list, const std::string& key,
                   ConstraintForm form, FormulaConstraints& to);
  /// A number for each of `names`: one for all, an array, or a table by name, where those not named
  /// are `otherwise`.
  std::vector<double> numbers(const Value& v, const std::string& key,
                              const std::vector<std::string>& names, double otherwise);
  /// Finds bounds that leave nothing and starts that are not finite.
  void check_numbers(const std::vector<std::string>& names, const Bounds& bounds,
                     const Value& upper, const std::string& upper_key,
                     const std::vector<double>& start, const Value& start_value,
                     const std::string& start_key);
  /// The problem is that of `at`, or of the table where `at` is a default.
  void problem(const Value& at, const std::string& key, const std::string& message);

 private:
  void add_constraint(Formulas& formulas, const Value& v, const std::string& key,
                      const std::string& name, ConstraintForm form, FormulaConstraints& to);
  double number(const Value& v, const std::string& key);

  const std::string* prefix_;
  const SourceLocation* where_;
  Diagnostics* problems_;
};

/// An option that is kept as written, so that its errors can say where.
template <class O>
void add_as_written(Fields<O>& f, const char* name, Value O::*member, const char* type,
                    const char* help, bool required = false) {
  typename Fields<O>::Field field;
  field.info.name = name;
  field.info.type = type;
  field.info.help = help;
  field.info.required = required;
  if (!required) field.info.default_value = (O{}.*member).to_text();
  field.set = [member](O& o, const Value& v) {
    o.*member = v;
    return std::string();
  };
  field.get = [member](const O& o) { return o.*member; };
  f.fields().push_back(std::move(field));
}

}  // namespace libsolve
