#include <algorithm>
#include <libsolve/optimize/formula_functions.hpp>

namespace libsolve {

namespace {

std::vector<Index> one_or_none(Index objective) {
  return objective < 0 ? std::vector<Index>{} : std::vector<Index>{objective};
}

std::vector<Index> joined(std::vector<Index> first, const std::vector<Index>& rest) {
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

}  // namespace

FormulaFunctions::FormulaFunctions(std::shared_ptr<const Formulas> formulas, Index objective,
                                   std::vector<Index> constraints,
                                   std::vector<std::string> constraint_names, double sign)
    : formulas_(std::move(formulas)),
      constraint_formulas_(std::move(constraints)),
      constraint_names_(std::move(constraint_names)),
      has_objective_(objective >= 0),
      sign_(sign),
      objective_(formulas_, one_or_none(objective)),
      constraints_(formulas_, constraint_formulas_),
      lagrangian_(formulas_, joined(one_or_none(objective), constraint_formulas_)),
      gradient_values_(objective_.jacobian_pattern().size()) {
  lagrangian_.hessian_pattern();
}
FormulaFunctions::~FormulaFunctions() = default;

Index FormulaFunctions::num_variables() const {
  return static_cast<Index>(formulas_->variables().size());
}
Index FormulaFunctions::num_constraints() const {
  return static_cast<Index>(constraint_formulas_.size());
}
std::vector<std::string> FormulaFunctions::variable_names() const {
  return formulas_->variables();
}
std::vector<std::string> FormulaFunctions::constraint_names() const {
  return constraint_names_;
}
const SparsePattern& FormulaFunctions::jacobian_pattern() const {
  return constraints_.jacobian_pattern();
}
const SparsePattern& FormulaFunctions::hessian_pattern() const {
  return lagrangian_.hessian_pattern();
}
bool FormulaFunctions::is_linear(Index constraint) const {
  return formulas_->degree(constraint_formulas_.at(static_cast<std::size_t>(constraint))) <= 1;
}

double FormulaFunctions::host_objective(In x) {
  if (!has_objective_) return 0.0;
  double value = 0.0;
  objective_.values(x, {&value, 1});
  return sign_ * value;
}

void FormulaFunctions::host_gradient(In x, Out g) {
  std::fill(g.begin(), g.end(), 0.0);
  objective_.jacobian(x, gradient_values_);
  const std::vector<Index>& columns = objective_.jacobian_pattern().columns;
  for (std::size_t e = 0; e < columns.size(); ++e)
    g[static_cast<std::size_t>(columns[e])] = sign_ * gradient_values_[e];
}

void FormulaFunctions::host_constraints(In x, Out c) {
  constraints_.values(x, c);
}
void FormulaFunctions::host_jacobian(In x, Out values) {
  constraints_.jacobian(x, values);
}
void FormulaFunctions::host_hessian(In x, double sigma, In lambda, Out values) {
  weights_.assign(has_objective_ ? 1 : 0, sign_ * sigma);
  weights_.insert(weights_.end(), lambda.begin(), lambda.end());
  lagrangian_.hessian(x, weights_, values);
}

}  // namespace libsolve
