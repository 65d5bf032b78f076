#pragma once

#include <libsolve/pde/checkpointed_run.hpp>
#include <libsolve/pde/flow_map.hpp>
#include <libsolve/pde/time_scheme.hpp>

namespace libsolve {

/// The flow map of a time scheme, u_0 -> u_N: tangents, adjoints of first and second order are those of
/// the discrete scheme itself, exact to what its steps are solved to. A gradient takes N steps forward,
/// N back, and those that the schedule runs again.
class LIBSOLVE_EXPORT TimeAdjoint final : public FlowMap {
 public:
  /// `checkpoints` as for make_schedule(), or "auto": "none" for a linear scheme, else "all".
  /// ShapeError for "none" where the scheme is not linear.
  /// `make_store` is asked for places to keep states in (one, and one more for second derivatives);
  /// null: memory.
  using MakeStore = std::function<std::shared_ptr<StateStore>()>;
  TimeAdjoint(std::shared_ptr<TimeScheme> scheme, const std::string& checkpoints, int slots,
              MakeStore make_store = nullptr);

  /// Again for the same u_0 this takes no steps.
  const Vector& forward(const Vector& u0) override;
  void backward(const Vector& p) override;
  const Vector& forward_tangent(const Vector& u0, const Vector& v) override;
  void second_backward(const Vector& p, const Vector& w) override;
  Vector state_beside_tangent() const override { return half(pairs_->last_state(), 0); }

  const CheckpointSchedule& schedule() const noexcept { return run_.schedule(); }
  double checkpoint_bytes() const { return run_.store().memory_bytes() + pair_bytes(); }

 private:
  double pair_bytes() const { return pairs_ ? pairs_->store().memory_bytes() : 0.0; }
  CheckpointedRun::Step step_of_state() const;
  CheckpointedRun::Step step_of_pair() const;
  Vector half(const Vector& pair, int which) const;
  bool is_remembered(const Vector& u0);

  std::shared_ptr<TimeScheme> scheme_;
  CheckpointedRun run_;
  std::unique_ptr<CheckpointedRun> pairs_;  ///< of (u, v), made when needed
  std::string checkpoints_;
  int slots_;
  MakeStore make_store_;
  Vector u0_, last_state_, last_tangent_, p_, w_, pair_;
  bool has_run_ = false;
};

}  // namespace libsolve
