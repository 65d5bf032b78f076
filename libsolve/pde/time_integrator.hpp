#pragma once

#include <cstdint>
#include <libsolve/core/component.hpp>
#include <libsolve/pde/time_system.hpp>
#include <memory>
#include <string>

namespace libsolve {

/// What runs of an integrator took.
struct LIBSOLVE_EXPORT IntegrationCounts {
  std::int64_t runs = 0;
  std::int64_t steps = 0;             ///< those accepted
  std::int64_t rate_evaluations = 0;  ///< f, or J^T p of an adjoint run; a split f counts once a part
  std::int64_t newton_iterations = 0;
  std::int64_t linear_iterations = 0;
  std::int64_t linear_setups = 0;
  std::int64_t failures = 0;  ///< runs that did not get to their end
  IntegrationCounts& operator+=(const IntegrationCounts& other);
  IntegrationCounts& operator-=(const IntegrationCounts& other);
};

/// Integrates y' = f(t, y) from t = 0 to T with steps of its own choice, and its adjoint. On several
/// ranks every call is collective. A run that fails gives NaN, and reason() says why.
///
/// Derivatives are those of the differential equation, integrated to a tolerance, not those of the steps
/// that were taken: they agree with differences of forward() to about the tolerance only. For exact ones
/// see TimeAdjoint.
class LIBSOLVE_EXPORT TimeIntegrator : public Component {
 public:
  static constexpr std::string_view kind = "time-integrator";
  static constexpr std::string_view problem_class = "optimize";
  ~TimeIntegrator() override;

  /// What to integrate, and to which T > 0; forgets an earlier one.
  virtual void begin(std::shared_ptr<TimeSystem> system, double final_time) = 0;
  /// y = y(T) from y(0) = y0, and what backward() needs is kept.
  virtual void forward(const Vector& y0, const Vector& y) = 0;
  /// Why there is no backward() for the system begun; "" where there is.
  virtual std::string why_no_adjoint() const { return {}; }
  /// In place: p = (dy(T) / dy(0))^T p at the last y0 of forward(); of a linear system at any, also
  /// before the first. Unsupported where why_no_adjoint() has a reason.
  virtual void backward(const Vector& p) = 0;

  /// Since begin().
  virtual IntegrationCounts forward_counts() const = 0;
  virtual IntegrationCounts backward_counts() const = 0;
  /// Why the last run failed; "" where it did not.
  virtual std::string reason() const = 0;
};

}  // namespace libsolve
