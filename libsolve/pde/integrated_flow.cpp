#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/integrated_flow.hpp>
#include <utility>

namespace libsolve {

TimeIntegrator::~TimeIntegrator() = default;
FlowMap::~FlowMap() = default;

IntegrationCounts& IntegrationCounts::operator+=(const IntegrationCounts& other) {
  runs += other.runs;
  steps += other.steps;
  rate_evaluations += other.rate_evaluations;
  newton_iterations += other.newton_iterations;
  linear_iterations += other.linear_iterations;
  linear_setups += other.linear_setups;
  failures += other.failures;
  return *this;
}

IntegrationCounts& IntegrationCounts::operator-=(const IntegrationCounts& other) {
  runs -= other.runs;
  steps -= other.steps;
  rate_evaluations -= other.rate_evaluations;
  newton_iterations -= other.newton_iterations;
  linear_iterations -= other.linear_iterations;
  linear_setups -= other.linear_setups;
  failures -= other.failures;
  return *this;
}

IntegratedFlow::IntegratedFlow(std::shared_ptr<TimeSystem> system, double final_time, Make make)
    : system_(std::move(system)),
      final_time_(final_time),
      make_(std::move(make)),
      integrator_(make_()) {
  integrator_->begin(system_, final_time_);
  for (Vector* v : {&u0_, &last_state_, &difference_})
    *v = Vector("pde::integrated_flow", system_->partition());
}

TimeIntegrator& IntegratedFlow::tangents() {
  if (tangents_ == nullptr) {
    auto tangent = std::make_shared<TangentSystem>(system_);
    for (Vector* v : {&last_tangent_, &pair_})
      *v = Vector("pde::integrated_tangent", tangent->partition());
    tangents_ = make_();
    tangents_->begin(std::move(tangent), final_time_);
  }
  return *tangents_;
}

const Vector& IntegratedFlow::forward(const Vector& u0) {
  if (has_run_) {
    linear_combination(1.0, u0, -1.0, u0_, difference_);
    if (norm_max(difference_) == 0.0) return last_state_;
  }
  has_run_ = false;  // should the integrator throw
  copy(u0, u0_);
  integrator_->forward(u0_, last_state_);
  has_run_ = true;
  return last_state_;
}

void IntegratedFlow::backward(const Vector& p) {
  integrator_->backward(p);
}

const Vector& IntegratedFlow::forward_tangent(const Vector& u0, const Vector& v) {
  TimeIntegrator& run = tangents();
  if (system_->is_linear()) {
    copy(v, pair_);
    run.forward(pair_, last_tangent_);
    return last_tangent_;
  }
  const Partition& one = system_->partition();
  copy(u0, block_of(pair_, one, 0));
  copy(v, block_of(pair_, one, 1));
  run.forward(pair_, last_tangent_);
  shown_ = block_of(last_tangent_, one, 1);
  return shown_;
}

void IntegratedFlow::second_backward(const Vector& p, const Vector& w) {
  if (system_->is_linear()) {
    const IntegrationCounts before = integrator_->backward_counts();
    integrator_->backward(w);
    products_ += integrator_->backward_counts();
    products_ -= before;
    return;
  }
  const Partition& one = system_->partition();
  copy(w, block_of(pair_, one, 0));
  copy(p, block_of(pair_, one, 1));
  tangents().backward(pair_);
  copy(block_of(pair_, one, 0), w);
  copy(block_of(pair_, one, 1), p);
}

Vector IntegratedFlow::state_beside_tangent() const {
  if (system_->is_linear() || tangents_ == nullptr)
    throw ShapeError("there is no state beside the tangent of a linear system");
  return block_of(last_tangent_, system_->partition(), 0);
}

std::string IntegratedFlow::reason() const {
  const std::string of_states = integrator_->reason();
  return of_states.empty() && tangents_ != nullptr ? std::string(tangents_->reason()) : of_states;
}

IntegrationCounts IntegratedFlow::adjoint_counts() const {
  IntegrationCounts counts = integrator_->backward_counts();
  counts -= products_;
  return counts;
}

IntegrationCounts IntegratedFlow::tangent_counts() const {
  IntegrationCounts counts = products_;
  if (tangents_ != nullptr) {
    counts += tangents_->forward_counts();
    counts += tangents_->backward_counts();
  }
  return counts;
}

}  // namespace libsolve
