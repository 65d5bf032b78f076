#include "advection_evolution.hpp"

#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace advection {

namespace {

/// out = -A v, or y + dt div(y u) - A before.
struct Residual {
  Torus torus;
  double dt;
  const double *before, *u, *y;
  double* out;
  KOKKOS_FUNCTION void operator()(Index c) const {
    out[c] = y[c] + dt * torus.divergence(u, y, c) - torus.mean(before, c);
  }
};
struct Mean {
  Torus torus;
  double factor;
  const double* v;
  double* out;
  KOKKOS_FUNCTION void operator()(Index c) const { out[c] = factor * torus.mean(v, c); }
};

/// out = dt div(y q).
struct VelocityTangent {
  Torus torus;
  double dt;
  const double *q, *y;
  double* out;
  KOKKOS_FUNCTION void operator()(Index c) const { out[c] = dt * torus.divergence(q, y, c); }
};

/// out += -dt y grad p, both components.
struct AddVelocityAdjoint {
  Torus torus;
  double dt;
  const double *y, *p;
  double* out;
  KOKKOS_FUNCTION void operator()(Index c) const {
    out[c] += dt * y[c] * torus.minus_dx(p, c);
    out[torus.cells() + c] += dt * y[c] * torus.minus_dy(p, c);
  }
};

/// p^T c = ... - dt y u grad p: its second derivative along (v, q) in y and in u.
struct AddCurvature {
  Torus torus;
  double dt;
  const double *p, *v, *q;
  double *out_y, *out_u;
  KOKKOS_FUNCTION void operator()(Index c) const {
    const Index second = torus.cells() + c;
    const double px = torus.minus_dx(p, c), py = torus.minus_dy(p, c);
    out_y[c] += dt * (q[c] * px + q[second] * py);
    out_u[c] += dt * v[c] * px;
    out_u[second] += dt * v[c] * py;
  }
};

/// The sums of y |u - r|^2 and of (y - d)^2, d null: 0.
struct Costs {
  Torus torus;
  const double *y, *u, *r, *d;
  KOKKOS_FUNCTION void operator()(Index c, double& energy, double& misfit) const {
    const Index second = torus.cells() + c;
    const double a = u[c] - r[c], b = u[second] - r[second];
    energy += y[c] * (a * a + b * b);
    const double e = d == nullptr ? 0.0 : y[c] - d[c];
    misfit += e * e;
  }
};

/// Of 1/2 (energy y |u - r|^2 + |y - d|^2).
struct CostGradient {
  Torus torus;
  double energy;
  const double *y, *u, *r, *d;
  double *out_y, *out_u;
  KOKKOS_FUNCTION void operator()(Index c) const {
    const Index second = torus.cells() + c;
    const double a = u[c] - r[c], b = u[second] - r[second];
    out_y[c] = 0.5 * energy * (a * a + b * b) + (d == nullptr ? 0.0 : y[c] - d[c]);
    out_u[c] += energy * y[c] * a;
    out_u[second] += energy * y[c] * b;
  }
};

struct CostHessian {
  Torus torus;
  double energy, misfit;
  const double *y, *u, *r, *v, *q;
  double *out_y, *out_u;
  KOKKOS_FUNCTION void operator()(Index c) const {
    const Index second = torus.cells() + c;
    const double a = u[c] - r[c], b = u[second] - r[second];
    out_y[c] = energy * (a * q[c] + b * q[second]) + misfit * v[c];
    out_u[c] += energy * (a * v[c] + y[c] * q[c]);
    out_u[second] += energy * (b * v[c] + y[c] * q[second]);
  }
};

template <class Body>
void rows(const char* label, const Torus& torus, const Body& body) {
  for_rows(default_space(), label, torus.cells(), body);
  Kokkos::fence(label);
}

Vector on_device(const char* label, const std::vector<double>& values, const Partition& partition) {
  if (static_cast<GlobalIndex>(values.size()) != partition.global_size())
    throw ShapeError(std::string(label) + " needs " + std::to_string(partition.global_size()) +
                     " values, has " + std::to_string(values.size()));
  const Vector v(label, partition);
  Kokkos::deep_copy(v.view(), Kokkos::View<const double*, Kokkos::HostSpace>(values.data(),
                                                                             values.size()));
  return v;
}

}  // namespace

