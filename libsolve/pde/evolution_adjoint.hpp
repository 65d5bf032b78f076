#pragma once

#include <libsolve/optimize/solve_counts.hpp>
#include <libsolve/pde/checkpointed_run.hpp>
#include <libsolve/pde/evolution.hpp>

namespace libsolve {

/// What to keep of the states on the way forward.
struct CheckpointChoice {
  /// As for make_schedule(), or "auto": "none" where the way back looks at no states but the last
  /// (linear equations with costs of the last state alone), else "all".
  std::string schedule = "auto";
  int slots = 1;  ///< for "binomial"
  /// Asked for places to keep states in, one for each kind of vectors; null: memory.
  std::function<std::shared_ptr<StateStore>()> make_store = nullptr;
};

/// The value f(m) = sum_n g_n(y_n(m), m) + r(m) of an Evolution with its first and second derivatives, those
/// of the discrete problem, exact to what its steps are solved to. With C_n, E_n, D_n the derivatives of
/// c_n by y_n, y_{n-1}, m (Hinze, Pinnau, Ulbrich, Ulbrich, Optimization with PDE constraints, 2009,
/// section 1.6):
///   C_n^T p_n = -(dg_n/dy + E_{n+1}^T p_{n+1}),    f' = r' + sum_n (D_n^T p_n + dg_n/dm);
/// along q, with v_0 = 0,
///   C_n v_n = -(E_n v_{n-1} + D_n q),
///   C_n^T z_n = -(E_{n+1}^T z_{n+1} + parts by y_n of (g_n + p_n^T c_n)'' and (p_{n+1}^T c_{n+1})''
///                along (v, q)),
///   f'' q = r'' q + sum_n (D_n^T z_n + part by m of (g_n + p_n^T c_n)'' along (v, q)).
///
/// A gradient takes a run forward, one back and what the schedule runs again; a product with the Hessian
/// a run of tangents and one back, and where states are needed and not all kept, one of states and one
/// of adjoints more. The states of one m, and with "all" its p_n, are remembered. Collective.
class LIBSOLVE_EXPORT EvolutionAdjoint {
 public:
  /// ShapeError for a schedule "none" where states are needed.
  explicit EvolutionAdjoint(std::shared_ptr<Evolution> evolution,
                            const CheckpointChoice& checkpoints = {});

  Evolution& evolution() const noexcept { return *evolution_; }
  /// f(m).
  double value(const Vector& m);
  /// y_N of the last value(); good until the next call.
  const Vector& last_state() const noexcept { return run_.last_state(); }
  /// out = f'(m).
  void gradient(const Vector& m, const Vector& out);
  /// out = f''(m) q.
  void hessian(const Vector& m, const Vector& q, const Vector& out);
  /// f'' is the same everywhere.
  bool has_constant_hessian() const;
  /// y_n and p_n at m for the steps n asked for, ascending; p_0 has no entries. Not counted, but
  /// that a value() that has its states from here counts their steps.
  struct Shown {
    std::vector<Vector> states = {};
    std::vector<Vector> adjoints = {};
  };
  Shown show(const Vector& m, const std::vector<int>& steps);

  /// In steps. `incremental`: tangents, and adjoints made again for a product with the Hessian.
  const SolveCounts& counts() const noexcept { return counts_; }
  const CheckpointSchedule& schedule() const noexcept { return run_.schedule(); }
  double checkpoint_bytes() const;  ///< in memory, of states, tangents and adjoints

 private:
  using Point = Evolution::Point;
  using Visit = std::function<void(int n, const Point& at)>;

  bool is_remembered(const Vector& m);
  void step(int n, const Vector& before, const Vector& y);
  void adjoint_step(int n, const Point& at, const Vector& out_m, std::int64_t& count);
  void tangent_step(int n, const Point& at, const Vector& v_before, const Vector& v);
  void second_adjoint_step(int n, const Point& at, const Vector& v_before, const Vector& v,
                           const Vector& out);
  CheckpointedRun::Step steps_of_states();
  void sweep_back(const Vector& out_m, const Visit& visit);
  Point kept_point(int n);
  void load_kept(int n, const Vector& into);
  void find_kept_adjoints();
  void hessian_from_kept(const Vector& out);
  void hessian_with_states(const Vector& out);
  Vector half(const Vector& pair, int which) const;

  std::shared_ptr<Evolution> evolution_;
  CheckpointChoice checkpoints_;
  int num_steps_;
  bool is_linear_;     ///< of the evolution
  bool needs_states_;  ///< on the way back
  std::shared_ptr<StateStore> states_, adjoints_;  ///< with "all": y_n and p_n in slot n
  CheckpointedRun run_;
  std::unique_ptr<CheckpointedRun> tangents_;  ///< of v, or of pairs (y, v); made when needed
  bool has_run_ = false;                       ///< of m_
  bool wants_adjoints_ = false, has_adjoints_ = false;
  int held_ = -1;  ///< before_, y_ are y_{n-1}, y_n of this n
  double value_ = 0.0;
  Vector m_, q_, none_;
  Vector unused_;  ///< costs' derivatives by m where they are not asked for
  Vector y0_, before_, y_, seen_, v0_;
  Vector p_, p_carry_, z_, z_carry_;  ///< of a step n; E^T of those of n + 1, with curvature
  Vector rhs_, work_, curved_;
  SolveCounts counts_ = {};
  std::int64_t unclaimed_ = 0;  ///< steps that show() ran, for whoever asks for the value of the same m
};

}  // namespace libsolve
