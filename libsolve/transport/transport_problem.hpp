#pragma once

#include <libsolve/core/component.hpp>
#include <libsolve/transport/point_cost.hpp>
#include <libsolve/transport/transport_cost.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace libsolve {

/// The points behind a cost |x - y|^p, for methods that work on them.
struct PointClouds {
  DenseBlock x;           ///< of this rank's rows, one point a row
  DenseBlock y;           ///< all of them
  PointCostOptions cost;  ///< how C follows
};

/// Optimal transport: the cheapest way to move the mass a over the points of the rows to the mass b
/// over those of the columns,
///   min <C, P> + eps sum_ij P_ij (log P_ij - 1)   over P >= 0 with P 1 = a, P^T 1 = b,
/// eps = `regularization`; or, unbalanced, with both constraints relaxed,
///   min <C, P> + eps sum_ij P_ij (log P_ij - 1) + rho KL(P 1 | a) + rho KL(P^T 1 | b),
/// KL(p | q) = sum p log(p / q) - p + q, rho = `marginal_penalty`.
///
/// The solution is a pair of potentials f, g with P_ij = exp((f_i + g_j - C_ij) / eps), or, from
/// methods whose plan has another form, a plan of few entries with potentials beside it.
class LIBSOLVE_EXPORT TransportProblem final : public Problem {
 public:
  static constexpr std::string_view class_name = "transport";

  /// a: over cost->rows(); b: m entries, whole on every rank. Throws ShapeError;
  /// DataError (with the index) where a mass is not finite, negative or zero, where totals differ
  /// by more than 1e-9 of them (b is scaled to the total of a below that), or where the cost is not
  /// finite; `regularization` <= 0 too. Unequal totals are allowed with a `marginal_penalty`.
  /// Collective.
  TransportProblem(std::shared_ptr<const TransportCost> cost, Vector a, Vector b,
                   double regularization, std::optional<double> marginal_penalty = {});
  ~TransportProblem() override;

  const TransportCost& cost() const noexcept { return *cost_; }
  const std::shared_ptr<const TransportCost>& shared_cost() const noexcept { return cost_; }
  const Vector& a() const noexcept { return a_; }
  const Vector& b() const noexcept { return b_; }
  double regularization() const noexcept { return regularization_; }
  /// rho; none for the balanced problem.
  const std::optional<double>& marginal_penalty() const noexcept { return marginal_penalty_; }
  bool is_balanced() const noexcept { return !marginal_penalty_; }

  /// Potentials, in units of the cost: initial guess (zero at first) and solution. f lies over the
  /// ranks as a does, g is whole on every rank.
  const Vector& f() const noexcept { return f_; }
  const Vector& g() const noexcept { return g_; }
  /// What the potentials mean. Methods whose plan is not exp((f + g - C) / eps) store it; without a
  /// value the plan is that of the potentials.
  void set_plan(std::optional<SparseEntries> plan) { plan_ = std::move(plan); }
  const std::optional<SparseEntries>& plan() const noexcept { return plan_; }

  /// Of an entropic plan solution() has the entries P_ij >= plan_threshold * (P 1)_i, so at most
  /// 1 / plan_threshold in a row; 0: none. In [0, 1].
  double plan_threshold = 1e-3;
  std::string text = "optimal transport";  ///< what description() says
  std::optional<PointClouds> points;       ///< where the cost is made from points
  std::vector<Field> extra_data;           ///< images, ...

  std::string_view problem_class() const override { return class_name; }
  std::string description() const override { return text; }
  /// "f", "g"; after verify() has met a violation below a tenth of the mass, the plan as
  /// "plan_row", "plan_column" (from 0), "plan_value".
  std::vector<Field> solution() const override;
  /// "a", "b", "x" and "y" (points, where there are some) and extra_data.
  std::vector<Field> data() const override;
  /// All recomputed from the plan (one of P = exp(...) or the stored one):
  /// "marginal_violation": |P 1 - a|_1 + |P^T 1 - b|_1, or, unbalanced, the same of the conditions
  ///    P 1 = a exp(-f / rho), P^T 1 = b exp(-g / rho); in units of mass.
  /// "transport_cost": <C, P>.
  /// "dual_value": <a, u> + <b, v>, u the c-transform of g and v that of u: u_i + v_j <= C_ij, so no
  ///    plan with these marginals costs less.
  /// "optimality_gap": transport_cost - dual_value, the bias of the regularisation and what the
  ///    method left. Both balanced only.
  std::vector<Measure> verify() const override;
  /// n + m.
  GlobalIndex num_unknowns() const override;

 private:
  std::shared_ptr<const TransportCost> cost_;
  Vector a_, b_, f_, g_;
  double regularization_ = 0.0;
  std::optional<double> marginal_penalty_;
  std::optional<SparseEntries> plan_;
  mutable VectorView row_sums_;  ///< of the plan that verify() has seen
  mutable bool has_plan_ = false;
};

}  // namespace libsolve