AdvectionEvolution::AdvectionEvolution(const AdvectionData& d)
    : steps_(d.steps),
      dt_(d.final_time / d.steps),
      energy_(d.velocity_cost * d.final_time * dt_ / (double{1} * d.size * d.size)),
      torus_{d.size, 1.0 / d.size},
      states_(GlobalIndex{d.size} * d.size),
      parameters_(2 * states_.global_size() * d.steps),
      initial_(on_device("advection::initial", d.initial, states_)),
      target_(on_device("advection::target", d.target, states_)),
      reference_(on_device("advection::reference", d.reference, parameters_)),
      rhs_("advection::rhs", states_),
      C_(std::make_shared<TransportOperator>(torus_, states_, dt_, false)),
      Ct_(std::make_shared<TransportOperator>(torus_, states_, dt_, true)),
      solver_(d.solver) {}

AdvectionEvolution::~AdvectionEvolution() = default;

double* AdvectionEvolution::velocity(const Vector& m, int n) const {
  return m.data() + static_cast<std::size_t>(n - 1) * 2 * static_cast<std::size_t>(torus_.cells());
}

void AdvectionEvolution::initial_state(const Vector& y0) const { copy(initial_, y0); }

void AdvectionEvolution::residual(int n, const Point& at, const Vector& out) {
  rows("advection::residual", torus_,
       Residual{torus_, dt_, at.before.data(), velocity(at.m, n), at.y.data(), out.data()});
}

void AdvectionEvolution::solve_step(int n, const Vector& before, const Vector& m, const Vector& y) {
  rows("advection::mean", torus_, Mean{torus_, 1.0, before.data(), rhs_.data()});
  C_->set_velocity(velocity(m, n));
  solver_.solve(C_, rhs_, y);
}

void AdvectionEvolution::apply_state(int n, const Point& at, const Vector& v, const Vector& out) {
  C_->set_velocity(velocity(at.m, n));
  C_->apply(v, out);
}

void AdvectionEvolution::apply_state_adjoint(int n, const Point& at, const Vector& p,
                                             const Vector& out) {
  Ct_->set_velocity(velocity(at.m, n));
  Ct_->apply(p, out);
}

void AdvectionEvolution::solve_tangent(int n, const Point& at, const Vector& r, const Vector& v) {
  C_->set_velocity(velocity(at.m, n));
  solver_.solve(C_, r, v);
}

void AdvectionEvolution::solve_adjoint(int n, const Point& at, const Vector& r, const Vector& p) {
  Ct_->set_velocity(velocity(at.m, n));
  solver_.solve(Ct_, r, p);
}

void AdvectionEvolution::apply_before(int, const Point&, const Vector& v, const Vector& out) {
  rows("advection::mean", torus_, Mean{torus_, -1.0, v.data(), out.data()});
}

void AdvectionEvolution::apply_before_adjoint(int n, const Point& at, const Vector& p,
                                              const Vector& out) {
  apply_before(n, at, p, out);
}

void AdvectionEvolution::apply_parameter(int n, const Point& at, const Vector& q,
                                         const Vector& out) {
  rows("advection::velocity", torus_,
       VelocityTangent{torus_, dt_, velocity(q, n), at.y.data(), out.data()});
}

void AdvectionEvolution::add_parameter_adjoint(int n, const Point& at, const Vector& p,
                                               const Vector& out) {
  rows("advection::velocity", torus_,
       AddVelocityAdjoint{torus_, dt_, at.y.data(), p.data(), velocity(out, n)});
}

