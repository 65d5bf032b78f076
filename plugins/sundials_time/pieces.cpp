#include "pieces.hpp"

#include <libsolve/core/vector_kernels.hpp>

#include "block_solver.hpp"

namespace sundials_time {

Pieces::Pieces(std::shared_ptr<TimeSystem> system, const IntegratorOptions& options,
               const libsolve::Context& setting, SUNContext context, const std::string& label)
    : system_(std::move(system)),
      y_(label, system_->partition()),
      y_sun_(sun::make_nvector(y_, context)),
      A_(sun::make_matrix(system_->block_partition(), context)) {
  auto method = sun::make_method(options.solver, setting);
  if (system_->num_blocks() == 1)
    S_.reset(sun::make_linear_solver(std::move(method), y_sun_.get(), context));
  else
    S_.reset(make_block_solver(std::move(method), system_->block_partition(), system_->num_blocks(),
                               y_, context));
}

template <class Function>
int Pieces::guarded(const Function& f) noexcept {
  try {
    f();
    return 0;
  } catch (const std::exception& e) {
    fault_ = e.what();
  } catch (...) {
    fault_ = "an exception of unknown type";
  }
  return -1;
}

int Pieces::rate(sunrealtype t, N_Vector y, N_Vector f, void* pieces) noexcept {
  auto& it = *static_cast<Pieces*>(pieces);
  return it.guarded([&] {
    ++it.num_rates_;
    it.system_->rate(t, sun::vector_of(y), sun::vector_of(f));
  });
}

int Pieces::stiff_rate(sunrealtype t, N_Vector y, N_Vector f, void* pieces) noexcept {
  auto& it = *static_cast<Pieces*>(pieces);
  return it.guarded([&] {
    ++it.num_rates_;
    it.system_->stiff_rate(t, sun::vector_of(y), sun::vector_of(f));
  });
}

int Pieces::mild_rate(sunrealtype t, N_Vector y, N_Vector f, void* pieces) noexcept {
  auto& it = *static_cast<Pieces*>(pieces);
  return it.guarded([&] {
    ++it.num_rates_;
    it.system_->mild_rate(t, sun::vector_of(y), sun::vector_of(f));
  });
}

int Pieces::adjoint_rate(sunrealtype t, N_Vector y, N_Vector p, N_Vector f, void* pieces) noexcept {
  auto& it = *static_cast<Pieces*>(pieces);
  return it.guarded([&] {
    ++it.num_rates_;
    const Vector& out = sun::vector_of(f);
    it.system_->apply_jacobian_adjoint(t, sun::vector_of(y), sun::vector_of(p), out);
    scale(-1.0, out);
  });
}

void Pieces::set_matrix(SUNMatrix J, double t, N_Vector y, double sign) {
  const TimeSystem::NewtonMatrix made = system_->newton_matrix(t, sun::vector_of(y));
  if (sign < 0.0 && !made.L->is_symmetric())
    throw Unsupported("Newton's matrix of an adjoint run needs a symmetric operator, got " +
                      made.L->description());
  sun::set_operator(J, made.L, sign * made.factor, sign * made.shift);
}

int Pieces::jacobian(sunrealtype t, N_Vector y, N_Vector, SUNMatrix J, void* pieces, N_Vector,
                     N_Vector, N_Vector) noexcept {
  auto& it = *static_cast<Pieces*>(pieces);
  return it.guarded([&] { it.set_matrix(J, t, y, 1.0); });
}

int Pieces::adjoint_jacobian(sunrealtype t, N_Vector y, N_Vector, N_Vector, SUNMatrix J,
                             void* pieces, N_Vector, N_Vector, N_Vector) noexcept {
  auto& it = *static_cast<Pieces*>(pieces);
  return it.guarded([&] { it.set_matrix(J, t, y, -1.0); });
}

std::string Pieces::fault() const {
  if (!fault_.empty()) return fault_;
  return is_block_solver(S_.get()) ? block_solver_reason(S_.get()) : sun::reason_of(S_.get());
}

sun::LinearSolverCounts Pieces::linear_counts() const {
  return is_block_solver(S_.get()) ? block_solver_counts(S_.get()) : sun::counts_of(S_.get());
}

}  // namespace sundials_time
