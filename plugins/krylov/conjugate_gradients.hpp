#pragma once

#include <libsolve/core/resumable.hpp>
#include <optional>

#include "krylov_solver.hpp"

namespace krylov {

struct CgOptions : KrylovOptions {
  static void describe(Fields<CgOptions>& f) { describe_common(f); }
};

/// Preconditioned conjugate gradients (Hestenes and Stiefel 1952) for symmetric positive definite A
/// and M. The iterate minimises the A-norm of the error over the Krylov space:
///   p = z + beta p,  q = A p,  alpha = r^T z / p^T q,  x += alpha p,  r -= alpha q,  z = M r,
/// with beta = (r^T z)_new / (r^T z)_old, or in the flexible form (Notay 2000)
///   beta = z_new^T (r_new - r_old) / (r^T z)_old = -alpha z_new^T q / (r^T z)_old,
/// which needs one dot product more and keeps the new direction A-orthogonal to the last one also
/// when M changes from step to step or is not symmetric.
/// Three passes over memory a step (the first and the last fused by operator and preconditioner);
/// storage p, q, r, and z with a preconditioner. Error in the A-norm after k steps with fixed M:
/// at most 2 ((sqrt(c) - 1) / (sqrt(c) + 1))^k, c the condition number of M A.
///
/// Stopped by a limit or a signal it can go on to the same digits: beside x it keeps r, p, q of the
/// recurrence. A matrix with a null space is the exception: x loses its part there at each stop.
class ConjugateGradients : public KrylovSolver, public Resumable {
 public:
  ConjugateGradients(std::string name, const CgOptions& options, const Context& context,
                     bool flexible);
  std::vector<Field> state() const override;
  void restore(const StateSource& state, const Problem& problem) override;

 protected:
  void allocate(const LinearSystem& system) override;
  double work_bytes() const override;
  Stop iterate(Solve& s) override;
  void begin(Solve& s) override;
  bool needs_symmetric() const override { return true; }

 private:
  const bool asked_flexible_;
  bool flexible_ = false;
  /// Where the recurrence stands after an iteration.
  struct Position {
    double iterations = 0.0;
    double rr = 0.0;
    double rho = 0.0;
    double alpha = 0.0;
    double aim = 1.0;  ///< target over tolerance
    Vector r = {};
    Vector p = {};
    Vector q = {};  ///< of the flexible form only
  };
  /// The recurrence from where it stood; rho and alpha of the last iteration.
  void go_on(Solve& s, double& rr, double& rho, double& alpha);
  /// r of the recurrence, out of the frame's reach.
  void keep_position(const Solve& s);

  Vector p_;
  Vector q_;
  Vector z_;
  Field field_;                       ///< how x lies over ranks and grid; without values
  std::optional<Position> position_;  ///< of the solve that runs or was stopped; shares its vectors
  std::optional<Position> resumed_;   ///< to be taken up by the next solve
  bool is_offered_ = false;           ///< a solve has begun with it
};

/// "cg": moves to the flexible form by itself where the preconditioner asks for it.
class Cg final : public ConjugateGradients {
 public:
  using Options = CgOptions;
  Cg(const Options& options, const Context& context)
      : ConjugateGradients("cg", options, context, false) {}
};

/// "flexible-cg": always the flexible form.
class FlexibleCg final : public ConjugateGradients {
 public:
  using Options = CgOptions;
  FlexibleCg(const Options& options, const Context& context)
      : ConjugateGradients("flexible-cg", options, context, true) {}
};

}  // namespace krylov
