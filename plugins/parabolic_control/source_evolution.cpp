#include "source_evolution.hpp"

#include <algorithm>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/optimize/scaled_product.hpp>
#include <libsolve/pde/inner_nodes.hpp>

namespace parabolic_control {

SourceEvolution::SourceEvolution(const Data& data)
    : data_(data), dt_(data.final_time / data.steps), solver_(data.solver) {
  const Partition& one = state_partition();
  const GlobalIndex controls = GlobalIndex{one.local_size()} * data.steps;
  parameter_ = one.communicator().size() == 1 ? Partition(controls)
                                              : Partition(one.communicator(), controls);
  A_ = node_diffusion(data.nodes, 0.0, 1.0);
  B_ = node_diffusion(data.nodes, 1.0, data.theta * dt_);
  rhs_ = Vector("parabolic_control::rhs", one);
  error_ = Vector("parabolic_control::error", one);
}

Vector SourceEvolution::control(const Vector& m, int n) const {
  const auto size = static_cast<std::size_t>(state_partition().local_size());
  const std::size_t begin = size * static_cast<std::size_t>(n - 1);
  return Vector(VectorView(Kokkos::subview(m.view(), std::make_pair(begin, begin + size))),
                state_partition());
}

void SourceEvolution::initial_state(const Vector& y0) const {
  copy(data_.initial, y0);
}

void SourceEvolution::apply_explicit(const Vector& v, const Vector& out) const {
  if (data_.theta == 1.0) {
    copy(v, out);
    return;
  }
  A_->apply(v, out);
  axpby(1.0, v, -(1.0 - data_.theta) * dt_, out);
}

void SourceEvolution::residual(int n, const Point& at, const Vector& out) {
  B_->apply(at.y, out);
  apply_explicit(at.before, rhs_);
  axpy(-1.0, rhs_, out);
  axpy(-dt_, control(at.m, n), out);
}

void SourceEvolution::solve_step(int n, const Vector& before, const Vector& m, const Vector& y) {
  apply_explicit(before, rhs_);
  axpy(dt_, control(m, n), rhs_);
  solver_.solve(B_, rhs_, y);
}

void SourceEvolution::apply_state(int, const Point&, const Vector& v, const Vector& out) {
  B_->apply(v, out);
}
void SourceEvolution::apply_state_adjoint(int, const Point&, const Vector& p, const Vector& out) {
  B_->apply(p, out);
}
void SourceEvolution::solve_tangent(int, const Point&, const Vector& r, const Vector& v) {
  solver_.solve(B_, r, v);
}
void SourceEvolution::solve_adjoint(int, const Point&, const Vector& r, const Vector& p) {
  solver_.solve(B_, r, p);
}
void SourceEvolution::apply_before(int, const Point&, const Vector& v, const Vector& out) {
  apply_explicit(v, out);
  scale(-1.0, out);
}
void SourceEvolution::apply_before_adjoint(int n, const Point& at, const Vector& p,
                                           const Vector& out) {
  apply_before(n, at, p, out);
}
void SourceEvolution::apply_parameter(int n, const Point&, const Vector& q, const Vector& out) {
  axpby(-dt_, control(q, n), 0.0, out);
}
void SourceEvolution::add_parameter_adjoint(int n, const Point&, const Vector& p,
                                            const Vector& out) {
  axpy(-dt_, p, control(out, n));
}

double SourceEvolution::tracking_weight(int n) const {
  if (!data_.tracks_all) return 0.0;
  return data_.weight * dt_ * (n == data_.steps ? 0.5 : 1.0);
}

double SourceEvolution::step_cost(int n, const Vector& y, const Vector&) {
  double sum = 0.0;
  if (data_.tracks_all) {
    data_.target.error(n, y, error_);
    sum += 0.5 * tracking_weight(n) * dot(error_, error_);
  }
  if (n == data_.steps && data_.final_cost > 0.0) {
    linear_combination(1.0, y, -1.0, data_.final_target, error_);
    sum += 0.5 * data_.weight * data_.final_cost * dot(error_, error_);
  }
  return sum;
}

void SourceEvolution::step_cost_gradient(int n, const Vector& y, const Vector&, const Vector& out_y,
                                         const Vector&) {
  fill(out_y, 0.0);
  if (data_.tracks_all) {
    data_.target.error(n, y, error_);
    axpy(tracking_weight(n), error_, out_y);
  }
  if (n == data_.steps && data_.final_cost > 0.0) {
    linear_combination(1.0, y, -1.0, data_.final_target, error_);
    axpy(data_.weight * data_.final_cost, error_, out_y);
  }
}

void SourceEvolution::step_cost_hessian(int n, const Vector&, const Vector&, const Vector& v,
                                        const Vector&, const Vector& out_y, const Vector&) {
  const double last = n == data_.steps ? data_.weight * data_.final_cost : 0.0;
  axpby(tracking_weight(n) + last, v, 0.0, out_y);
}

double SourceEvolution::parameter_cost(const Vector& m) {
  return 0.5 * data_.weight * dt_ * data_.control_cost * dot(m, m);
}
void SourceEvolution::add_parameter_cost_gradient(const Vector& m, const Vector& out) {
  axpy(data_.weight * dt_ * data_.control_cost, m, out);
}
void SourceEvolution::add_parameter_cost_hessian(const Vector&, const Vector& q,
                                                 const Vector& out) {
  axpy(data_.weight * dt_ * data_.control_cost, q, out);
}

std::shared_ptr<const InnerProduct> SourceEvolution::parameter_inner_product() const {
  return std::make_shared<ScaledProduct>(parameter_, data_.weight * dt_);
}
std::shared_ptr<const InnerProduct> SourceEvolution::state_inner_product() const {
  return std::make_shared<ScaledProduct>(state_partition(), data_.weight);
}

std::vector<int> SourceEvolution::shown_steps() const {
  std::vector<int> shown;
  const int count = std::min(data_.num_pictures, data_.steps);
  for (int k = 1; k <= count; ++k) shown.push_back(data_.steps * k / count);
  return shown;
}

std::vector<Field> SourceEvolution::fields(const std::vector<Vector>& states,
                                           const std::vector<Vector>& adjoints,
                                           const Vector& m) const {
  std::vector<Field> all;
  const auto add = [&](const std::string& name, int n, const Vector& values, std::string text) {
    Field f;
    f.name = name + "_" + std::to_string(n);
    f.values = values;
    f.description = std::move(text);
    f.grid = data_.nodes.grid();
    f.box = data_.nodes.own();
    all.push_back(f);
  };
  const std::vector<int> steps = shown_steps();
  for (std::size_t k = 0; k < steps.size(); ++k) {
    const int n = steps[k];
    const std::string time = "t = " + std::to_string(n * dt_);
    add("state", n, states[k], "y at the inner nodes, as cells around them, " + time);
    add("control", n, control(m, n), "u of the time step that ends at " + time);
    const Vector p = adjoints[k].like("parabolic_control::adjoint");
    axpby(-1.0 / data_.weight, adjoints[k], 0.0, p);
    add("adjoint", n, p, "p of the time step that ends at " + time + "; alpha u = -p");
    if (!data_.tracks_all) continue;
    const Vector target = p.like("parabolic_control::target");
    data_.target.at(n, target);
    add("target", n, target, "y_d at " + time);
  }
  return all;
}

}  // namespace parabolic_control
