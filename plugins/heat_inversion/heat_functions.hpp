#pragma once

#include <libsolve/linear/stencil_operator.hpp>
#include <libsolve/optimize/program_functions.hpp>
#include <libsolve/optimize/solve_counts.hpp>
#include <libsolve/pde/integrated_flow.hpp>
#include <libsolve/pde/theta_scheme.hpp>
#include <libsolve/pde/time_adjoint.hpp>
#include <memory>
#include <vector>

namespace heat_inversion {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// J(m) = w h^D (1/2 |u_N - d|^2 + gamma_0/2 |m|^2 + gamma_1/2 m^T A m) with u_N = u_N(m) by a theta
/// scheme, A the (2 D + 1)-point Laplacian; |.| over the inner nodes. Derivatives are those of the discrete
/// scheme; with an integrator, u(T) and derivatives of the differential equation, to its tolerance. No
/// constraints; products always, entries of the Hessian where there are few nodes.
class HeatFunctions final : public ProgramFunctions, public SolvesInside {
 public:
  struct Data {
    GridPartition parts;
    double weight = 1.0;         ///< w h^D
    double value_cost = 0.0;     ///< gamma_0
    double gradient_cost = 0.0;  ///< gamma_1
    double theta = 0.5;
    double final_time = 0.1;
    int steps = 1;
    CubicReaction reaction = {};
    std::string checkpoints = "auto";
    int slots = 1;
    TimeAdjoint::MakeStore make_store = nullptr;
    std::shared_ptr<LinearSolver> solver = nullptr;
    IntegratedFlow::Make make_integrator = nullptr;  ///< in place of the theta scheme
  };
  explicit HeatFunctions(const Data& data);

  /// u_N from u_0 = m.
  Vector simulate(const Vector& m);
  void set_data(const Vector& d);
  /// For results.
  void set_truth(const Vector& m) { truth_ = m; }

  Index num_variables() const override { return n_; }
  Index num_constraints() const override { return 0; }
  Communicator communicator() const override { return parts_.communicator(); }
  bool has_entries() const override { return !hessian_.rows.empty(); }
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }
  /// w h^D times the Euclidean one: that of L2.
  std::shared_ptr<const InnerProduct> variable_product() const override;
  /// "initial" m and "final" u_N.
  std::vector<Field> fields(const ConstVectorView& x, const ConstVectorView& lambda) const override;
  /// "data" d and, where the data are simulated, "true_initial".
  std::vector<Field> data_fields() const override;

  /// Without those for simulate().
  SolveCounts solve_counts() const override { return counts_; }
  /// Of all runs, those of simulate() included: an integrator's evaluations and iterations, or what the
  /// systems of the theta scheme took.
  std::vector<Measure> work_counts() const override;
  std::string fault() const override;
  bool is_linear() const noexcept { return reaction_.is_linear(); }
  /// Of the theta scheme; Unsupported with an integrator.
  const ThetaScheme& scheme() const;
  const TimeAdjoint& time_adjoint() const;
  /// Null with the theta scheme.
  const IntegratedFlow* integrated() const noexcept { return integrated_; }

 protected:
  double do_objective(const ConstVectorView& x) override;
  void do_gradient(const ConstVectorView& x, const VectorView& g) override;
  void do_constraints(const ConstVectorView&, const VectorView&) override {}
  void do_jacobian(const ConstVectorView&, const VectorView&) override {}
  void do_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                  const VectorView& values) override;
  void do_apply_jacobian(const ConstVectorView&, const ConstVectorView&,
                         const VectorView&) override {}
  void do_apply_jacobian_adjoint(const ConstVectorView&, const ConstVectorView&,
                                 const VectorView& y) override;
  void do_apply_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                        const ConstVectorView& v, const VectorView& y) override;

 private:
  class Counted;
  Vector in(const ConstVectorView& x, const Vector& copy) const;
  /// g += weight (gamma_0 m + gamma_1 A m).
  void add_regularization(const Vector& m, const Vector& g);
  /// Steps so far: of states, adjoints, and tangents with what belongs to them.
  SolveCounts steps() const;
  Field field(const char* name, const Vector& values, const char* text) const;

  GridPartition parts_;
  Index n_;
  double weight_, value_cost_, gradient_cost_;
  std::shared_ptr<const StencilOperator> A_;
  CubicReaction reaction_;
  std::unique_ptr<FlowMap> flow_;
  std::shared_ptr<ThetaScheme> scheme_ = nullptr;  ///< null with an integrator
  IntegratedFlow* integrated_ = nullptr;           ///< flow_, where it is one
  SolveCounts counts_ = {};
  mutable std::int64_t unclaimed_ = 0;  ///< steps that fields() ran, for who asks for the same u_N next
  Vector d_, truth_, m_, v_, p_, w_, product_;
  SparsePattern jacobian_, hessian_;
  std::vector<double> constant_hessian_;  ///< for sigma 1, of a linear scheme, once made
};

}  // namespace heat_inversion
