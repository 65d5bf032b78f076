#include "cvodes_integrator.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <limits>

namespace sundials_time {

namespace {

/// The absolute tolerance is for entries of size 1, and adjoints may have any.
void run_scaled(CvodesRun& run, const Vector& p) {
  const double largest = norm_max(p);
  if (largest == 0.0) return;
  if (!std::isfinite(largest)) {
    fill(p, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  scale(1.0 / largest, p);
  run.forward(p);
  scale(largest, p);
}

}  // namespace

void CvodesIntegrator::begin(std::shared_ptr<TimeSystem> system, double final_time) {
  run_.reset();
  adjoint_.reset();
  system_ = std::move(system);
  final_time_ = final_time;
  keeps_states_ = options_.checkpoints == "states" ||
                  (options_.checkpoints == "auto" && !system_->is_linear());
  run_ = std::make_unique<CvodesRun>(system_, final_time_, options_, context_, keeps_states_);
}

CvodesRun& CvodesIntegrator::run() {
  if (run_ == nullptr) throw ShapeError("an integrator is told by begin() what to integrate");
  return *run_;
}

void CvodesIntegrator::forward(const Vector& y0, const Vector& y) {
  copy(y0, y);
  run().forward(y);
  reason_ = run_->reason();
}

std::string CvodesIntegrator::why_no_adjoint() const {
  if (keeps_states_ || system_->is_linear()) return {};
  return "the adjoint of a system that is not linear needs its states: set checkpoints = \"states\" "
         "or \"auto\" of 'cvodes', is \"none\"";
}

void CvodesIntegrator::backward(const Vector& p) {
  CvodesRun* back = &run();
  if (const std::string why = why_no_adjoint(); !why.empty()) throw Unsupported(why);
  if (keeps_states_) {
    if (!back->has_started() && system_->is_linear()) {
      // Of a linear system any states do, and there are none yet: the first run is from y = 0.
      const Vector y = p.like("sundials_time::zero");
      fill(y, 0.0);
      back->forward(y);
    }
    back->backward(p);
  } else {
    if (adjoint_ == nullptr)
      adjoint_ = std::make_unique<CvodesRun>(std::make_shared<AdjointSystem>(system_, final_time_),
                                             final_time_, options_, context_, false);
    back = adjoint_.get();
    run_scaled(*back, p);
  }
  reason_ = back->reason();
}

IntegrationCounts CvodesIntegrator::forward_counts() const {
  return run_ == nullptr ? IntegrationCounts{} : run_->forward_counts();
}

IntegrationCounts CvodesIntegrator::backward_counts() const {
  IntegrationCounts counts;
  if (run_ != nullptr) counts += run_->backward_counts();
  if (adjoint_ != nullptr) counts += adjoint_->forward_counts();
  return counts;
}

}  // namespace sundials_time
