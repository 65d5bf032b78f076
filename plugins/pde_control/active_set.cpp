#include "active_set.hpp"

#include <cmath>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/vector_kernels.hpp>

#include "control_system.hpp"
#include "cycle_kernels.hpp"

namespace pde_control {

namespace {

/// The sets that lambda = s q asks for; counts nodes whose set is another.
struct Compare {
  double s_over_alpha;
  const double *q, *lower, *upper, *state;
  KOKKOS_INLINE_FUNCTION static double set_of(double u, double lower, double upper) {
    return u > upper ? 1.0 : u < lower ? -1.0 : 0.0;
  }
  KOKKOS_FUNCTION void operator()(Index i, double& changed) const {
    changed += set_of(s_over_alpha * q[i], lower[i], upper[i]) == state[i] ? 0.0 : 1.0;
  }
};

/// Takes those sets: W, and the right-hand side (b, s (d + N_A u_A)).
struct TakeSets {
  Index n;
  double s_over_alpha, s, mass;
  const double *q, *lower, *upper, *b, *d;
  double *state, *w, *rhs;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double set = Compare::set_of(s_over_alpha * q[i], lower[i], upper[i]);
    state[i] = set;
    w[i] = set == 0.0 ? mass : 0.0;
    const double fixed = set == 0.0 ? 0.0 : set > 0.0 ? upper[i] : lower[i];
    rhs[i] = b[i];
    rhs[n + i] = s * (d[i] + mass * fixed);
  }
};

struct Controls {
  double s, alpha, mass;
  const double *q, *lower, *upper, *state;
  double *u, *z;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double lambda = s * q[i];
    const double bound = state[i] > 0.0 ? upper[i] : lower[i];
    u[i] = state[i] == 0.0 ? lambda / alpha : bound;
    z[i] = state[i] == 0.0 ? 0.0 : mass * (lambda - alpha * bound);
  }
};

struct ScaleBy {
  double factor;
  double* v;
  KOKKOS_FUNCTION void operator()(Index i) const { v[i] *= factor; }
};

/// Values at every second node.
struct TakeCoarse {
  NodeRows coarse, fine;
  int dimension;
  const double* from;  ///< padded
  double* to;
  KOKKOS_FUNCTION void operator()(Index i, Index j, Index k) const {
    const Index x = 2 * (coarse.begin[0] + i);
    const Index y = dimension > 1 ? 2 * (coarse.begin[1] + j) : 0;
    const Index z = dimension > 2 ? 2 * (coarse.begin[2] + k) : 0;
    to[i + coarse.n[0] * (j + coarse.n[1] * k)] = from[place_of(fine, x, y, z)];
  }
};

VectorView nodes_array(const NodeGrid& grid) {
  return zero_array<double>("pde_control::nodes",
                            static_cast<std::size_t>(grid.partition().local_size()));
}

RealView reals(const NodeGrid& grid) {
  return zero_array<Real>("pde_control::padded", static_cast<std::size_t>(grid.rows().padded_size));
}

/// P^T v, through padded arrays in float: starts need no more.
VectorView restricted(const NodeGrid& fine, const NodeGrid& coarse, const VectorView& v) {
  const RealView from = reals(fine), to = reals(coarse);
  for_nodes(default_space(), "pde_control::pack", fine.rows(),
            PackNodes{1.0, v.data(), from.data()});
  fine.fetch_neighbours(from);
  restrict_nodes(fine, from, coarse, to);
  const VectorView out = nodes_array(coarse);
  for_points("pde_control::unpack", coarse.rows().n,
             StoreNodes{coarse.rows(), coarse.rows(), 1.0, to.data(), out.data()});
  Kokkos::fence("pde_control::restricted");
  return out;
}

VectorView every_second(const NodeGrid& fine, const NodeGrid& coarse, const VectorView& v) {
  const VectorView padded =
      zero_array<double>("pde_control::padded", static_cast<std::size_t>(fine.rows().padded_size));
  fine.pad(v, padded);
  const VectorView out = nodes_array(coarse);
  for_points("pde_control::every_second", coarse.rows().n,
             TakeCoarse{coarse.rows(), fine.rows(), fine.dimension(), padded.data(), out.data()});
  Kokkos::fence("pde_control::every_second");
  return out;
}

}  // namespace

ActiveSetProblem::Data coarse_data(const ActiveSetProblem::Data& fine) {
  ActiveSetProblem::Data c;
  c.grid = fine.grid.coarse();
  c.b = restricted(fine.grid, c.grid, fine.b);
  c.d = restricted(fine.grid, c.grid, fine.d);
  c.lower = every_second(fine.grid, c.grid, fine.lower);
  c.upper = every_second(fine.grid, c.grid, fine.upper);
  return c;
}

