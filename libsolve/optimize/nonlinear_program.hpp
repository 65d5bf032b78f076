#pragma once

#include <libsolve/core/component.hpp>
#include <libsolve/optimize/program_functions.hpp>
#include <memory>
#include <string>
#include <vector>

namespace libsolve {

/// lower <= . <= upper, entry by entry; infinite: no bound; equal: an equality.
struct Bounds {
  std::vector<double> lower = {};
  std::vector<double> upper = {};
  std::size_t size() const noexcept { return lower.size(); }
  bool is_equality(std::size_t i) const { return lower[i] == upper[i]; }
};

/// The parts of the Karush-Kuhn-Tucker conditions that a point leaves unfulfilled, largest entries.
struct KktResidual {
  double stationarity = 0.0;          ///< of f' + J^T lambda + z, over max(1, |f'|_inf)
  double constraint_violation = 0.0;  ///< of c and x beyond a bound u, over max(1, |u|)
  double complementarity = 0.0;       ///< see kkt_residual()
  LIBSOLVE_EXPORT double largest() const;  ///< NaN where one part is
};

/// A constrained optimization problem,
///   min f(x)   subject to   cl <= c(x) <= cu,  xl <= x <= xu,
/// with the Lagrangian L = f + lambda^T c + z^T x: lambda_i (z_i) is >= 0 where only the upper
/// bound of c_i (x_i) is active, <= 0 where only the lower one is, and 0 where none is. A
/// maximisation is stated as the minimisation of -f.
class LIBSOLVE_EXPORT NonlinearProgram final : public Problem {
 public:
  static constexpr std::string_view class_name = "optimize";

  /// start: n finite values (they may violate bounds). Throws ShapeError for wrong lengths,
  /// DataError (with the index) for NaN, a lower bound above the upper one, or a start that is not
  /// finite.
  NonlinearProgram(std::shared_ptr<ProgramFunctions> functions, Bounds variables,
                   Bounds constraints, const std::vector<double>& start);
  ~NonlinearProgram() override;

  ProgramFunctions& functions() const noexcept { return *functions_; }
  const std::shared_ptr<ProgramFunctions>& shared_functions() const noexcept { return functions_; }
  const Bounds& variable_bounds() const noexcept { return variables_; }
  const Bounds& constraint_bounds() const noexcept { return constraints_; }
  /// Over ranks (ProgramFunctions::communicator()): x, multipliers and bounds are those of the rank.
  const Communicator& communicator() const noexcept { return x_.communicator(); }
  Index num_variables() const { return functions_->num_variables(); }
  Index num_constraints() const { return functions_->num_constraints(); }

  /// Start and solution; lambda and z are zero at first, and then they are unknown: methods
  /// estimate them. `has_multipliers` says that they are a start worth using.
  const Vector& x() const noexcept { return x_; }
  const Vector& multipliers() const noexcept { return multipliers_; }
  const Vector& bound_multipliers() const noexcept { return bound_multipliers_; }
  bool has_multipliers = false;
  /// The same as arrays of the host.
  std::vector<double> host_x() const;
  std::vector<double> host_multipliers() const;
  std::vector<double> host_bound_multipliers() const;
  void set_solution(std::span<const double> x, std::span<const double> multipliers,
                    std::span<const double> bound_multipliers);

  std::string text = "nonlinear program";  ///< what description() says
  bool is_maximisation = false;            ///< the user's objective is -f; reported so

  /// At the current point, over all ranks.
  KktResidual kkt_residual() const;

  std::string_view problem_class() const override { return class_name; }
  std::string description() const override { return text; }
  /// "x", "multipliers", "bound_multipliers", and the functions' fields().
  std::vector<Field> solution() const override;
  /// "lower", "upper", "constraint_lower", "constraint_upper", and the functions' data_fields().
  std::vector<Field> data() const override;
  /// "kkt_residual" (the largest of the three), "stationarity", "constraint_violation",
  /// "complementarity", "objective". The evaluations are not counted.
  std::vector<Measure> verify() const override;
  GlobalIndex num_unknowns() const override { return x_.global_size(); }

 private:
  std::shared_ptr<ProgramFunctions> functions_;
  Bounds variables_, constraints_;
  Vector x_, multipliers_, bound_multipliers_;
};

/// The KKT conditions at x with gradient g = f'(x), c = c(x), Jt_lambda = J^T lambda. The
/// complementarity is the natural residual of multiplier and distance to the bound the multiplier's
/// sign names: min(|lambda_i|, u_i - c_i) where lambda_i > 0, min(|lambda_i|, c_i - l_i) where
/// lambda_i < 0, so |lambda_i| where there is no such bound; the same for z and x. Below
/// 1e-6 every multiplier above 1e-6 belongs to a constraint that is active to 1e-6: barrier methods
/// that stop at lambda_i s_i = mu are not there yet. Over the ranks of `comm`; collective.
LIBSOLVE_EXPORT KktResidual kkt_residual(const Bounds& variables, const Bounds& constraints,
                                         std::span<const double> x, std::span<const double> c,
                                         std::span<const double> g,
                                         std::span<const double> Jt_lambda,
                                         std::span<const double> lambda, std::span<const double> z,
                                         const Communicator& comm = Communicator::self());

}  // namespace libsolve
