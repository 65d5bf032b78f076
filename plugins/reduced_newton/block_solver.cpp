#include "block_solver.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace reduced_newton {

namespace {

constexpr int most_steps = 200;

struct Sum {
  const double* y;
  KOKKOS_FUNCTION void operator()(Index i, double& sum) const { sum += y[i]; }
};
struct AddConstant {
  double constant;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i) const { y[i] += constant; }
};
/// p = z - shift + beta p; beta = 0 ignores the old p.
struct UpdateDirection {
  const double* z;
  double shift, beta;
  double* p;
  KOKKOS_FUNCTION void operator()(Index i) const {
    p[i] = (z[i] - shift) + (beta == 0.0 ? 0.0 : beta * p[i]);
  }
};

double mean(const Vector& v) {
  const double sum =
      reduce_rows<Sums<1>>(default_space(), "reduced_newton::mean", v.local_size(), Sum{v.data()})
          .value[0];
  return v.communicator().sum(sum) / static_cast<double>(v.global_size());
}
void shift(const Vector& v, double by) {
  for_rows(default_space(), "reduced_newton::shift", v.local_size(), AddConstant{by, v.data()});
}

}  // namespace

Vector part(const Vector& block, int s, const Partition& cells) {
  const auto n = static_cast<std::size_t>(cells.local_size());
  const auto begin = static_cast<std::size_t>(s) * n;
  return Vector(VectorView(Kokkos::subview(block.view(), std::make_pair(begin, begin + n))), cells);
}

BlockSolver::BlockSolver(const ComponentSpec& preconditioner, const Context& context, int functions,
                         const LogDiffusion& shape, SolveCounts& counts)
    : M_(context.make<Preconditioner>(preconditioner)),
      functions_(functions),
      cells_(shape.partition()),
      counts_(counts) {
  const Partition block = shape.block_partition(functions);
  const auto make = [&](Vector& v, std::vector<Vector>& parts) {
    v = Vector("reduced_newton::block", block);
    for (int s = 0; s < functions; ++s) parts.push_back(part(v, s, cells_));
  };
  make(r_, r_s_);
  make(z_, z_s_);
  make(p_, p_s_);
  make(q_, q_s_);
}

void BlockSolver::setup(const LogDiffusion& A) {
  A_ = &A;
  LinearSystem system(A.stencil(), r_s_[0], z_s_[0]);
  system.grid = A.grid();
  system.box = A.grid_partition().own();
  M_->setup(system);
  ++counts_.setups;
}

double BlockSolver::solve(const Vector& b, const Vector& x, double tolerance) {
  ++counts_.blocks;
  const bool is_insulated = A_->walls() == LogDiffusion::Walls::insulated;
  // A keeps means: with that of b in x, all residuals and directions have none.
  if (is_insulated)
    for (int s = 0; s < functions_; ++s) {
      const Vector x_s = part(x, s, cells_);
      shift(x_s, mean(part(b, s, cells_)) - mean(x_s));
    }
  A_->apply(x.view(), r_.view());
  axpby(1.0, b, -1.0, r_);
  std::vector<double> target(static_cast<std::size_t>(functions_)), size = target, pq = target,
                                                                    left = target;
  for (int s = 0; s < functions_; ++s) {
    const auto at = static_cast<std::size_t>(s);
    size[at] = norm2(part(b, s, cells_));
    target[at] = tolerance * size[at];
    left[at] = norm2(r_s_[at]);
  }
  for (int k = 0; k < most_steps; ++k) {
    bool done = true;
    for (std::size_t s = 0; s < left.size(); ++s) {
      if (left[s] <= target[s]) {
        fill(p_s_[s], 0.0);
        continue;
      }
      done = false;
      ++counts_.cycles;
      const bool is_first = k == 0 || !(pq[s] > 0.0);
      const DotPair d = M_->apply_with_dots(r_s_[s], z_s_[s], is_first ? nullptr : &q_s_[s]);
      // beta = -z^T q / p^T q keeps p conjugate to the last direction whatever M is.
      const double beta = is_first ? 0.0 : -d.xz / pq[s];
      for_rows(default_space(), "reduced_newton::direction", cells_.local_size(),
               UpdateDirection{z_s_[s].data(), is_insulated ? mean(z_s_[s]) : 0.0, beta,
                               p_s_[s].data()});
    }
    if (done) break;
    A_->apply(p_.view(), q_.view());
    for (std::size_t s = 0; s < left.size(); ++s) {
      if (left[s] <= target[s]) continue;
      const DotPair d = dot2(p_s_[s], q_s_[s], r_s_[s]);
      pq[s] = d.xy;
      if (!(d.xy > 0.0)) return HUGE_VAL;
      left[s] = std::sqrt(
          cg_update(d.xz / d.xy, p_s_[s], q_s_[s], part(x, static_cast<int>(s), cells_), r_s_[s]));
    }
  }
  double worst = 0.0;
  for (std::size_t s = 0; s < left.size(); ++s)
    if (size[s] > 0.0) worst = std::max(worst, left[s] / size[s]);
  return worst;
}

}  // namespace reduced_newton
