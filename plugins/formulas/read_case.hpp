#pragma once

#include <libsolve/optimize/formula.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>

#include "formulas_source.hpp"

namespace formulas {

/// What a case says, read.
struct FormulaProgram {
  std::shared_ptr<Formulas> formulas = {};
  Index objective = -1;
  std::vector<Index> constraints = {};
  std::vector<std::string> constraint_names = {};  ///< empty: none has a name
  Bounds variable_bounds = {}, constraint_bounds = {};
  std::vector<double> start = {};
};

/// Everything wrong goes to `problems` with its line, its key after `prefix`, and the column within
/// the formula; then the result is not whole.
FormulaProgram read_case(const FormulasOptions& o, const std::string& prefix,
                         const SourceLocation& where, Diagnostics& problems);

}  // namespace formulas
