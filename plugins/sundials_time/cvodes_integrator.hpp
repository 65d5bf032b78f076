#pragma once

#include <libsolve/plugin/registry.hpp>

#include "cvodes_run.hpp"

namespace sundials_time {

/// CVODES: backward differentiation formulas of order 1 to 5 with Newton's method; adjoints along
/// interpolated states (CVodeF, CVodeB), or of a linear system on their own. README.md.
class CvodesIntegrator final : public TimeIntegrator {
 public:
  using Options = CvodesOptions;
  CvodesIntegrator(const Options& options, const Context& context)
      : options_(options), context_(context) {}

  void begin(std::shared_ptr<TimeSystem> system, double final_time) override;
  void forward(const Vector& y0, const Vector& y) override;
  std::string why_no_adjoint() const override;
  void backward(const Vector& p) override;
  IntegrationCounts forward_counts() const override;
  IntegrationCounts backward_counts() const override;
  std::string reason() const override { return reason_; }

 private:
  CvodesRun& run();

  Options options_;
  Context context_;
  std::shared_ptr<TimeSystem> system_;
  double final_time_ = 0.0;
  bool keeps_states_ = false;
  std::unique_ptr<CvodesRun> run_, adjoint_;  ///< the second of a linear system without states
  std::string reason_;
};

}  // namespace sundials_time
