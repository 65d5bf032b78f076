#pragma once

#include <libsolve/optimize/control_structure.hpp>
#include <vector>

namespace optimal_control {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

enum class Reaction { none, cubic, exponential };

/// phi(y) and its derivatives: 0, s y^3, s (exp(y) - 1).
struct ReactionTerm {
  Reaction kind = Reaction::none;
  double strength = 1.0;
  KOKKOS_INLINE_FUNCTION double value(double y) const {
    if (kind == Reaction::cubic) return strength * y * y * y;
    if (kind == Reaction::exponential) return strength * Kokkos::expm1(y);
    return 0.0;
  }
  KOKKOS_INLINE_FUNCTION double slope(double y) const {
    if (kind == Reaction::cubic) return 3.0 * strength * y * y;
    if (kind == Reaction::exponential) return strength * Kokkos::exp(y);
    return 0.0;
  }
  KOKKOS_INLINE_FUNCTION double curvature(double y) const {
    if (kind == Reaction::cubic) return 6.0 * strength * y;
    if (kind == Reaction::exponential) return strength * Kokkos::exp(y);
    return 0.0;
  }
};

/// The functions of ControlStructure on N x N points, h = 1 / (N + 1), by the five-point formula.
/// Entries and products, every kernel on views.
class ControlFunctions final : public ProgramFunctions, public ControlStructure {
 public:
  /// target: y_d, N^2 values, x fastest.
  ControlFunctions(Index points_per_axis, double weight, double control_cost, ReactionTerm reaction,
                   const std::vector<double>& target);

  Index num_variables() const override { return 2 * num_points_; }
  Index num_constraints() const override { return num_points_; }
  bool has_entries() const override { return true; }
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }
  bool is_linear(Index) const override { return reaction_.kind == Reaction::none; }

  const Grid& grid() const override { return grid_; }
  double weight() const override { return weight_; }
  double control_cost() const override { return control_cost_; }
  std::shared_ptr<const StencilOperator> state_operator(const ConstVectorView& x) const override;
  void state_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                     const VectorView& d) const override;

 protected:
  double do_objective(const ConstVectorView& x) override;
  void do_gradient(const ConstVectorView& x, const VectorView& g) override;
  void do_constraints(const ConstVectorView& x, const VectorView& c) override;
  void do_jacobian(const ConstVectorView& x, const VectorView& values) override;
  void do_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                  const VectorView& values) override;
  void do_apply_jacobian(const ConstVectorView& x, const ConstVectorView& v,
                         const VectorView& y) override;
  void do_apply_jacobian_adjoint(const ConstVectorView& x, const ConstVectorView& w,
                                 const VectorView& y) override;
  void do_apply_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                        const ConstVectorView& v, const VectorView& y) override;

 private:
  void make_patterns();

  Index points_per_axis_, num_points_;
  double h_, weight_, control_cost_;
  ReactionTerm reaction_;
  Grid grid_;
  VectorView target_;
  SparsePattern jacobian_, hessian_;
  Kokkos::View<Index*, MemSpace> first_entry_;  ///< of each row of the Jacobian; the diagonal
};

}  // namespace optimal_control
