#include "burgers_evolution.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <limits>

#include "line_space.hpp"

namespace burgers_control {

namespace {

constexpr int most_newton_steps = 50;
/// A last step of this size, relative, leaves an error of its square.
constexpr double last_step = 1e-9;

/// out = shift M v + rate (nu K v + (y v)_x).
struct Linearised {
  Line line;
  double shift, rate, nu;
  const double *y, *v;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const {
    double value = shift * line.mass(v, i);
    if (rate != 0.0) value += rate * (nu * line.stiffness(v, i) + line.convection(y, v, i));
    out[i] = value;
  }
};

/// The adjoint of it.
struct LinearisedAdjoint {
  Line line;
  double shift, rate, nu;
  const double *y, *p;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const {
    double value = shift * line.mass(p, i);
    if (rate != 0.0)
      value += rate * (nu * line.stiffness(p, i) + line.convection_adjoint(p, y, i));
    out[i] = value;
  }
};

/// c_n, and the sum of its squares.
struct Residual {
  Line line;
  double dt, rate, rate_before, nu;
  const double *before, *y, *u, *load;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i, double& squared) const {
    double c = line.mass(y, i) - line.mass(before, i) - dt * (line.mass(u, i) + load[i]);
    c += rate * (nu * line.stiffness(y, i) + 0.5 * line.convection(y, y, i));
    if (rate_before != 0.0)
      c += rate_before * (nu * line.stiffness(before, i) + 0.5 * line.convection(before, before, i));
    out[i] = c;
    squared += c * c;
  }
};

/// The matrix of Linearised with shift 1 at y.
struct FillMatrix {
  Line line;
  double rate, nu;
  const double* y;
  Tridiagonal A;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double h = line.h, yl = line.at(y, i - 1), yr = line.at(y, i + 1);
    A.diagonal[i] = 2.0 * h / 3.0 + rate * (2.0 * nu / h + (yr - yl) / 6.0);
    const double beside = h / 6.0 - rate * nu / h;
    if (i > 0) A.lower[i - 1] = beside - rate * (y[i] + 2.0 * yl) / 6.0;
    if (i + 1 < line.n) A.upper[i] = beside + rate * (y[i] + 2.0 * yr) / 6.0;
  }
};

// One row each: these run in one thread.
struct Factor {
  Tridiagonal A;
  KOKKOS_FUNCTION void operator()(Index) const { A.factor(); }
};
struct Solve {
  Tridiagonal A;
  double* x;
  bool is_transposed;
  KOKKOS_FUNCTION void operator()(Index) const {
    if (is_transposed)
      A.solve_transposed(x);
    else
      A.solve(x);
  }
};

/// y -= step s; sums of s^2 and y^2.
struct Advance {
  double step;
  const double* s;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i, double& moved, double& size) const {
    y[i] -= step * s[i];
    moved += s[i] * s[i];
    size += y[i] * y[i];
  }
};

/// out += rate (second derivative of int p y y_x) v.
struct AddCurvature {
  Line line;
  double rate;
  const double *p, *v;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const {
    out[i] += rate * line.convection_adjoint(p, v, i);
  }
};

/// Over cell e: int (y - d)^2, d given at all nodes; y null: 0.
struct Misfit {
  Line line;
  const double *y, *d;
  KOKKOS_FUNCTION void operator()(Index e, double& sum) const {
    const double a = (y == nullptr ? 0.0 : line.at(y, e - 1)) - d[e];
    const double b = (y == nullptr ? 0.0 : line.at(y, e)) - d[e + 1];
    sum += line.h / 3.0 * (a * a + a * b + b * b);
  }
};

/// out_i = factor int (y - d) phi_i.
struct MisfitGradient {
  Line line;
  double factor;
  const double *y, *d;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const {
    out[i] = factor * (line.mass(y, i) - line.h / 6.0 * (d[i] + 4.0 * d[i + 1] + d[i + 2]));
  }
};

/// out_i (+)= factor int v phi_i for a stack of functions, one after the other.
struct StackedMass {
  Line line;
  double factor;
  bool adds;
  const double* v;
  double* out;
  KOKKOS_FUNCTION void operator()(Index k) const {
    const Index row = k / line.n * line.n;
    const double value = factor * line.mass(v + row, k - row);
    out[k] = adds ? out[k] + value : value;
  }
};

