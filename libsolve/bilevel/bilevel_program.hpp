#pragma once

#include <functional>
#include <libsolve/bilevel/lv_hba_iteration.hpp>
#include <libsolve/bilevel/projection.hpp>
#include <libsolve/bilevel/value_range.hpp>
#include <libsolve/optimize/nonlinear_program.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace libsolve {

/// What is proved of a point (x, y) of a bilevel program; see certify().
struct BilevelCertificate {
  double upper_objective =
      0.0;  ///< F at (x, y), y a lower-level solution: Phi(x) where it is the only one
  double lower_objective = 0.0;  ///< f(x, y)
  /// f(x, y) minus a lower bound of the smallest value the lower level can take at x, over the
  /// variation of f around y (the median of its changes to points 0.01 to 1 away); at least 0.
  double lower_gap = 0.0;
  double lower_kkt_residual = 0.0;    ///< of (y, lambda) at x
  double constraint_violation = 0.0;  ///< of X, Y, G and g, relative as in KktResidual
  /// KKT residual of the upper level: that of (x, y, lambda) as a point of the program whose
  /// constraints are the lower level's conditions, or the norm of the projected hypergradient. A
  /// method that cannot measure it sets NaN and so does not converge.
  double upper_stationarity = 0.0;
  /// Whether the bound behind lower_gap is one: the lower level is convex, or its values were
  /// enclosed over all of its feasible set. Otherwise it is the best value that a search found,
  /// and no method may say "converged".
  bool lower_is_proved = false;
  /// Lower-level inequalities that are active with a multiplier of 0 (relative 1e-8): there the
  /// solution y(x) may have a kink and the hypergradient is only one of several.
  Index degenerate_constraints = 0;
};

/// A solution of the lower level at some x, with multipliers of g and of Y.
struct LowerSolution {
  std::vector<double> y = {}, lambda = {}, z = {};
};

/// What makes a bilevel program; v = (x, y) with the nx upper variables first.
struct BilevelParts {
  Index num_upper = 0;
  Index num_lower = 0;
  std::shared_ptr<ProgramFunctions> upper = {};  ///< F and G, of v
  std::shared_ptr<ProgramFunctions> lower = {};  ///< f and g, of v
  Bounds upper_variables = {};                   ///< X, of x
  Bounds lower_variables = {};                   ///< Y, of y
  Bounds upper_constraints = {};                 ///< of G
  Bounds lower_constraints = {};                 ///< of g
  std::vector<double> start = {};                ///< v

  bool lower_is_convex = false;     ///< in y: f and g (equalities linear); then KKT is optimality
  bool lower_is_quadratic = false;  ///< f quadratic, g linear in v: third derivatives are zero
  std::string text = "bilevel program";

  /// Oracles, where there is something better than what the constraints give.
  std::shared_ptr<Projection> coupled_set = {};    ///< onto C = {v: x in X, y in Y, g, G}
  std::shared_ptr<LvHbaIteration> iteration = {};  ///< one pass over memory
  std::shared_ptr<ValueRange> lower_range = {};    ///< of f and g over boxes of v
  /// y and multipliers at x, where the problem has a way of its own that is faster than a general
  /// method's; it is checked, and a start where it is not good enough.
  std::function<LowerSolution(std::span<const double> x)> lower_solution = {};
  std::vector<double> reference = {};  ///< a known solution v, for errors
  /// Further numbers of a solution that a user of this problem wants to see ("test_accuracy").
  std::function<std::vector<Measure>(std::span<const double> v)> scores = {};
};

/// A bilevel program,
///   min F(x, y)  over x in X, y, subject to G(x, y) and  y in argmin {f(x, t): t in Y, g(x, t)},
/// where G and g are held between bounds (optimistic: of several lower-level solutions the one with
/// the lowest F counts). The Lagrangian of the lower level is f + lambda^T g + z^T y with the signs
/// of NonlinearProgram.
class LIBSOLVE_EXPORT BilevelProgram final : public Problem {
 public:
  static constexpr std::string_view class_name = "bilevel";

  /// Throws ShapeError for lengths that do not fit, DataError for bounds that leave nothing or a
  /// start that is not finite.
  explicit BilevelProgram(BilevelParts parts);
  ~BilevelProgram() override;

  const BilevelParts& parts() const noexcept { return parts_; }
  Index num_upper() const noexcept { return parts_.num_upper; }
  Index num_lower() const noexcept { return parts_.num_lower; }
  Index num_variables() const noexcept { return num_upper() + num_lower(); }
  ProgramFunctions& upper() const noexcept { return *parts_.upper; }
  ProgramFunctions& lower() const noexcept { return *parts_.lower; }
  /// Bounds of v: X, then Y.
  const Bounds& variable_bounds() const noexcept { return variables_; }

  /// Start and solution: v, multipliers of g and of Y (zero and unknown at first).
  const Vector& v() const noexcept { return v_; }
  std::vector<double> host_v() const;
  const std::vector<double>& lower_multipliers() const noexcept { return lambda_; }
  const std::vector<double>& lower_bound_multipliers() const noexcept { return z_; }
  bool has_multipliers = false;  ///< whether they are a start worth using
  void set_point(std::span<const double> v, std::span<const double> lambda,
                 std::span<const double> z);
  /// The certificate of the current point; set_point() takes the old one away.
  const std::optional<BilevelCertificate>& certificate() const noexcept { return certificate_; }
  void set_certificate(const BilevelCertificate& c) { certificate_ = c; }

  std::string_view problem_class() const override { return class_name; }
  std::string description() const override { return parts_.text; }
  /// "x", "y", "lower_multipliers", "lower_bound_multipliers".
  std::vector<Field> solution() const override;
  /// With a certificate its numbers: "lower_gap" first, "constraint_violation",
  /// "lower_kkt_residual", "upper_stationarity", "upper_objective", "lower_objective"; without one
  /// constraint_violation, lower_kkt_residual, lower_objective and F ("uncertified_objective").
  /// Then "error" against a known solution, |v - reference| / |reference|, and the scores.
  std::vector<Measure> verify() const override;
  GlobalIndex num_unknowns() const override { return num_variables(); }

 private:
  BilevelParts parts_;
  Bounds variables_;
  Vector v_;
  std::vector<double> lambda_, z_;
  std::optional<BilevelCertificate> certificate_;
};

}  // namespace libsolve