ActiveSetProblem::ActiveSetProblem(const Data& data, double control_cost,
                                   const CollectiveSolver::Settings& settings)
    : data_(data), alpha_(control_cost), settings_(settings) {
  w_ = nodes_array(data_.grid);
  state_ = nodes_array(data_.grid);
  Kokkos::deep_copy(state_, 2.0);
  K_ = std::make_shared<Q1ControlOperator>(data_.grid, alpha_, w_);
  x_ = Vector("pde_control::x", K_->row_partition());
  r_ = x_.like("pde_control::r");
  rhs_ = x_.like("pde_control::rhs");
}

void ActiveSetProblem::set_control_cost(double control_cost) {
  for_rows(ExecSpace(), "pde_control::rescale", num_nodes(),
           ScaleBy{std::sqrt(alpha_ / control_cost), x_.data() + num_nodes()});
  Kokkos::fence("pde_control::rescale");
  if (alpha_ == control_cost) return;
  alpha_ = control_cost;
  K_ = std::make_shared<Q1ControlOperator>(data_.grid, alpha_, w_);
  is_prepared_ = false;
}

void ActiveSetProblem::forget() {
  fill(x_, 0.0);
  Kokkos::deep_copy(state_, 2.0);
}

std::int64_t ActiveSetProblem::num_changes() {
  const double s = std::sqrt(alpha_);
  const double changed =
      reduce_rows<Sums<1>>(ExecSpace(), "pde_control::compare", num_nodes(),
                           Compare{s / alpha_, x_.data() + num_nodes(), data_.lower.data(),
                                   data_.upper.data(), state_.data()})
          .value[0];
  return static_cast<std::int64_t>(data_.grid.communicator().sum(changed));
}

ActiveSetProblem::Step ActiveSetProblem::step(double tolerance,
                                              const CollectiveSolver::Watch& watch) {
  Step step;
  step.changed = num_changes();
  const double s = std::sqrt(alpha_);
  for_rows(ExecSpace(), "pde_control::sets", num_nodes(),
           TakeSets{num_nodes(), s / alpha_, s, data_.grid.cell_volume(), x_.data() + num_nodes(),
                    data_.lower.data(), data_.upper.data(), data_.b.data(), data_.d.data(),
                    state_.data(), w_.data(), rhs_.data()});
  Kokkos::fence("pde_control::sets");
  if (solver_ == nullptr)
    solver_ = std::make_unique<CollectiveSolver>(K_, settings_);
  else if (step.changed > 0 || !is_prepared_)
    solver_->reset(K_);
  is_prepared_ = true;
  K_->residual(rhs_, x_, r_);
  step.end = solver_->solve(x_, r_, tolerance, !started_ && settings_.nested, watch);
  started_ = true;
  step.residual = solver_->residual_norm();
  return step;
}

double ActiveSetProblem::data_norm() const {
  const Vector b(data_.b, data_.grid.partition()), d(data_.d, data_.grid.partition());
  return std::sqrt(dot(b, b) + alpha_ * dot(d, d));
}

void ActiveSetProblem::controls(const VectorView& u, const VectorView& z) const {
  for_rows(ExecSpace(), "pde_control::controls", num_nodes(),
           Controls{std::sqrt(alpha_), alpha_, data_.grid.cell_volume(), x_.data() + num_nodes(),
                    data_.lower.data(), data_.upper.data(), state_.data(), u.data(), z.data()});
  Kokkos::fence("pde_control::controls");
}

void ActiveSetProblem::start_from(const ActiveSetProblem& coarse) {
  const NodeGrid& fine = data_.grid;
  for (int which : {0, 1}) {
    const RealView from = reals(coarse.data_.grid), to = reals(fine);
    for_nodes(
        default_space(), "pde_control::pack", coarse.data_.grid.rows(),
        PackNodes{1.0, part_of(coarse.x_.view(), coarse.num_nodes(), which).data(), from.data()});
    coarse.data_.grid.fetch_neighbours(from);
    prolong_nodes(coarse.data_.grid, from, fine, false, to);
    for_points("pde_control::unpack", fine.rows().n,
               StoreNodes{fine.rows(), fine.rows(), 1.0, to.data(),
                          part_of(x_.view(), num_nodes(), which).data()});
  }
  Kokkos::fence("pde_control::start_from");
  started_ = true;
}

}  // namespace pde_control
