#pragma once

#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/optimize/program_functions.hpp>
#include <libsolve/optimize/solve_counts.hpp>
#include <libsolve/pde/parameter_estimation.hpp>

namespace libsolve {

/// A ParameterEstimation as a program in m alone, states eliminated, no constraints:
///   J(m) = 1/2 sum_s w |Q y_s(m) - d_s|^2 + 1/2 (m - m_r)^T R (m - m_r),   A(m) y_s = b_s,
///   A(m) p_s = -w Q^T (Q y_s - d_s),   J'(m) = R (m - m_r) + sum_s d(p_s^T A(m) y_s)/dm,
/// and products with J'' by two more solves a source. Derivatives are as exact as the solves. What is not
/// solved (where the solver says so, and the residual is above 1e-8) is NaN. On insulated walls the
/// solver gets the singular stencil with its null space, and means are put in afterwards. Products only,
/// no entries; over the ranks of the problem.
class LIBSOLVE_EXPORT ReducedEstimation final : public ProgramFunctions, public SolvesInside {
 public:
  /// `functions` are those of a program that offers ParameterEstimation, else Unsupported.
  ReducedEstimation(std::shared_ptr<ProgramFunctions> functions, std::shared_ptr<LinearSolver> solver);
  ~ReducedEstimation() override;

  const Partition& partition() const noexcept { return cells_; }

  Index num_variables() const override { return cells_.local_size(); }
  Index num_constraints() const override { return 0; }
  Communicator communicator() const override { return cells_.communicator(); }
  bool has_entries() const override { return false; }
  /// density() times the Euclidean one.
  std::shared_ptr<const InnerProduct> variable_product() const override;
  /// Those of the problem, at (y(m), m) and p(m).
  std::vector<Field> fields(const ConstVectorView& x, const ConstVectorView& lambda) const override;
  std::vector<Field> data_fields() const override { return functions_->data_fields(); }
  /// One solve with A for one source each.
  SolveCounts solve_counts() const override { return counts_; }

 protected:
  double do_objective(const ConstVectorView& x) override;
  void do_gradient(const ConstVectorView& x, const VectorView& g) override;
  void do_constraints(const ConstVectorView&, const VectorView&) override {}
  void do_apply_jacobian(const ConstVectorView&, const ConstVectorView&,
                         const VectorView&) override {}
  void do_apply_jacobian_adjoint(const ConstVectorView&, const ConstVectorView&,
                                 const VectorView& y) override;
  void do_apply_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                        const ConstVectorView& v, const VectorView& y) override;

 private:
  Vector part(const Vector& block, int source) const;
  /// A(m) x = b for all sources, from the x given.
  void solve(const Vector& b, const Vector& x) const;
  /// y_ and p_ at m; nothing where they are there.
  void solve_states(const ConstVectorView& m) const;
  void solve_adjoints(const ConstVectorView& m) const;
  bool is_at(const ConstVectorView& m) const;

  std::shared_ptr<ProgramFunctions> functions_;
  const ParameterEstimation& problem_;
  std::shared_ptr<LinearSolver> solver_;
  mutable LogDiffusion A_;
  int sources_;
  Partition cells_, block_;
  StencilOperator R_;
  mutable std::shared_ptr<const StencilOperator> stencil_;
  mutable bool has_states_ = false, has_adjoints_ = false;
  mutable SolveCounts counts_;
  mutable Vector m_, y_, p_, b_, rhs_, work_, w_, q_, difference_, term_, reference_, residual_;
};

}  // namespace libsolve
