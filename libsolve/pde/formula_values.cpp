#include <cmath>
#include <libsolve/optimize/formula.hpp>
#include <libsolve/pde/formula_values.hpp>

namespace libsolve {

namespace {

std::shared_ptr<const Formulas> parse(const std::string& formula,
                                      const std::vector<std::string>& variables) {
  auto formulas = std::make_shared<Formulas>(variables);
  formulas->add(formula);
  return formulas;
}

}  // namespace

std::string fault_of_formula(const std::string& formula,
                             const std::vector<std::string>& variables) {
  try {
    parse(formula, variables);
  } catch (const FormulaError& e) {
    return e.what();
  }
  return {};
}

std::vector<double> formula_values(
    const std::string& formula, const std::vector<std::string>& variables, std::size_t num_points,
    const std::function<void(std::size_t k, std::span<double> variables)>& point,
    const std::string& key) {
  FormulaEvaluator evaluator(parse(formula, variables), std::vector<Index>{0});
  std::vector<double> at(variables.size()), values(num_points);
  for (std::size_t k = 0; k < num_points; ++k) {
    point(k, at);
    evaluator.values(at, {&values[k], 1});
    if (std::isfinite(values[k])) continue;
    std::string where;
    for (std::size_t v = 0; v < at.size(); ++v)
      where += (v == 0 ? "" : ", ") + variables[v] + " = " + std::to_string(at[v]);
    throw DataError((key.empty() ? "" : key + " = ") + '"' + formula + "\" is not finite at " + where);
  }
  return values;
}

}  // namespace libsolve
