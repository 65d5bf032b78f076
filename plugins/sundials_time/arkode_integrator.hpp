#pragma once

#include <libsolve/plugin/registry.hpp>

#include "pieces.hpp"

namespace sundials_time {

/// Runs of ARKODE's ARKStep from 0 to T for one system.
class ArkodeRun {
 public:
  ArkodeRun(std::shared_ptr<TimeSystem> system, double final_time, const ArkodeOptions& options,
            const libsolve::Context& setting);
  ~ArkodeRun();
  ArkodeRun(const ArkodeRun&) = delete;
  ArkodeRun& operator=(const ArkodeRun&) = delete;

  /// y(T) from y(0), in place; NaN where it fails.
  void forward(const Vector& y);
  const IntegrationCounts& counts() const noexcept { return counts_; }
  const std::string& reason() const noexcept { return reason_; }

 private:
  double final_time_;
  bool is_imex_;
  sun::Context context_;
  Pieces pieces_;
  void* memory_ = nullptr;
  IntegrationCounts counts_ = {};
  std::string reason_;
};

/// ARKODE: Runge-Kutta methods, diagonally implicit or implicit-explicit, with Newton's method. No version
/// of ARKODE has adjoints of implicit methods: there are those of linear systems alone, integrated on their
/// own. README.md.
class ArkodeIntegrator final : public TimeIntegrator {
 public:
  using Options = ArkodeOptions;
  ArkodeIntegrator(const Options& options, const Context& context)
      : options_(options), context_(context) {}

  void begin(std::shared_ptr<TimeSystem> system, double final_time) override;
  void forward(const Vector& y0, const Vector& y) override;
  std::string why_no_adjoint() const override;
  void backward(const Vector& p) override;
  IntegrationCounts forward_counts() const override;
  IntegrationCounts backward_counts() const override;
  std::string reason() const override { return reason_; }

 private:
  ArkodeRun& run();

  Options options_;
  Context context_;
  std::shared_ptr<TimeSystem> system_;
  double final_time_ = 0.0;
  std::unique_ptr<ArkodeRun> run_, adjoint_;
  std::string reason_;
};

}  // namespace sundials_time