void AdvectionEvolution::add_second_derivative(int n, const Point&, const Vector& p,
                                               const Triple& along, const Triple& out) {
  rows("advection::curvature", torus_,
       AddCurvature{torus_, dt_, p.data(), along.y.data(), velocity(along.m, n), out.y.data(),
                    velocity(out.m, n)});
}

double AdvectionEvolution::step_cost(int n, const Vector& y, const Vector& m) {
  const auto sums = reduce_rows<Sums<2>>(
      default_space(), "advection::cost", torus_.cells(),
      Costs{torus_, y.data(), velocity(m, n), velocity(reference_, n),
            n == steps_ ? target_.data() : nullptr});
  return 0.5 * (energy_ * sums.value[0] + sums.value[1]);
}

void AdvectionEvolution::step_cost_gradient(int n, const Vector& y, const Vector& m,
                                            const Vector& out_y, const Vector& out_m) {
  rows("advection::cost", torus_,
       CostGradient{torus_, energy_, y.data(), velocity(m, n), velocity(reference_, n),
                    n == steps_ ? target_.data() : nullptr, out_y.data(), velocity(out_m, n)});
}

void AdvectionEvolution::step_cost_hessian(int n, const Vector& y, const Vector& m, const Vector& v,
                                           const Vector& q, const Vector& out_y,
                                           const Vector& out_m) {
  rows("advection::cost", torus_,
       CostHessian{torus_, energy_, n == steps_ ? 1.0 : 0.0, y.data(), velocity(m, n),
                   velocity(reference_, n), v.data(), velocity(q, n), out_y.data(),
                   velocity(out_m, n)});
}

Grid AdvectionEvolution::grid(int layers) const {
  Grid grid;
  grid.dimension = layers > 1 ? 3 : 2;
  grid.cells = {torus_.n, torus_.n, layers};
  grid.spacing = {torus_.h, torus_.h, layers > 1 ? dt_ : 1.0};
  return grid;
}

std::vector<Field> AdvectionEvolution::fields(const std::vector<Vector>& states,
                                              const std::vector<Vector>& adjoints,
                                              const Vector& m) const {
  const auto layer = [&](const char* name, const char* text, const Vector& y) {
    Field f{.name = name, .values = y, .description = text};
    f.shape = {torus_.n, torus_.n};
    f.grid = grid(1);
    return f;
  };
  std::vector<Field> all = {layer("density_halfway", "y in the middle of the time", states.at(0)),
                            layer("density_final", "y_N", states.at(1)),
                            layer("adjoint_final", "p_N", adjoints.at(1))};
  const auto n = static_cast<std::size_t>(torus_.cells());
  for (const std::size_t axis : {std::size_t{0}, std::size_t{1}}) {
    Field f{.name = axis == 0 ? "velocity_x" : "velocity_y",
            .values = Vector("advection::field", Partition(torus_.cells() * GlobalIndex{steps_})),
            .description = "u_1, ..., u_N, a layer each"};
    for (std::size_t k = 0; k < static_cast<std::size_t>(steps_); ++k) {
      const std::size_t from = (2 * k + axis) * n;
      Kokkos::deep_copy(Kokkos::subview(f.values.view(), std::make_pair(k * n, (k + 1) * n)),
                        Kokkos::subview(m.view(), std::make_pair(from, from + n)));
    }
    f.shape = {steps_, torus_.n, torus_.n};
    f.grid = grid(steps_);
    f.axis_names = "xyt";
    all.push_back(f);
  }
  return all;
}

std::vector<Field> AdvectionEvolution::data_fields() const {
  std::vector<Field> all = {{.name = "density_initial", .values = initial_, .description = "y_0"},
                            {.name = "target", .values = target_, .description = "d"}};
  for (Field& f : all) {
    f.shape = {torus_.n, torus_.n};
    f.grid = grid(1);
  }
  return all;
}

}  // namespace advection
