#pragma once

#include <libsolve/bilevel/bilevel_program.hpp>
#include <vector>

namespace libsolve {

/// One inequality of the lower level, s (value - bound) <= 0, or an equality value = bound; the
/// value is g_row, or y_row.
struct LowerConstraint {
  bool is_variable = false;
  Index row = 0;
  double sign = 1.0;
  double bound = 0.0;
  bool is_equality = false;
};

/// All of them: those of g, then those of Y.
LIBSOLVE_EXPORT std::vector<LowerConstraint> lower_constraints(const BilevelProgram& problem);

/// How far the problem's point (v, lambda, z) is from the lower level's KKT conditions at its x,
/// and the largest violation of X, Y, G and g, relative as in KktResidual.
struct LowerResidual {
  KktResidual kkt = {};
  double violation = 0.0;
};
LIBSOLVE_EXPORT LowerResidual lower_residual(const BilevelProgram& problem);

/// A bilevel program with its lower level replaced by that one's KKT conditions: variables
/// (x, y, l) with one multiplier l_k for each LowerConstraint, constraints in this order:
///   f_y + sum_k s_k l_k (value_k)_y           (ny, to be 0),
///   s_k (value_k - bound_k)                   (one for each LowerConstraint),
///   G                                         (where there are any),
///   l_k s_k (value_k - bound_k)               (one for each inequality, where asked for).
/// F is the objective. The second derivatives of the first rows need third derivatives of f and g:
/// they are central differences of the lower level's Hessian along the rows' multipliers, exact for
/// quadratic f and linear g.
class LIBSOLVE_EXPORT LowerKktFunctions final : public HostProgramFunctions {
 public:
  /// `problem` outlives it. Throws Unsupported where F, G, f or g offer no entries.
  LowerKktFunctions(const BilevelProgram& problem, bool with_complementarity);
  ~LowerKktFunctions() override;

  const std::vector<LowerConstraint>& lower() const noexcept { return lower_; }
  Index first_multiplier() const noexcept { return nv_; }
  /// The row of a LowerConstraint, of G_i, of a complementarity product.
  Index row_of(Index k) const noexcept { return ny_ + k; }
  Index row_of_upper(Index i) const noexcept;
  Index row_of_product(Index inequality) const noexcept;

  Index num_variables() const override;
  Index num_constraints() const override;
  bool has_entries() const override { return true; }
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }
  bool is_linear(Index constraint) const override;

 protected:
  double host_objective(In w) override;
  void host_gradient(In w, Out g) override;
  void host_constraints(In w, Out c) override;
  void host_jacobian(In w, Out values) override;
  void host_hessian(In w, double sigma, In multipliers, Out values) override;

 private:
  struct Walk;  ///< over the entries of Jacobian and Hessian, in their order
  void find_patterns();
  void lower_weights(In l);  ///< weights_ of g from l
  /// h += the derivative of the lower Lagrangian's Hessian along (0, p).
  void add_third_derivatives(In v, In p, Out h);
  const BilevelProgram* problem_;
  HostAccess upper_, lower_functions_;
  std::vector<LowerConstraint> lower_;
  std::vector<Index> inequalities_;
  Index nx_, ny_, nv_, ng_, m_;
  bool with_products_;
  SparsePattern jacobian_, hessian_;
  std::vector<std::vector<std::size_t>> entries_of_row_;  ///< of the Jacobian of g
  std::vector<double> weights_;
};

}  // namespace libsolve
