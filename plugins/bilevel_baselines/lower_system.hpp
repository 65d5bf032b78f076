#pragma once

#include <libsolve/bilevel/bilevel_program.hpp>
#include <libsolve/bilevel/lower_kkt.hpp>

#include "saddle_factors.hpp"

namespace bilevel_baselines {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library
using Numbers = std::vector<double>;

/// (x, y) with multipliers of g and of Y.
struct LowerPoint {
  Numbers v, lambda, z;
};

/// How the adjoint system is solved, and where that ends.
struct AdjointOptions {
  std::string solver = "direct";  ///< or "cg", "neumann"
  double tolerance = 1e-11;       ///< of cg and the Neumann series, relative
  int max_terms = 1000;
};
struct AdjointResult {
  bool is_singular = false;  ///< direct: the least-squares solution was taken
  bool is_solved = true;  ///< the iteration met its tolerance (direct: the system's residual did)
  int products = 0;       ///< with the Hessian
  Index degenerate = 0;   ///< active inequalities with multiplier 0, taken as inactive
  Index kinks = 0;        ///< those of them that would change the hypergradient if held
};

/// The lower level's KKT system at a point, with the active inequalities as equalities,
///   [W_yy A^T; A 0],   W = f'' + sum_i lambda_i g_i'',   A the active rows of g_y,
/// for the y whose bound is not active. Newton's method on it, and the hypergradient from it.
class LowerSystem {
 public:
  /// `problem` outlives it.
  explicit LowerSystem(const BilevelProgram& problem);
  ~LowerSystem();

  /// Largest part of the lower level's KKT residual at p.
  double residual(const LowerPoint& p);

  /// Semismooth Newton steps on the KKT conditions (the primal-dual active set strategy:
  /// Hintermueller, Ito, Kunisch, SIAM J. Optim. 13, 2002, Algorithm 2.1), x fixed: in each step
  /// inequality k is held where l_k + s_k (value_k - bound_k) > 0. p becomes the best point met.
  /// Ends at `tolerance`, after max_steps, or where the residual grows a thousandfold; returns the
  /// residual. Needs entries.
  double improve(LowerPoint& p, int max_steps, double tolerance);

  /// dPhi/dx = H_x + W_xy p + A_x^T q with W_yy p + A^T q = -H_y, A p = 0, at a solution p of the
  /// lower level: the adjoint form of the implicit function theorem on its KKT conditions
  /// (Fiacco, Introduction to Sensitivity and Stability Analysis, 1983, theorem 2.4.4 for strictly
  /// complementary solutions). Where inequalities are active with multiplier 0 it is one element of
  /// the generalised derivative, that of the piece on which they are inactive.
  /// H_v: nv values; gradient: nx values. "direct" needs entries; "cg" is conjugate gradients
  /// projected onto the null space of A (Gould, Hribar, Nocedal, SIAM J. Sci. Comput. 23, 2001,
  /// Algorithm 6.2 without preconditioner), "neumann" the series sum_i (I - P W P / L)^i / L
  /// (Ghadimi, Wang, arXiv:1802.02246, section 3), both with products only.
  AdjointResult hypergradient(const LowerPoint& p, std::span<const double> H_v,
                              const AdjointOptions& options, std::span<double> gradient);

  std::int64_t factorisations() const noexcept { return factorisations_; }
  std::int64_t newton_steps() const noexcept { return newton_steps_; }

 private:
  struct Projector;
  void evaluate(const LowerPoint& p);       ///< f_v, g, J^T lambda at p
  void hold(const LowerPoint& p);           ///< which constraints Newton holds
  void hold_strictly(const LowerPoint& p);  ///< those active with a multiplier; degenerate_
  void number_unknowns();
  bool factor(const LowerPoint& p);
  void newton_step(LowerPoint& p);
  double constraint_value(const LowerPoint& p, const LowerConstraint& c) const;
  double multiplier(const LowerPoint& p, const LowerConstraint& c) const;
  AdjointResult by_products(const LowerPoint& p, std::span<const double> H_v,
                            const AdjointOptions& options, std::span<double> direction,
                            std::span<double> row_weights);

  const BilevelProgram* problem_;
  HostAccess at_;
  std::vector<LowerConstraint> constraints_;
  Index nx_, ny_, nv_, m_;
  Numbers f_v_, g_, Jt_lambda_, jacobian_, hessian_;
  Numbers row_bound_;                                    ///< of a row of g that is held; NaN: free
  Numbers variable_bound_;                               ///< of a y that is held; NaN: free
  std::vector<std::size_t> degenerate_;                  ///< among constraints_
  std::vector<Index> place_of_variable_, place_of_row_;  ///< in the system; -1: not there
  Index num_free_ = 0, num_held_rows_ = 0;
  SaddleFactors factors_;
  std::vector<SaddleFactors::Entry> entries_;
  std::int64_t factorisations_ = 0, newton_steps_ = 0;
};

}  // namespace bilevel_baselines
