#include "control_system.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace pde_control {

namespace {

/// r = -(g + a), or -t c, over w.
struct Residual {
  Index n;
  double over_weight, s;
  const double *gradient, *adjoint, *constraints;
  double* r;
  KOKKOS_FUNCTION void operator()(Index i) const {
    r[i] = -over_weight * (gradient[i] + adjoint[i]);
    r[n + i] = -over_weight * s * constraints[i];
  }
};

/// lambda += s z_q, y += z_y, u = lambda / alpha.
struct AddCorrection {
  Index n;
  double s, over_alpha;
  const double* z;
  double *x, *lambda;
  KOKKOS_FUNCTION void operator()(Index i) const {
    x[i] += z[i];
    lambda[i] += s * z[n + i];
    x[n + i] = over_alpha * lambda[i];
  }
};

struct ScaleInto {
  double factor;
  const double* from;
  double* to;
  KOKKOS_FUNCTION void operator()(Index i) const { to[i] = factor * from[i]; }
};

/// Squares of the residuals of all three conditions, the second with what the bounds leave.
struct Squares {
  Index n;
  double over_weight, alpha;
  const double *gradient, *adjoint, *constraints, *z;
  KOKKOS_FUNCTION void operator()(Index i, double& sum) const {
    const double f = over_weight * (gradient[i] + adjoint[i]);
    const double g = over_weight * constraints[i];
    const double h = over_weight * (gradient[n + i] + adjoint[n + i] + z[n + i]);
    sum += f * f + alpha * g * g + h * h / alpha;
  }
};

}  // namespace

VectorView part_of(const VectorView& v, Index n, int which) {
  const auto size = static_cast<std::size_t>(n);
  return Kokkos::subview(v, std::make_pair(which * size, (which + 1) * size));
}

void SolveCounts::add_to(Report& report) const {
  const auto add = [&](const char* name, std::int64_t value) {
    report.counts.push_back({name, static_cast<double>(value)});
  };
  add("state_solves", state_solves);
  add("adjoint_solves", adjoint_solves);
  add("incremental_solves", incremental_solves);
  add("v_cycles", v_cycles);
  add("collective_v_cycles", collective_v_cycles);
  add("krylov_iterations", krylov_iterations);
  add("setups", setups);
}

ControlSystem::ControlSystem(NonlinearProgram& program, const std::string& method)
    : program_(&program), control_(dynamic_cast<const Q1Control*>(&program.functions())) {
  if (control_ == nullptr)
    throw Unsupported(method +
                      " needs a problem that offers the structure Q1Control, such as the "
                      "source 'poisson-control'; this is " +
                      program.description());
  n_ = grid().partition().local_size();
  s_ = std::sqrt(control_->control_cost());
  bool has_bounds = false, state_is_bounded = false;
  const Bounds& bounds = program.variable_bounds();
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const bool is = std::isfinite(bounds.lower[i]) || std::isfinite(bounds.upper[i]);
    (i < static_cast<std::size_t>(n_) ? state_is_bounded : has_bounds) |= is;
  }
  const Communicator& comm = program.communicator();
  has_bounds_ = comm.any(has_bounds);
  if (comm.any(state_is_bounded))
    throw Unsupported(method + " takes no bounds of the state; this is " + program.description());
  gradient_ = bare_array<double>("pde_control::gradient", 2 * static_cast<std::size_t>(n_));
  adjoint_ = bare_array<double>("pde_control::adjoint", 2 * static_cast<std::size_t>(n_));
  constraints_ = bare_array<double>("pde_control::constraints", static_cast<std::size_t>(n_));
}

VectorView ControlSystem::lumped_mass() const {
  const VectorView w = bare_array<double>("pde_control::lumped", static_cast<std::size_t>(n_));
  Kokkos::deep_copy(w, grid().cell_volume());
  return w;
}

std::shared_ptr<Q1ControlOperator> ControlSystem::make_operator() const {
  return std::make_shared<Q1ControlOperator>(
      grid(), control_->control_cost(),
      control_->control_is_lumped() ? ConstVectorView(lumped_mass()) : ConstVectorView());
}

