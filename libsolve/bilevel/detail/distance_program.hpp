/// \file
/// min 1/2 |v - target|^2 over the coupled set of a bilevel program, and its solution by Newton's
/// method.
#pragma once

#include <libsolve/bilevel/bilevel_program.hpp>
#include <libsolve/optimize/program_solver.hpp>

namespace libsolve::detail {

/// The constraints g, then G, of both levels, and the distance as the objective. Both have entries.
class DistanceFunctions final : public HostProgramFunctions {
 public:
  explicit DistanceFunctions(const BilevelProgram& program);
  ~DistanceFunctions() override;
  void set_target(std::span<const double> v) { target_.assign(v.begin(), v.end()); }

  Index num_variables() const override { return static_cast<Index>(n_); }
  Index num_constraints() const override { return static_cast<Index>(num_lower_ + num_upper_); }
  bool has_entries() const override { return true; }
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }
  bool is_linear(Index constraint) const override;

 protected:
  double host_objective(In v) override;
  void host_gradient(In v, Out g) override;
  void host_constraints(In v, Out c) override;
  void host_jacobian(In v, Out values) override;
  void host_hessian(In v, double sigma, In multipliers, Out values) override;

 private:
  std::shared_ptr<ProgramFunctions> lower_functions_, upper_functions_;
  HostAccess lower_, upper_;
  std::size_t n_, num_lower_, num_upper_;
  SparsePattern jacobian_, hessian_;
  std::vector<double> target_;
};

/// `is_dense`: by Newton's method first. `solver` (may be null) where that fails.
std::shared_ptr<Projection> newton_projection(const BilevelProgram& program,
                                              std::unique_ptr<ProgramSolver> solver, bool is_dense);

}  // namespace libsolve::detail
