#pragma once

#include <libsolve/core/tunable.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/plugin/registry.hpp>
#include <memory>
#include <optional>
#include <string>

/// What all Krylov methods share: the frame around the recurrence. It prepares the preconditioner
/// and the work vectors, deals with zero and non-finite data and with null spaces, tells the
/// monitor, and says "converged" only after it has recomputed b - A x. Where the recurrence's
/// residual and the true one have drifted apart it starts the recurrence again from the true one,
/// as long as that helps.
namespace krylov {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// Options of every method here. Convergence: ||b - A x|| <= max(relative_tolerance ||b||,
/// absolute_tolerance) in the 2-norm, whatever the preconditioner and the initial guess.
struct KrylovOptions {
  StoppingCriteria stopping;
  ComponentSpec preconditioner = "none";

  template <class O>
  static void describe_common(Fields<O>& f) {
    f.add_group(&O::stopping);
    f.add_component("preconditioner", &O::preconditioner, Preconditioner::kind,
                    "approximate inverse of A, by name or as a table; \"none\" for none");
  }
};

/// Why a recurrence ended.
struct Stop {
  Status status;             ///< converged: its own residual met the tolerance, to be verified
  std::string reason = {};   ///< may be empty for converged, limits and the monitor's verdict
  bool may_restart = false;  ///< a breakdown that a new start from the current x may cure
};

/// One solve: what the recurrence works on and reports to. All calls that apply A or M go through
/// it, for the counts.
class Solve {
 public:
  const LinearOperator& A;
  Preconditioner* M = nullptr;  ///< null: no preconditioner
  std::string M_name;
  Vector b;  ///< in the range of A where the null space is known
  Vector x;
  Vector r;  ///< b - A x when a recurrence starts
  double b_norm = 0.0;
  double residual_norm = 0.0;  ///< of r when a recurrence starts, then what it observed last
  double tolerance = 0.0;      ///< absolute, for the residual norm
  double target = 0.0;  ///< the recurrence aims for this: lower after it has once fallen short
  double divergence_limit = 0.0;
  std::int64_t iterations = 0;
  std::int64_t max_iterations = 0;
  bool wants_text = true;  ///< else nobody reads notes
  std::vector<std::string> notes;

  Solve(const LinearOperator& A_, Monitor& monitor) : A(A_), monitor_(&monitor) {}

  void apply(const Vector& in, const Vector& out);
  void apply_adjoint(const Vector& in, const Vector& out);
  double apply_dot(const Vector& in, const Vector& out);
  double update_direction_and_apply(const Vector& z, double beta, const Vector& p, const Vector& q);
  /// r = b - A x, returns its norm.
  double true_residual(const Vector& out);
  void precondition(const Vector& in, const Vector& out);
  DotPair precondition_with_dots(const Vector& in, const Vector& out, const Vector* q);

  /// One more iteration is done and has left this residual norm: tells the monitor, and says why to
  /// stop, if so. `at_least_squares`: ||A^T r|| for methods that minimise it.
  std::optional<Stop> finish_iteration(double norm,
                                       std::optional<double> normal_residual = std::nullopt);
  /// Tells the monitor the state before the first step.
  std::optional<Stop> start(std::optional<double> normal_residual = std::nullopt);
  /// Smallest residual norm that double precision can tell from zero beside b.
  double rounding_level() const;
  std::int64_t operator_applications() const { return operator_applications_; }
  std::int64_t preconditioner_applications() const { return preconditioner_applications_; }

 private:
  std::optional<Stop> observe(std::optional<double> normal_residual);
  Monitor* monitor_;
  std::int64_t operator_applications_ = 0;
  std::int64_t preconditioner_applications_ = 0;
};

class KrylovSolver : public LinearSolver, public Tunable {
 public:
  KrylovSolver(std::string name, const KrylovOptions& options, const Context& context);
  ~KrylovSolver() override;
  void setup(const LinearSystem& system) final;
  Report solve(LinearSystem& system, Monitor& monitor) final;
  using LinearSolver::solve;
  /// "relative_tolerance", "absolute_tolerance", and "preconditioner.NAME" where the preconditioner
  /// can do it.
  bool set_parameter(std::string_view name, double value) final;

 protected:
  /// Throws Unsupported where this method cannot work with the operator's shape or preconditioner;
  /// returns a breakdown where the operator says that it is not what the method needs.
  virtual std::optional<Stop> check(const LinearSystem& system) const;
  /// Work vectors for this system; the frame holds r.
  virtual void allocate(const LinearSystem& system) = 0;
  virtual double work_bytes() const = 0;
  /// From the residual in s.r until something ends it; s.x holds the current iterate on return.
  virtual Stop iterate(Solve& s) = 0;
  /// Whether the current x, of true residual s.r with this norm, solves the problem. Least-squares
  /// methods say more, and report the measures they decided by.
  virtual bool is_solved(Solve& s, double residual_norm, std::vector<Measure>& measures);
  /// Called once per solve before the first residual is formed.
  virtual void begin(Solve&) {}
  /// Methods for rectangular A take them; others are refused by check().
  virtual bool takes_rectangular() const { return false; }
  virtual bool needs_symmetric() const { return false; }

  const std::string& name() const { return name_; }
  Preconditioner* preconditioner() const { return preconditioner_.get(); }
  const std::string& preconditioner_name() const { return options_.preconditioner.name; }
  const StoppingCriteria& stopping() const { return options_.stopping; }

 private:
  Report refuse(LinearSystem& system, Stop stop) const;
  std::string describe_stop(const Solve& s, const Stop& stop, double residual_norm) const;

  std::string name_;
  KrylovOptions options_;
  std::unique_ptr<Preconditioner> preconditioner_;
  std::shared_ptr<const LinearOperator> prepared_for_;
  Vector r_;
  Vector projected_b_;
  double setup_seconds_ = 0.0;
};

}  // namespace krylov
