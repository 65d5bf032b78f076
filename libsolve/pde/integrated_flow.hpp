#pragma once

#include <functional>
#include <libsolve/pde/flow_map.hpp>
#include <libsolve/pde/time_integrator.hpp>

namespace libsolve {

/// The flow map of y' = f(t, y) by integrators that choose their steps. Products of second order take
/// an integrator of their own, for tangents (TangentSystem), made when they are first asked for.
/// Where the integrator has no adjoint for the system, backward() and second_backward() throw
/// Unsupported.
class LIBSOLVE_EXPORT IntegratedFlow final : public FlowMap {
 public:
  using Make = std::function<std::unique_ptr<TimeIntegrator>()>;
  IntegratedFlow(std::shared_ptr<TimeSystem> system, double final_time, Make make);

  const Vector& forward(const Vector& u0) override;
  void backward(const Vector& p) override;
  const Vector& forward_tangent(const Vector& u0, const Vector& v) override;
  void second_backward(const Vector& p, const Vector& w) override;
  Vector state_beside_tangent() const override;

  /// Of states forward, of adjoints, and of tangents with the adjoints that belong to them.
  IntegrationCounts forward_counts() const { return integrator_->forward_counts(); }
  IntegrationCounts adjoint_counts() const;
  IntegrationCounts tangent_counts() const;
  const TimeIntegrator& integrator() const noexcept { return *integrator_; }
  /// Why a run did not reach the end, of states before tangents; empty where all did.
  std::string reason() const;

 private:
  TimeIntegrator& tangents();

  std::shared_ptr<TimeSystem> system_;
  double final_time_;
  Make make_;
  std::unique_ptr<TimeIntegrator> integrator_, tangents_;
  IntegrationCounts products_ = {};  ///< adjoints that belong to products
  Vector u0_, last_state_, last_tangent_, shown_, pair_, difference_;
  bool has_run_ = false;
};

}  // namespace libsolve
