#include "formulas_source.hpp"

#include <libsolve/core/errors.hpp>
#include <libsolve/optimize/formula_case.hpp>
#include <libsolve/optimize/formula_functions.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>

#include "read_case.hpp"

namespace formulas {

void FormulasOptions::describe(Fields<FormulasOptions>& f) {
  using O = FormulasOptions;
  add_as_written(f, "variables", &O::variables, "strings or integer",
                 "names of the variables, or how many: x1, x2, ...", true);
  add_as_written(f, "objective", &O::objective, "string",
                 "formula in the variables: + - * / ^, sin cos tan asin acos atan sinh "
                 "cosh tanh exp log log10 sqrt abs min max, pi");
  f.add("maximize", &O::maximize, "seek the largest objective");
  add_as_written(f, "equalities", &O::equalities, "strings",
                 "\"a = b\", or formulas that are to be 0; a table gives them names");
  add_as_written(f, "inequalities", &O::inequalities, "strings",
                 "\"a <= b\", \"a >= b\", \"l <= a <= u\", or formulas that are to be at "
                 "most 0; a table gives them names");
  const char* const per_variable = "float, floats or table";
  add_as_written(f, "lower", &O::lower, per_variable,
                 "lower bounds: one for all, one for each, or by name");
  add_as_written(f, "upper", &O::upper, per_variable, "upper bounds");
  add_as_written(f, "start", &O::start, per_variable, "where methods start");
}

void FormulasOptions::check(const FormulasOptions& o, const std::string& prefix,
                            const SourceLocation& where, Diagnostics& problems) {
  if (problems.empty()) read_case(o, prefix, where, problems);
}

std::unique_ptr<Problem> FormulasSource::create() {
  if (context_.communicator.size() > 1)
    throw Unsupported("the problem source 'formulas' works on one rank, got " +
                      std::to_string(context_.communicator.size()) + "; run it without mpirun");
  Diagnostics problems;
  FormulaProgram p = read_case(options_, "problem.", {}, problems);
  problems.throw_if_any();
  const double sign = options_.maximize ? -1.0 : 1.0;
  auto functions = std::make_shared<FormulaFunctions>(p.formulas, p.objective, p.constraints,
                                                      p.constraint_names, sign);
  auto program = std::make_unique<NonlinearProgram>(functions, p.variable_bounds,
                                                    p.constraint_bounds, p.start);
  program->is_maximisation = options_.maximize;
  program->text = "formulas: " + std::to_string(functions->num_variables()) + " variables, " +
                  std::to_string(functions->num_constraints()) + " constraints";
  return program;
}

}  // namespace formulas
