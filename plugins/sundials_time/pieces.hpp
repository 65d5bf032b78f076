#pragma once

#include <libsolve/adapters/sundials/linear_solver.hpp>
#include <libsolve/adapters/sundials/matrix.hpp>
#include <libsolve/adapters/sundials/nvector.hpp>
#include <libsolve/pde/time_integrator.hpp>
#include <memory>
#include <string>

#include "integrator_options.hpp"

namespace sundials_time {

/// Vector, matrix and linear solver for Newton's method of one system; it is the integrator's user
/// data, too, and what its callbacks are given. They let no exception through: fault() has its text.
class Pieces {
 public:
  Pieces(std::shared_ptr<TimeSystem> system, const IntegratorOptions& options,
         const libsolve::Context& setting, SUNContext context, const std::string& label);

  const std::shared_ptr<TimeSystem>& system() const noexcept { return system_; }
  const Vector& vector() const noexcept { return y_; }
  N_Vector y() const noexcept { return y_sun_.get(); }
  SUNMatrix matrix() const noexcept { return A_.get(); }
  SUNLinearSolver solver() const noexcept { return S_.get(); }

  /// f; its stiff part; its mild part; J of the stiff part.
  static int rate(sunrealtype t, N_Vector y, N_Vector f, void* pieces) noexcept;
  static int stiff_rate(sunrealtype t, N_Vector y, N_Vector f, void* pieces) noexcept;
  static int mild_rate(sunrealtype t, N_Vector y, N_Vector f, void* pieces) noexcept;
  static int jacobian(sunrealtype t, N_Vector y, N_Vector, SUNMatrix J, void* pieces, N_Vector,
                      N_Vector, N_Vector) noexcept;
  /// -J^T p at y, and its matrix: of the adjoint that runs backward in time.
  static int adjoint_rate(sunrealtype t, N_Vector y, N_Vector p, N_Vector f, void* pieces) noexcept;
  static int adjoint_jacobian(sunrealtype t, N_Vector y, N_Vector, N_Vector, SUNMatrix J,
                              void* pieces, N_Vector, N_Vector, N_Vector) noexcept;

  void clear_fault() { fault_.clear(); }
  /// Of the last run: what a callback threw, else what the linear solver says; "" for nothing.
  std::string fault() const;
  std::int64_t num_rates() const noexcept { return num_rates_; }
  /// Newton's iterations are solves: each has one.
  sun::LinearSolverCounts linear_counts() const;

 private:
  template <class Function>
  int guarded(const Function& f) noexcept;
  void set_matrix(SUNMatrix J, double t, N_Vector y, double sign);

  std::shared_ptr<TimeSystem> system_;
  Vector y_;
  sun::NVectorPointer y_sun_;
  sun::MatrixPointer A_;
  sun::LinearSolverPointer S_;
  std::int64_t num_rates_ = 0;
  std::string fault_;
};

/// SUNDIALS' own messages on standard error, off: reasons go into reports.
#if SUNDIALS_VERSION_MAJOR >= 7
inline void silence(SUNContext context) {
  SUNContext_ClearErrHandlers(context);
}
#else
inline void silence(SUNContext) {}
#endif

}  // namespace sundials_time
