#pragma once

#include "pieces.hpp"

namespace sundials_time {

/// Runs of CVODES from 0 to T for one system, and adjoint runs back where states are kept.
class CvodesRun {
 public:
  CvodesRun(std::shared_ptr<TimeSystem> system, double final_time, const CvodesOptions& options,
            const libsolve::Context& setting, bool keeps_states);
  ~CvodesRun();
  CvodesRun(const CvodesRun&) = delete;
  CvodesRun& operator=(const CvodesRun&) = delete;

  /// y(T) from y(0), in place; NaN where it fails. What vectors hold is good for all ranks.
  void forward(const Vector& y);
  bool has_started() const noexcept { return forward_.runs > 0; }
  /// p(0) from p(T), in place, along the last forward(); NaN where that failed or never was.
  void backward(const Vector& p);

  const IntegrationCounts& forward_counts() const noexcept { return forward_; }
  const IntegrationCounts& backward_counts() const noexcept { return backward_; }
  const std::string& reason() const noexcept { return reason_; }

 private:
  void configure(void* memory) const;
  void make_backward();
  /// Adds to `counts` what the calls of f() took of `pieces`, and `memory` its steps. True where it
  /// worked; else the vector is NaN and the reason is said.
  template <class Function>
  bool counted(Pieces& pieces, IntegrationCounts& counts, const Vector& result, const char* what,
               const Function& f);

  CvodesOptions options_;
  const libsolve::Context& setting_;
  double final_time_;
  bool keeps_states_;
  sun::Context context_;
  Pieces state_;
  std::unique_ptr<Pieces> adjoint_;
  void* memory_ = nullptr;
  int which_ = -1;  ///< number of the backward problem
  bool has_run_ = false;
  IntegrationCounts forward_ = {}, backward_ = {};
  std::string reason_;
};

}  // namespace sundials_time