/// v^T (stacked mass) v.
struct StackedSquare {
  Line line;
  const double* v;
  KOKKOS_FUNCTION void operator()(Index k, double& sum) const {
    const Index row = k / line.n * line.n;
    sum += v[k] * line.mass(v + row, k - row);
  }
};

template <class Body>
void rows(const char* label, Index count, const Body& body) {
  for_rows(default_space(), label, count, body);
  Kokkos::fence(label);
}

template <class Body>
double sum_rows(const char* label, Index count, const Body& body) {
  return reduce_rows<Sums<1>>(default_space(), label, count, body).value[0];
}

VectorView on_device(const char* label, const std::vector<double>& values) {
  const VectorView v(label, values.size());
  Kokkos::deep_copy(v, Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  return v;
}

/// int f phi_i, row after row.
std::vector<double> loads(const std::vector<double>& f, int size, double h) {
  std::vector<double> all;
  const auto nodes = static_cast<std::size_t>(size + 1);
  for (std::size_t row = 0; row < f.size(); row += nodes)
    for (std::size_t i = row + 1; i + 1 < row + nodes; ++i)
      all.push_back(h / 6.0 * (f[i - 1] + 4.0 * f[i] + f[i + 1]));
  return all;
}

}  // namespace

BurgersEvolution::BurgersEvolution(const BurgersData& d)
    : steps_(d.steps),
      dt_(d.final_time / d.steps),
      theta_(d.theta),
      nu_(d.viscosity),
      alpha_(d.control_cost),
      weight_(d.weight),
      line_{d.size - 1, 1.0 / d.size},
      states_(line_.n),
      parameters_(GlobalIndex{line_.n} * d.steps),
      initial_("burgers_control::initial", states_),
      target_(on_device("burgers_control::target", d.target)),
      load_(on_device("burgers_control::load", loads(d.force, d.size, line_.h))),
      r_("burgers_control::r", states_),
      s_("burgers_control::s", states_) {
  const auto nodes = static_cast<std::size_t>(d.size + 1), n = static_cast<std::size_t>(line_.n),
             N = static_cast<std::size_t>(steps_);
  if (d.size < 2 || d.initial.size() != nodes || d.target.size() != (N + 1) * nodes ||
      d.force.size() != N * nodes)
    throw ShapeError("Burgers' equation on " + std::to_string(d.size) + " cells in " +
                     std::to_string(steps_) + " steps: values at all nodes and times are needed");
  Kokkos::deep_copy(initial_.view(),
                    Kokkos::View<const double*, Kokkos::HostSpace>(d.initial.data() + 1, n));
  work_ = VectorView("burgers_control::matrix", 5 * n);
  double* const w = work_.data();
  matrix_ = {line_.n, w, w + n, w + 2 * n, w + 3 * n, w + 4 * n};
  start_cost_ = 0.5 * tracking_weight(0) *
                sum_rows("burgers_control::misfit", line_.n + 1,
                         Misfit{line_, initial_.data(), target(0)});
}

BurgersEvolution::~BurgersEvolution() = default;

double* BurgersEvolution::control(const Vector& m, int n) const {
  return m.data() + static_cast<std::size_t>(n - 1) * static_cast<std::size_t>(line_.n);
}

const double* BurgersEvolution::target(int n) const {
  return target_.data() + static_cast<std::size_t>(n) * static_cast<std::size_t>(line_.n + 2);
}

double BurgersEvolution::tracking_weight(int n) const {
  if (theta_ != 0.5) return n == 0 ? 0.0 : weight_ * dt_;
  return weight_ * dt_ * (n == 0 || n == steps_ ? 0.5 : 1.0);
}

void BurgersEvolution::initial_state(const Vector& y0) const { copy(initial_, y0); }

void BurgersEvolution::residual(int n, const Point& at, const Vector& out) {
  const double* load = load_.data() + static_cast<std::size_t>(n - 1) * static_cast<std::size_t>(line_.n);
  sum_rows("burgers_control::residual", line_.n,
           Residual{line_, dt_, rate_new(), rate_before(), nu_, at.before.data(), at.y.data(),
                    control(at.m, n), load, out.data()});
}

void BurgersEvolution::factor(const Vector& y) {
  rows("burgers_control::matrix", line_.n, FillMatrix{line_, rate_new(), nu_, y.data(), matrix_});
  rows("burgers_control::factor", 1, Factor{matrix_});
}

