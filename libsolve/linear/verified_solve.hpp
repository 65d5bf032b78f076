#pragma once

#include <functional>
#include <libsolve/core/monitor.hpp>
#include <libsolve/core/report.hpp>
#include <libsolve/linear/linear_system.hpp>
#include <memory>
#include <optional>
#include <utility>

/// The frame around a solver that is not ours, or that works in one go: it deals with zero and
/// non-finite data and with null spaces, tells the monitor, and says "converged" only after it has
/// recomputed b - A x. (Krylov methods of our own have a frame of theirs, with fused passes.)
namespace libsolve {

/// Tells the monitor of an inner solver's iterations, counted over its restarts.
class LIBSOLVE_EXPORT SolveWatch {
 public:
  /// Iteration `k` of the inner solver (0 is its start) has left this residual norm. False: stop
  /// now, x as it is. What was told before is not told again.
  bool observe(std::int64_t k, double residual_norm);
  /// Iterations of earlier calls of the inner solver.
  std::int64_t before() const noexcept { return before_; }

 private:
  friend class VerifiedSolve;
  Monitor* monitor_ = nullptr;
  double b_norm_ = 0.0;
  std::int64_t before_ = 0;
  std::int64_t last_ = -1;
  Verdict verdict_ = Verdict::proceed;
};

/// How an inner solve ended, by its own account.
struct InnerOutcome {
  Status status = Status::breakdown;
  std::string reason = {};  ///< may be empty for converged and for limits
  std::int64_t iterations = 0;
};

/// What an inner solver is to do: improve x, from x as it is.
struct InnerTask {
  Vector b = {};
  Vector x = {};
  Vector r = {};  ///< b - A x, of norm residual_norm
  double residual_norm = 0.0;
  double tolerance = 0.0;  ///< for ||b - A x||
  std::int64_t max_iterations = 0;
};

/// At most task.max_iterations; each one goes to `watch`.
using InnerSolve = std::function<InnerOutcome(const InnerTask& task, SolveWatch& watch)>;

/// Keeps the work vectors between solves.
class LIBSOLVE_EXPORT VerifiedSolve {
 public:
  /// Work vectors for this system; storage: r, and b projected where there is a null space.
  void allocate(const LinearSystem& system);
  double work_bytes() const;

  /// ||b - A x|| <= max(relative_tolerance ||b||, absolute_tolerance), x from the system. Calls
  /// `inner` again from the x at hand while that helps (each time the residual must halve): an
  /// inner solver may stop by another norm, a direct one leaves rounding to be refined away. The
  /// report has status, reason, iterations and measures, and one operator application for each
  /// residual formed here; the rest is the caller's. Collective.
  Report solve(LinearSystem& system, double relative_tolerance, double absolute_tolerance,
               std::int64_t max_iterations, Monitor& monitor, const InnerSolve& inner);

  /// A report for what ends before the first iteration; x stays as it is.
  static Report refuse(const LinearSystem& system, Status status, std::string reason);

 private:
  Vector r_;
  Vector projected_b_;
};

/// What a solver was set up for last, and the time that took until it has been reported. For the
/// setup() and solve() of solvers that prepare themselves when the operator is another one.
class LIBSOLVE_EXPORT PreparedFor {
 public:
  using SetUp = std::function<void()>;

  /// Does `set_up`, on all ranks or on none; where it throws, the solver is prepared for nothing.
  void run(const LinearSystem& system, const SetUp& set_up);
  /// Before a solve: does `set_up`, which calls run(), unless it was done for this operator with or
  /// without a null space. A NumericalError becomes the report to return.
  std::optional<Report> ensure(const LinearSystem& system, Monitor& monitor, const SetUp& set_up);
  /// Seconds of the last set-up; 0 once told.
  double take_seconds() { return std::exchange(seconds_, 0.0); }

 private:
  std::shared_ptr<const LinearOperator> A_;
  bool has_null_space_ = false;
  double seconds_ = 0.0;
};

/// One row of each component of the null space: A + alpha e_k e_k^T over these k is not singular,
/// and has the same solutions for right-hand sides in the range of A. Those of them that this rank
/// has, sorted by component; `rows` are those of A. Collective.
LIBSOLVE_EXPORT std::vector<Index> one_row_of_each_component(const NullSpace& null_space,
                                                             const Partition& rows);

}  // namespace libsolve
