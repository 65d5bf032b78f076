#pragma once

#include <libsolve/bilevel/bilevel_program.hpp>
#include <memory>

#include "hinge_newton.hpp"

namespace bilevel_sources {

/// Where things stand in v = (c, w, b) or (c, w, b, s): n penalties, q = features + 1, n slacks.
struct SvmLayout {
  std::size_t n = 0, q = 0;
  bool has_slack = true;
  std::size_t num_variables() const { return n + q + (has_slack ? n : 0); }
  std::size_t w() const { return n; }
  std::size_t slack() const { return n + q; }
};

/// Up to so many features and 1, dense blocks of Hessians have entries.
inline constexpr std::size_t most_entries = 500;

/// F = sum over samples of phi(a_i . (w, b) / |w|), phi(r) = 2 sigmoid(-5 r) - 1 = -tanh(5 r / 2)
/// where that is positive (the sample is on the wrong side), `leak` times that elsewhere (Yao et
/// al. 2024). Undefined at w = 0. At the kinks, samples on the plane, the derivative is
/// that of the right side.
class SvmUpper final : public HostProgramFunctions {
 public:
  SvmUpper(SvmLayout layout, std::shared_ptr<const SvmSamples> samples, double leak);
  Index num_variables() const override { return static_cast<Index>(layout_.num_variables()); }
  Index num_constraints() const override { return 0; }
  bool has_entries() const override { return layout_.q <= most_entries; }
  const SparsePattern& jacobian_pattern() const override { return none_; }
  const SparsePattern& hessian_pattern() const override;
  /// Of (w, b).
  double loss(In u) const;

 protected:
  double host_objective(In v) override { return loss(v.subspan(layout_.w(), layout_.q)); }
  void host_gradient(In v, Out g) override;
  void host_constraints(In, Out) override {}
  void host_jacobian(In, Out) override {}
  void host_hessian(In v, double sigma, In multipliers, Out values) override;
  void do_apply_hessian(const ConstVectorView& v, double sigma, const ConstVectorView& multipliers,
                        const ConstVectorView& direction, const VectorView& out) override;

 private:
  struct Point;
  Point at(In v) const;
  SvmLayout layout_;
  std::shared_ptr<const SvmSamples> samples_;
  double leak_;
  SparsePattern none_, hessian_;
};

/// f = 1/2 |w|^2 + 1/2 sum_i e^{c_i} s_i^2 with the rows s_i >= 1 - a_i . (w, b), as 1 - a_i . (w,
/// b)
/// - s_i <= 0.
class SvmLower final : public HostProgramFunctions {
 public:
  SvmLower(SvmLayout layout, std::shared_ptr<const SvmSamples> samples);
  Index num_variables() const override { return static_cast<Index>(layout_.num_variables()); }
  Index num_constraints() const override { return static_cast<Index>(layout_.n); }
  bool has_entries() const override { return true; }
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }
  bool is_linear(Index) const override { return true; }

 protected:
  double host_objective(In v) override;
  void host_gradient(In v, Out g) override;
  void host_constraints(In v, Out c) override;
  void host_jacobian(In v, Out values) override;
  void host_hessian(In v, double sigma, In multipliers, Out values) override;

 private:
  SvmLayout layout_;
  std::shared_ptr<const SvmSamples> samples_;
  SparsePattern jacobian_, hessian_;
  std::vector<double> jacobian_values_;
};

/// The same with the slacks at their best values, s_i = max(0, 1 - a_i . (w, b)): no constraints,
/// once differentiable in (w, b), twice where no sample has the margin 1.
class SvmReducedLower final : public HostProgramFunctions {
 public:
  SvmReducedLower(SvmLayout layout, std::shared_ptr<const SvmSamples> samples);
  Index num_variables() const override { return static_cast<Index>(layout_.num_variables()); }
  Index num_constraints() const override { return 0; }
  bool has_entries() const override { return layout_.q <= most_entries; }
  const SparsePattern& jacobian_pattern() const override { return none_; }
  const SparsePattern& hessian_pattern() const override;

 protected:
  double host_objective(In v) override;
  void host_gradient(In v, Out g) override;
  void host_constraints(In, Out) override {}
  void host_jacobian(In, Out) override {}
  void host_hessian(In v, double sigma, In multipliers, Out values) override;
  void do_apply_hessian(const ConstVectorView& v, double sigma, const ConstVectorView& multipliers,
                        const ConstVectorView& direction, const VectorView& out) override;

 private:
  void find_losses(In v);
  SvmLayout layout_;
  std::shared_ptr<const SvmSamples> samples_;
  SparsePattern none_, hessian_;
  std::vector<double> losses_, weights_, along_;
};

/// Onto {c in [low, high], s_i >= 1 - a_i . (w, b)}: c is clamped, and s_i = max(s_i before,
/// 1 - a_i . (w, b)) leaves a problem in (w, b) alone (HingeNewton, from the last solution).
class SvmProjection final : public Projection {
 public:
  SvmProjection(SvmLayout layout, std::shared_ptr<const SvmSamples> samples, double low,
                double high);
  Index size() const override { return static_cast<Index>(layout_.num_variables()); }
  void project(const VectorView& v) override;
  std::string description() const override { return "margins and slacks, in (w, b)"; }

 private:
  SvmLayout layout_;
  std::shared_ptr<const SvmSamples> samples_;
  double low_, high_;
  HingeNewton newton_;
  std::vector<double> u_, ones_, gaps_, margins_;
};

}  // namespace bilevel_sources