/// Newton's method, steps halved until |c_n| falls.
void BurgersEvolution::solve_step(int n, const Vector& before, const Vector& m, const Vector& y) {
  const double* load = load_.data() + static_cast<std::size_t>(n - 1) * static_cast<std::size_t>(line_.n);
  const auto squared_residual = [&] {
    return sum_rows("burgers_control::residual", line_.n,
                    Residual{line_, dt_, rate_new(), rate_before(), nu_, before.data(), y.data(),
                             control(m, n), load, r_.data()});
  };
  double squared = squared_residual();
  for (int k = 0; k < most_newton_steps && std::isfinite(squared); ++k) {
    ++newton_iterations_;
    factor(y);
    rows("burgers_control::solve", 1, Solve{matrix_, r_.data(), false});
    copy(r_, s_);
    const double before_step = squared;
    const auto change = reduce_rows<Sums<2>>(default_space(), "burgers_control::advance", line_.n,
                                             Advance{1.0, s_.data(), y.data()});
    if (change.value[0] <= last_step * last_step * change.value[1]) return;
    squared = squared_residual();
    // Close to rounding the residual need not fall: steps are small then, and the test above ends it.
    for (double step = 0.5; !(squared < before_step) && step > 1e-3; step *= 0.5) {
      axpy(step, s_, y);
      squared = squared_residual();
    }
  }
  fill(y, std::numeric_limits<double>::quiet_NaN());
}

void BurgersEvolution::apply_state(int, const Point& at, const Vector& v, const Vector& out) {
  rows("burgers_control::tangent", line_.n,
       Linearised{line_, 1.0, rate_new(), nu_, at.y.data(), v.data(), out.data()});
}

void BurgersEvolution::apply_state_adjoint(int, const Point& at, const Vector& p,
                                           const Vector& out) {
  rows("burgers_control::adjoint", line_.n,
       LinearisedAdjoint{line_, 1.0, rate_new(), nu_, at.y.data(), p.data(), out.data()});
}

void BurgersEvolution::solve_tangent(int, const Point& at, const Vector& r, const Vector& v) {
  factor(at.y);
  copy(r, v);
  rows("burgers_control::solve", 1, Solve{matrix_, v.data(), false});
}

void BurgersEvolution::solve_adjoint(int, const Point& at, const Vector& r, const Vector& p) {
  factor(at.y);
  copy(r, p);
  rows("burgers_control::solve", 1, Solve{matrix_, p.data(), true});
}

void BurgersEvolution::apply_before(int, const Point& at, const Vector& v, const Vector& out) {
  rows("burgers_control::tangent", line_.n,
       Linearised{line_, -1.0, rate_before(), nu_, at.before.data(), v.data(), out.data()});
}

void BurgersEvolution::apply_before_adjoint(int, const Point& at, const Vector& p,
                                            const Vector& out) {
  rows("burgers_control::adjoint", line_.n,
       LinearisedAdjoint{line_, -1.0, rate_before(), nu_, at.before.data(), p.data(), out.data()});
}

void BurgersEvolution::apply_parameter(int n, const Point&, const Vector& q, const Vector& out) {
  rows("burgers_control::control", line_.n,
       StackedMass{line_, -dt_, false, control(q, n), out.data()});
}

void BurgersEvolution::add_parameter_adjoint(int n, const Point&, const Vector& p,
                                             const Vector& out) {
  rows("burgers_control::control", line_.n,
       StackedMass{line_, -dt_, true, p.data(), control(out, n)});
}

void BurgersEvolution::add_second_derivative(int, const Point&, const Vector& p,
                                             const Triple& along, const Triple& out) {
  rows("burgers_control::curvature", line_.n,
       AddCurvature{line_, rate_new(), p.data(), along.y.data(), out.y.data()});
  if (rate_before() != 0.0)
    rows("burgers_control::curvature", line_.n,
         AddCurvature{line_, rate_before(), p.data(), along.before.data(), out.before.data()});
}

double BurgersEvolution::step_cost(int n, const Vector& y, const Vector&) {
  return 0.5 * tracking_weight(n) * sum_rows("burgers_control::misfit", line_.n + 1,
                                             Misfit{line_, y.data(), target(n)});
}

