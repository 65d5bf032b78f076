#include "formulas_source.hpp"

#include <algorithm>
#include <libsolve/bilevel/formula_range.hpp>
#include <libsolve/bilevel/formula_shape.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/optimize/formula_case.hpp>
#include <libsolve/optimize/formula_functions.hpp>
#include <limits>

namespace bilevel_sources {

namespace {

constexpr double none = std::numeric_limits<double>::infinity();

Bounds slice(const Bounds& b, std::size_t begin, std::size_t end) {
  const auto part = [&](const std::vector<double>& v) {
    return std::vector<double>(v.begin() + static_cast<std::ptrdiff_t>(begin),
                               v.begin() + static_cast<std::ptrdiff_t>(end));
  };
  return {part(b.lower), part(b.upper)};
}

void intersect(Bounds& b, std::size_t j, double lower, double upper) {
  b.lower[j] = std::max(b.lower[j], lower);
  b.upper[j] = std::min(b.upper[j], upper);
}

/// Takes linear constraints in one variable out of `c` where that is one of the first `movable`
/// variables, or any of them for the lower level, and moves its bounds.
void take_bounds(const std::shared_ptr<const Formulas>& formulas, FormulaConstraints& c,
                 std::size_t movable, Bounds& bounds) {
  FormulaConstraints kept;
  const std::vector<double> zero(formulas->variables().size(), 0.0);
  for (std::size_t i = 0; i < c.formulas.size(); ++i) {
    FormulaEvaluator evaluator(formulas, {c.formulas[i]});
    const std::vector<Index>& columns = evaluator.jacobian_pattern().columns;
    double slope = 0.0, constant = 0.0;
    if (formulas->degree(c.formulas[i]) == 1 && columns.size() == 1 &&
        static_cast<std::size_t>(columns[0]) < movable) {
      evaluator.jacobian(zero, {&slope, 1});
      evaluator.values(zero, {&constant, 1});
    }
    if (slope == 0.0) {
      kept.formulas.push_back(c.formulas[i]);
      kept.names.push_back(c.names[i]);
      kept.bounds.lower.push_back(c.bounds.lower[i]);
      kept.bounds.upper.push_back(c.bounds.upper[i]);
      continue;
    }
    // lower <= slope v + constant <= upper; 0 and not -0 where a bound is there.
    const double p = (c.bounds.lower[i] - constant) / slope + 0.0;
    const double q = (c.bounds.upper[i] - constant) / slope + 0.0;
    intersect(bounds, static_cast<std::size_t>(columns[0]), std::min(p, q), std::max(p, q));
  }
  c = std::move(kept);
}

bool has_names(const FormulaConstraints& c) {
  return std::any_of(c.names.begin(), c.names.end(),
                     [](const std::string& name) { return !name.empty(); });
}

std::shared_ptr<ProgramFunctions> functions_of(const std::shared_ptr<const Formulas>& formulas,
                                               Index objective, const FormulaConstraints& c) {
  return std::make_shared<FormulaFunctions>(formulas, objective, c.formulas,
                                            has_names(c) ? c.names : std::vector<std::string>{});
}

/// Whether f and the set g leaves are convex in y for all x in X.
bool is_convex_in_y(const std::shared_ptr<const Formulas>& formulas, Index f,
                    const FormulaConstraints& g, std::size_t num_upper, const Bounds& bounds) {
  using Shape = FormulaShape;
  std::vector<bool> varies(bounds.size());
  std::vector<Interval> box;
  for (std::size_t j = 0; j < varies.size(); ++j) {
    varies[j] = j >= num_upper;
    box.push_back({bounds.lower[j], bounds.upper[j]});
  }
  const auto is_one_of = [](Shape s, Shape curved) {
    return s == Shape::constant || s == Shape::affine || s == curved;
  };
  if (!is_one_of(formula_shape(formulas, f, varies, box), Shape::convex)) return false;
  for (std::size_t i = 0; i < g.formulas.size(); ++i) {
    const Shape s = formula_shape(formulas, g.formulas[i], varies, box);
    if (g.bounds.upper[i] < none && !is_one_of(s, Shape::convex)) return false;
    if (g.bounds.lower[i] > -none && !is_one_of(s, Shape::concave)) return false;
  }
  return true;
}

bool is_quadratic(const Formulas& formulas, Index f, const FormulaConstraints& g) {
  return formulas.degree(f) <= 2 && std::all_of(g.formulas.begin(), g.formulas.end(),
                                                [&](Index i) { return formulas.degree(i) <= 1; });
}

}  // namespace

void BilevelFormulasOptions::describe(Fields<BilevelFormulasOptions>& f) {
  using O = BilevelFormulasOptions;
  add_as_written(f, "upper_variables", &O::upper_variables, "strings or integer",
                 "names of the upper level's variables, or how many: x1, x2, ...", true);
  add_as_written(f, "lower_variables", &O::lower_variables, "strings or integer",
                 "names of the lower level's variables, or how many: y1, y2, ...", true);
  add_as_written(f, "upper_objective", &O::upper_objective, "string",
                 "F: formula in all variables: + - * / ^, sin cos tan asin acos atan sinh cosh "
                 "tanh exp log log10 sqrt abs min max, pi");
  add_as_written(f, "lower_objective", &O::lower_objective, "string", "f");
  const char* const form =
      "\"a <= b\", \"a >= b\", \"l <= a <= u\", \"a = b\", or formulas that are to be at most 0; "
      "a table gives them names";
  add_as_written(f, "upper_constraints", &O::upper_constraints, "strings", form);
  add_as_written(f, "lower_constraints", &O::lower_constraints, "strings", form);
  const char* const per_variable = "float, floats or table";
  add_as_written(f, "lower", &O::lower, per_variable,
                 "lower bounds: one for all, one for each (upper variables first), or by name; "
                 "those of lower variables belong to the lower level");
  add_as_written(f, "upper", &O::upper, per_variable, "upper bounds");
  add_as_written(f, "start", &O::start, per_variable, "where methods start");
  f.add("lower_convex", &O::lower_convex,
        "take the lower level for convex in its variables where that is not found out");
}

void BilevelFormulasOptions::check(const BilevelFormulasOptions& o, const std::string& prefix,
                                   const SourceLocation& where, Diagnostics& problems) {
  if (problems.empty()) read_bilevel_case(o, prefix, where, problems);
}

BilevelParts read_bilevel_case(const BilevelFormulasOptions& o, const std::string& prefix,
                               const SourceLocation& where, Diagnostics& problems) {
  FormulaCaseReader reader(prefix, where, problems);
  std::vector<std::string> names = reader.variable_names(o.upper_variables, "upper_variables", "x");
  const std::vector<std::string> lower_names =
      reader.variable_names(o.lower_variables, "lower_variables", "y");
  BilevelParts p;
  const std::size_t nx = names.size(), ny = lower_names.size();
  p.num_upper = static_cast<Index>(nx);
  p.num_lower = static_cast<Index>(ny);
  names.insert(names.end(), lower_names.begin(), lower_names.end());
  if (nx == 0 || ny == 0) return p;
  const std::shared_ptr<Formulas> formulas =
      reader.make_formulas(names, o.lower_variables, "lower_variables");
  if (!formulas) return p;
  const std::size_t before = problems.problems().size();
  const Index F = reader.formula(*formulas, o.upper_objective, "upper_objective");
  const Index f = reader.formula(*formulas, o.lower_objective, "lower_objective");
  FormulaConstraints G, g;
  reader.constraints(*formulas, o.upper_constraints, "upper_constraints", ConstraintForm::either,
                     G);
  reader.constraints(*formulas, o.lower_constraints, "lower_constraints", ConstraintForm::either,
                     g);
  Bounds bounds = {reader.numbers(o.lower, "lower", names, -none),
                   reader.numbers(o.upper, "upper", names, none)};
  p.start = reader.numbers(o.start, "start", names, 0.0);
  reader.check_numbers(names, bounds, o.upper, "upper", p.start, o.start, "start");
  if (problems.problems().size() > before) return p;

  take_bounds(formulas, G, nx, bounds);
  take_bounds(formulas, g, nx + ny, bounds);
  for (std::size_t j = 0; j < names.size(); ++j)
    if (!(bounds.lower[j] <= bounds.upper[j]))
      reader.problem(j < nx ? o.upper_constraints : o.lower_constraints,
                     j < nx ? "upper_constraints" : "lower_constraints",
                     "leave no value for " + names[j] + ": at least " +
                         format_number(bounds.lower[j]) + " and at most " +
                         format_number(bounds.upper[j]));
  p.upper = functions_of(formulas, F, G);
  p.lower = functions_of(formulas, f, g);
  p.upper_variables = slice(bounds, 0, nx);
  p.lower_variables = slice(bounds, nx, nx + ny);
  p.lower_is_convex = o.lower_convex || is_convex_in_y(formulas, f, g, nx, bounds);
  p.lower_is_quadratic = is_quadratic(*formulas, f, g);
  std::vector<Index> ranged = {f};
  ranged.insert(ranged.end(), g.formulas.begin(), g.formulas.end());
  p.lower_range = std::make_shared<FormulaRange>(formulas, std::move(ranged));
  p.upper_constraints = std::move(G.bounds);
  p.lower_constraints = std::move(g.bounds);
  p.text = "bilevel formulas: " + std::to_string(nx) + " upper and " + std::to_string(ny) +
           " lower variables, " + std::to_string(p.upper_constraints.size()) + " and " +
           std::to_string(p.lower_constraints.size()) + " constraints, lower level " +
           (p.lower_is_convex ? "convex" : "not known to be convex");
  return p;
}

std::unique_ptr<Problem> BilevelFormulasSource::create() {
  if (context_.communicator.size() > 1)
    throw Unsupported("the problem source 'bilevel-formulas' works on one rank, got " +
                      std::to_string(context_.communicator.size()) + "; run it without mpirun");
  Diagnostics problems;
  BilevelParts parts = read_bilevel_case(options_, "problem.", {}, problems);
  problems.throw_if_any();
  return std::make_unique<BilevelProgram>(std::move(parts));
}

}  // namespace bilevel_sources
