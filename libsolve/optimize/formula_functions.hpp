#pragma once

#include <libsolve/optimize/formula.hpp>

namespace libsolve {

/// The functions of a program whose objective and constraints are formulas. Entries are exact, and
/// constraints that are linear are known to be.
class LIBSOLVE_EXPORT FormulaFunctions final : public HostProgramFunctions {
 public:
  /// objective: the number of a formula, -1 for f = 0; `sign` -1 minimises its negative.
  FormulaFunctions(std::shared_ptr<const Formulas> formulas, Index objective,
                   std::vector<Index> constraints, std::vector<std::string> constraint_names = {},
                   double sign = 1.0);
  ~FormulaFunctions() override;

  Index num_variables() const override;
  Index num_constraints() const override;
  std::vector<std::string> variable_names() const override;
  std::vector<std::string> constraint_names() const override;
  bool has_entries() const override { return true; }
  const SparsePattern& jacobian_pattern() const override;
  const SparsePattern& hessian_pattern() const override;
  bool is_linear(Index constraint) const override;

 protected:
  double host_objective(In x) override;
  void host_gradient(In x, Out g) override;
  void host_constraints(In x, Out c) override;
  void host_jacobian(In x, Out values) override;
  void host_hessian(In x, double sigma, In lambda, Out values) override;

 private:
  std::shared_ptr<const Formulas> formulas_;
  std::vector<Index> constraint_formulas_;
  std::vector<std::string> constraint_names_;
  bool has_objective_;
  double sign_;
  FormulaEvaluator objective_, constraints_, lagrangian_;
  std::vector<double> gradient_values_, weights_;
};

}  // namespace libsolve
