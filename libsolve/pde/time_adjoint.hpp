#pragma once

#include <libsolve/pde/checkpointed_run.hpp>
#include <libsolve/pde/time_scheme.hpp>

namespace libsolve {

/// The map from u_0 to u_N of a time scheme with its derivatives: tangents, adjoints of first and
/// second order of the discrete scheme itself, exact to what its steps are solved to.
///
/// For J(u_0) = g(u_N): forward(), then backward() of p = g'(u_N) gives J'(u_0); forward_tangent() of v,
/// then second_backward() of p = g'(u_N) and w = g''(u_N) v_N gives J''(u_0) v. A gradient takes N steps
/// forward, N back, and those that the schedule runs again.
class LIBSOLVE_EXPORT TimeAdjoint {
 public:
  /// `checkpoints` as for make_schedule(), or "auto": "none" for a linear scheme, else "all".
  /// ShapeError for "none" where the scheme is not linear.
  /// `make_store` is asked for places to keep states in (one, and one more for second derivatives);
  /// null: memory.
  using MakeStore = std::function<std::shared_ptr<StateStore>()>;
  TimeAdjoint(std::shared_ptr<TimeScheme> scheme, const std::string& checkpoints, int slots,
              MakeStore make_store = nullptr);

  /// u_N from u_0. Remembered: again for the same u_0 this takes no steps. Good until the next call.
  const Vector& forward(const Vector& u0);
  /// p = (du_N / du_0)^T p at the last u_0 of forward().
  void backward(const Vector& p);
  /// v_N = (du_N / du_0) v at u_0, good until the next call.
  const Vector& forward_tangent(const Vector& u0, const Vector& v);
  /// In place, at the last u_0 and v of forward_tangent(): p as backward(), and
  ///   w = (du_N / du_0)^T w + (d^2 u_N / du_0^2 v)^T p.
  /// For a linear scheme p is left as it is.
  void second_backward(const Vector& p, const Vector& w);

  /// u_N of the last forward_tangent() of a scheme that is not linear.
  Vector state_beside_tangent() const { return half(pairs_->last_state(), 0); }
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
