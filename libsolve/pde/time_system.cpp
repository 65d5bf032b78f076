#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/time_system.hpp>
#include <utility>

namespace libsolve {

TimeSystem::~TimeSystem() = default;

void TimeSystem::add_second_derivative(double, const Vector&, const Vector&, const Vector&,
                                       const Vector&) {}

void TimeSystem::mild_rate(double, const Vector&, const Vector& out) {
  fill(out, 0.0);
}

Vector block_of(const Vector& v, const Partition& block, int k) {
  const auto n = static_cast<std::size_t>(block.local_size());
  const auto begin = static_cast<std::size_t>(k) * n;
  return Vector(VectorView(Kokkos::subview(v.view(), std::make_pair(begin, begin + n))), block);
}

// ---- AdjointSystem ------------------------------------------------------------------------------

AdjointSystem::AdjointSystem(std::shared_ptr<TimeSystem> system, double final_time)
    : system_(std::move(system)), final_time_(final_time) {
  if (!system_->is_linear())
    throw ShapeError("the adjoint of a system that is not linear needs its states: it cannot be "
                     "integrated on its own");
}

void AdjointSystem::rate(double s, const Vector& p, const Vector& out) {
  system_->apply_jacobian_adjoint(final_time_ - s, Vector(), p, out);
}
void AdjointSystem::apply_jacobian(double s, const Vector&, const Vector& v, const Vector& out) {
  system_->apply_jacobian_adjoint(final_time_ - s, Vector(), v, out);
}
void AdjointSystem::apply_jacobian_adjoint(double s, const Vector&, const Vector& v,
                                           const Vector& out) {
  system_->apply_jacobian(final_time_ - s, Vector(), v, out);
}

TimeSystem::NewtonMatrix AdjointSystem::newton_matrix(double s, const Vector&) {
  NewtonMatrix made = system_->newton_matrix(final_time_ - s, Vector());
  if (!made.L->is_symmetric())
    throw Unsupported("Newton's matrix of an adjoint run needs a symmetric operator, got " +
                      made.L->description());
  return made;
}

// ---- TangentSystem ------------------------------------------------------------------------------

TangentSystem::TangentSystem(std::shared_ptr<TimeSystem> system) : system_(std::move(system)) {
  const Partition& one = system_->partition();
  partition_ = system_->is_linear()
                   ? one
                   : Partition(one.communicator(), GlobalIndex{2} * one.local_size());
  if (!is_linear()) term_ = Vector("pde::tangent_system", one);
}

Vector TangentSystem::half(const Vector& pair, int which) const {
  return block_of(pair, system_->partition(), which);
}

void TangentSystem::rate(double t, const Vector& pair, const Vector& out) {
  if (is_linear()) {
    system_->apply_jacobian(t, Vector(), pair, out);
    return;
  }
  system_->rate(t, half(pair, 0), half(out, 0));
  system_->apply_jacobian(t, half(pair, 0), half(pair, 1), half(out, 1));
}

void TangentSystem::apply_jacobian(double t, const Vector&, const Vector& v, const Vector& out) {
  if (!is_linear())  // f'' v a is no product that a system offers
    throw Unsupported("tangents of tangents are not offered");
  system_->apply_jacobian(t, Vector(), v, out);
}

void TangentSystem::apply_jacobian_adjoint(double t, const Vector& at, const Vector& p,
                                           const Vector& out) {
  if (is_linear()) {
    system_->apply_jacobian_adjoint(t, Vector(), p, out);
    return;
  }
  const Vector y = half(at, 0), v = half(at, 1);
  // (J^T p_y + (f'' v)^T p_v, J^T p_v)
  system_->apply_jacobian_adjoint(t, y, half(p, 0), half(out, 0));
  fill(term_, 0.0);
  system_->add_second_derivative(t, y, v, half(p, 1), term_);
  axpy(1.0, term_, half(out, 0));
  system_->apply_jacobian_adjoint(t, y, half(p, 1), half(out, 1));
}

TimeSystem::NewtonMatrix TangentSystem::newton_matrix(double t, const Vector& pair) {
  return system_->newton_matrix(t, is_linear() ? Vector() : half(pair, 0));
}

}  // namespace libsolve