void ControlSystem::start(const Vector& r) {
  const VectorView u = part_of(program_->x().view(), n_, 1);
  const VectorView lambda = program_->multipliers().view();
  const double alpha = control_->control_cost();
  if (program_->has_multipliers)
    for_rows(ExecSpace(), "pde_control::start", n_,
             ScaleInto{1.0 / alpha, lambda.data(), u.data()});
  else
    for_rows(ExecSpace(), "pde_control::start", n_, ScaleInto{alpha, u.data(), lambda.data()});
  Kokkos::deep_copy(program_->bound_multipliers().view(), 0.0);
  residual(r);
  if (norm_max(program_->x()) == 0.0 && norm_max(program_->multipliers()) == 0.0)
    data_norm_ = norm2(r);
}

void ControlSystem::residual(const Vector& r) {
  ProgramFunctions& functions = program_->functions();
  const ConstVectorView x = program_->x().view(), lambda = program_->multipliers().view();
  functions.gradient(x, gradient_);
  functions.apply_jacobian_adjoint(x, lambda, adjoint_);
  functions.constraints(x, constraints_);
  for_rows(ExecSpace(), "pde_control::residual", n_,
           Residual{n_, 1.0 / control_->weight(), s_, gradient_.data(), adjoint_.data(),
                    constraints_.data(), r.data()});
  Kokkos::fence("pde_control::residual");
}

void ControlSystem::add(const Vector& z) {
  for_rows(ExecSpace(), "pde_control::add", n_,
           AddCorrection{n_, s_, 1.0 / control_->control_cost(), z.data(), program_->x().data(),
                         program_->multipliers().data()});
  Kokkos::fence("pde_control::add");
  program_->has_multipliers = true;
}

double ControlSystem::data_norm() {
  if (data_norm_ >= 0.0) return data_norm_;
  const Vector zero = program_->x().like("pde_control::zero"), r = zero.like("pde_control::data");
  program_->functions().gradient(zero.view(), gradient_);
  program_->functions().constraints(zero.view(), constraints_);
  Kokkos::deep_copy(adjoint_, 0.0);
  for_rows(ExecSpace(), "pde_control::residual", n_,
           Residual{n_, 1.0 / control_->weight(), s_, gradient_.data(), adjoint_.data(),
                    constraints_.data(), r.data()});
  Kokkos::fence("pde_control::data");
  data_norm_ = norm2(r);
  return data_norm_;
}

double ControlSystem::relative_residual() {
  const double reference = data_norm();
  ProgramFunctions& functions = program_->functions();
  const ConstVectorView x = program_->x().view(), lambda = program_->multipliers().view();
  functions.gradient(x, gradient_);
  functions.apply_jacobian_adjoint(x, lambda, adjoint_);
  functions.constraints(x, constraints_);
  const double squared =
      reduce_rows<Sums<1>>(
          ExecSpace(), "pde_control::squares", n_,
          Squares{n_, 1.0 / control_->weight(), control_->control_cost(), gradient_.data(),
                  adjoint_.data(), constraints_.data(), program_->bound_multipliers().data()})
          .value[0];
  const double norm = std::sqrt(program_->communicator().sum(squared));
  return reference > 0.0 ? norm / reference : norm;
}

void verify_control(ControlSystem& system, double tolerance, Report& report) {
  const double residual = system.relative_residual();
  report.measures = system.program().verify();
  report.measures.insert(report.measures.begin(), {"relative_kkt_residual", residual});
  if (!std::isfinite(residual)) {
    report.status = Status::non_finite;
    report.reason = "the KKT residual at the end is not finite";
  } else if (report.converged() && residual > tolerance) {
    report.status = Status::stagnated;
    report.reason = "the recomputed relative KKT residual is " + short_number(residual) +
                    ", tolerance " + short_number(tolerance) + " (" + report.reason + ")";
  }
}

}  // namespace pde_control
