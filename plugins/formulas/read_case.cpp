#include "read_case.hpp"

#include <algorithm>
#include <libsolve/optimize/formula_case.hpp>
#include <limits>

namespace formulas {

FormulaProgram read_case(const FormulasOptions& o, const std::string& prefix,
                         const SourceLocation& where, Diagnostics& problems) {
  constexpr double none = std::numeric_limits<double>::infinity();
  FormulaCaseReader reader(prefix, where, problems);
  FormulaProgram p;
  const std::vector<std::string> names = reader.variable_names(o.variables, "variables", "x");
  p.formulas = reader.make_formulas(names, o.variables, "variables");
  if (!p.formulas || names.empty()) return p;
  p.objective = reader.formula(*p.formulas, o.objective, "objective");
  FormulaConstraints c;
  reader.constraints(*p.formulas, o.equalities, "equalities", ConstraintForm::equality, c);
  reader.constraints(*p.formulas, o.inequalities, "inequalities", ConstraintForm::inequality, c);
  p.constraints = std::move(c.formulas);
  p.constraint_names = std::move(c.names);
  p.constraint_bounds = std::move(c.bounds);
  p.variable_bounds.lower = reader.numbers(o.lower, "lower", names, -none);
  p.variable_bounds.upper = reader.numbers(o.upper, "upper", names, none);
  p.start = reader.numbers(o.start, "start", names, 0.0);
  reader.check_numbers(names, p.variable_bounds, o.upper, "upper", p.start, o.start, "start");
  if (std::all_of(p.constraint_names.begin(), p.constraint_names.end(),
                  [](const std::string& name) { return name.empty(); }))
    p.constraint_names.clear();
  return p;
}

}  // namespace formulas