void BurgersEvolution::step_cost_gradient(int n, const Vector& y, const Vector&,
                                          const Vector& out_y, const Vector&) {
  rows("burgers_control::misfit_gradient", line_.n,
       MisfitGradient{line_, tracking_weight(n), y.data(), target(n), out_y.data()});
}

void BurgersEvolution::step_cost_hessian(int n, const Vector&, const Vector&, const Vector& v,
                                         const Vector&, const Vector& out_y, const Vector&) {
  rows("burgers_control::misfit_hessian", line_.n,
       StackedMass{line_, tracking_weight(n), false, v.data(), out_y.data()});
}

double BurgersEvolution::parameter_cost(const Vector& m) {
  return start_cost_ + 0.5 * control_weight() *
                           sum_rows("burgers_control::control_cost", m.local_size(),
                                    StackedSquare{line_, m.data()});
}

void BurgersEvolution::add_parameter_cost_gradient(const Vector& m, const Vector& out) {
  rows("burgers_control::control_cost", m.local_size(),
       StackedMass{line_, control_weight(), true, m.data(), out.data()});
}

void BurgersEvolution::add_parameter_cost_hessian(const Vector&, const Vector& q,
                                                  const Vector& out) {
  add_parameter_cost_gradient(q, out);
}

std::shared_ptr<const InnerProduct> BurgersEvolution::parameter_inner_product() const {
  return std::make_shared<LineSpace>(line_, steps_, weight_ * dt_);
}

std::shared_ptr<const InnerProduct> BurgersEvolution::state_inner_product() const {
  return std::make_shared<LineSpace>(line_, 1, weight_);
}

std::vector<int> BurgersEvolution::shown_steps() const {
  std::vector<int> all;
  for (int n = 0; n <= steps_; ++n) all.push_back(n);
  return all;
}

namespace {

/// A row of inner nodes for each time: cells of a grid in (x, t), the first row around t.
Field in_place_and_time(const char* name, const char* text, const Line& line, int num_rows, double t,
                        double dt) {
  Field f;
  f.name = name;
  f.description = text;
  f.values = Vector("burgers_control::field", Partition(GlobalIndex{line.n} * num_rows));
  f.shape = {num_rows, line.n};
  Grid grid;
  grid.dimension = 2;
  grid.cells = {line.n, num_rows, 1};
  grid.spacing = {line.h, dt, 1.0};
  grid.origin = {0.5 * line.h, t - 0.5 * dt, 0.0};
  f.grid = grid;
  f.axis_names = "xt";
  return f;
}

void copy_row(const double* from, const Vector& to, int row, Index n) {
  const auto begin = static_cast<std::size_t>(row) * static_cast<std::size_t>(n);
  Kokkos::deep_copy(Kokkos::subview(to.view(), std::make_pair(begin, begin + static_cast<std::size_t>(n))),
                    ConstVectorView(from, static_cast<std::size_t>(n)));
}

}  // namespace

std::vector<Field> BurgersEvolution::fields(const std::vector<Vector>& states,
                                            const std::vector<Vector>& adjoints,
                                            const Vector& m) const {
  const Field state = in_place_and_time("state", "y at inner nodes and t_0, ..., t_N", line_,
                                        static_cast<int>(states.size()), 0.0, dt_);
  for (std::size_t n = 0; n < states.size(); ++n)
    copy_row(states[n].data(), state.values, static_cast<int>(n), line_.n);
  const Field u = in_place_and_time("control", "u at inner nodes, constant in each step", line_, steps_,
                                    0.5 * dt_, dt_);
  copy(m, u.values);
  // Of the integral, whatever the weight.
  const Field p = in_place_and_time("adjoint", "p at inner nodes, one for each step", line_, steps_,
                                    0.5 * dt_, dt_);
  for (std::size_t n = 1; n < adjoints.size(); ++n)
    copy_row(adjoints[n].data(), p.values, static_cast<int>(n) - 1, line_.n);
  scale(1.0 / weight_, p.values);
  return {state, u, p};
}

std::vector<Field> BurgersEvolution::data_fields() const {
  const Field d = in_place_and_time("target", "y_d at inner nodes and t_0, ..., t_N", line_,
                                    steps_ + 1, 0.0, dt_);
  for (int n = 0; n <= steps_; ++n) copy_row(target(n) + 1, d.values, n, line_.n);
  return {d};
}

}  // namespace burgers_control
