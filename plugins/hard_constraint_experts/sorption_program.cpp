#include "sorption_program.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hard_constraint_experts {

namespace {

/// Solves A_n d = b in place, A_n = dc_n/du_n: diagonally dominant, so without row exchanges.
/// `upper`: scratch of as many entries.
void solve_step_matrix(const SorptionGrid& g, const double* u, double* b, double* upper) {
  const int m = g.inner();
  for (int i = 1; i <= m; ++i) {
    const auto [left, middle, right] = g.row(i, u[i - 1]);
    const double pivot = middle - (i > 1 ? left * upper[i - 2] : 0.0);
    upper[i - 1] = right / pivot;
    b[i - 1] = (b[i - 1] - (i > 1 ? left * b[i - 2] : 0.0)) / pivot;
  }
  for (int i = m - 1; i >= 1; --i) b[i - 1] -= upper[i - 1] * b[i];
}

}  // namespace

double step_residual(const SorptionGrid& g, const double* u, const double* mass_before, double* c,
                     double* mass) {
  const int m = g.inner();
  const double r = g.coupling();
  double most = 0.0;
  bool finite = true;
  for (int i = 1; i <= m; ++i) {
    const double left = i == 1 ? 1.0 : u[i - 2];
    const double right = i == m ? g.outflow() * u[m - 1] : u[i];
    const double before = mass_before[i - 1];
    mass[i - 1] = g.law.mass(u[i - 1]);
    c[i - 1] = mass[i - 1] - before - r * (left - 2.0 * u[i - 1] + right);
    finite = finite && std::isfinite(c[i - 1]);
    most = std::max(most, std::abs(c[i - 1]));
  }
  return finite ? most : NAN;
}

double rounding_level(const SorptionGrid& g, const double* u, std::size_t count) {
  double size = 1.0, least = INFINITY;  // R falls with u
  for (std::size_t i = 0; i < count; ++i) {
    size = std::max(size, std::abs(u[i]));
    least = std::min(least, u[i]);
  }
  return 4.0 * std::numeric_limits<double>::epsilon() *
         (g.law.retardation(least) + 4.0 * g.coupling()) * size;
}

void residual(const SorptionGrid& g, const double* u, double* c) {
  std::vector<double> mass(static_cast<std::size_t>(g.inner()), g.law.mass(g.initial));
  for (int n = 1; n <= g.steps; ++n)
    step_residual(g, u + g.at(n, 1), mass.data(), c + g.at(n, 1), mass.data());
}

void apply_adjoint(const SorptionGrid& g, const double* u, const double* w, double* y) {
  const int m = g.inner();
  for (int n = 1; n <= g.steps; ++n)
    for (int i = 1; i <= m; ++i) {
      const std::size_t k = g.at(n, i);
      const double r = g.coupling(), R = g.law.retardation(u[k]);
      double sum = (R + 2.0 * r - (i == m ? r * g.outflow() : 0.0)) * w[k];
      if (i > 1) sum -= r * w[k - 1];
      if (i < m) sum -= r * w[k + 1];
      if (n < g.steps) sum -= R * w[g.at(n + 1, i)];
      y[k] = sum;
    }
}

TimeStepping step_through_time(const SorptionGrid& g, const TimeSteppingOptions& options, double* u,
                               const AfterStep& after) {
  const auto m = static_cast<std::size_t>(g.inner());
  std::vector<double> before(m, g.law.mass(g.initial)), mass(m), c(m), upper(m);
  std::vector<double> now(m, g.initial);
  TimeStepping done;
  for (int n = 1; n <= g.steps; ++n) {
    double last = INFINITY;
    for (int k = 0;; ++k) {
      const double size = step_residual(g, now.data(), before.data(), c.data(), mass.data());
      if (size <= options.tolerance) break;
      const bool slow = size > 0.5 * last || k == options.newton_steps;
      if (slow && size <= rounding_level(g, now.data(), m)) {
        done.at_rounding = true;
        break;
      }
      if (!std::isfinite(size) || k == options.newton_steps) {
        done.failed = true;
        done.residual = size;
        return done;
      }
      last = size;
      solve_step_matrix(g, now.data(), c.data(), upper.data());
      for (std::size_t i = 0; i < m; ++i) now[i] -= c[i];
      ++done.newton_steps;
    }
    std::copy(now.begin(), now.end(), u + g.at(n, 1));
    std::swap(before, mass);
    done.times = n;
    if (!after) continue;
    double size = 0.0;
    for (const double v : c) size = std::max(size, std::abs(v));
    done.verdict = after(n, size, before.data());
    if (done.verdict != Verdict::proceed) break;
  }
  return done;
}

int step_through_time(const SorptionGrid& g, double tolerance, double* u) {
  const TimeStepping done = step_through_time(g, {.tolerance = tolerance}, u);
  return done.failed ? -1 : done.newton_steps;
}

void solve_linear(const SorptionGrid& g, const double* u, double* b) {
  const auto m = static_cast<std::size_t>(g.inner());
  std::vector<double> upper(m);
  // A_n x_n = b_n + R(u_n-1) x_n-1
  for (int n = 1; n <= g.steps; ++n) {
    double* const now = b + g.at(n, 1);
    if (n > 1)
      for (std::size_t i = 0; i < m; ++i)
        now[i] += g.law.retardation(u[g.at(n - 1, 1) + i]) * b[g.at(n - 1, 1) + i];
    solve_step_matrix(g, u + g.at(n, 1), now, upper.data());
  }
}

void solve_adjoint(const SorptionGrid& g, const double* u, double* b) {
  const auto m = static_cast<std::size_t>(g.inner());
  std::vector<double> upper(m);
  // A_n x_n = b_n + R(u_n) x_n+1: A_n is symmetric
  for (int n = g.steps; n >= 1; --n) {
    double* const now = b + g.at(n, 1);
    if (n < g.steps)
      for (std::size_t i = 0; i < m; ++i)
        now[i] += g.law.retardation(u[g.at(n, 1) + i]) * b[g.at(n + 1, 1) + i];
    solve_step_matrix(g, u + g.at(n, 1), now, upper.data());
  }
}

void apply_curvature(const SorptionGrid& g, const double* u, const double* w, const double* v,
                     double* out) {
  const auto m = static_cast<std::size_t>(g.inner()), all = g.unknowns();
  for (std::size_t k = 0; k < all; ++k) {
    const double after = k + m < all ? w[k + m] : 0.0;
    out[k] = (w[k] - after) * g.law.retardation_slope(u[k]) * v[k];
  }
}

SorptionProgram::SorptionProgram(const SorptionGrid& grid) : grid_(grid) {
  const auto add = [&](std::size_t row, std::size_t column) {
    jacobian_.rows.push_back(static_cast<Index>(row));
    jacobian_.columns.push_back(static_cast<Index>(column));
  };
  for (int n = 1; n <= grid.steps; ++n)
    for (int i = 1; i < grid.size; ++i) {
      const std::size_t k = grid.at(n, i);
      if (i > 1) add(k, k - 1);
      add(k, k);
      if (i < grid.size - 1) add(k, k + 1);
      if (n > 1) add(k, grid.at(n - 1, i));
      hessian_.rows.push_back(static_cast<Index>(k));
      hessian_.columns.push_back(static_cast<Index>(k));
    }
}

void SorptionProgram::host_gradient(In, Out g) {
  std::fill(g.begin(), g.end(), 0.0);
}

void SorptionProgram::host_constraints(In x, Out c) {
  residual(grid_, x.data(), c.data());
}

void SorptionProgram::host_jacobian(In x, Out values) {
  std::size_t entry = 0;
  for (int n = 1; n <= grid_.steps; ++n)
    for (int i = 1; i < grid_.size; ++i) {
      const auto [left, middle, right] = grid_.row(i, x[grid_.at(n, i)]);
      if (i > 1) values[entry++] = left;
      values[entry++] = middle;
      if (i < grid_.size - 1) values[entry++] = right;
      if (n > 1) values[entry++] = -grid_.law.retardation(x[grid_.at(n - 1, i)]);
    }
}

void SorptionProgram::host_hessian(In x, double, In lambda, Out values) {
  const std::vector<double> ones(x.size(), 1.0);
  apply_curvature(grid_, x.data(), lambda.data(), ones.data(), values.data());
}

std::vector<Field> SorptionProgram::fields(const ConstVectorView& x, const ConstVectorView&) const {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), x);
  const int rows = grid_.steps + 1, nodes = grid_.size + 1;
  Field f;
  f.name = "concentration";
  f.description = "u at x_0, ..., x_size and t_0, ..., t_N";
  f.values = Vector("hard_constraint_experts::field", Partition(GlobalIndex{rows} * nodes));
  const auto all = Kokkos::create_mirror_view(Kokkos::HostSpace(), f.values.view());
  for (int n = 0; n < rows; ++n)
    for (int i = 0; i < nodes; ++i)
      all(static_cast<std::size_t>(n) * static_cast<std::size_t>(nodes) +
          static_cast<std::size_t>(i)) = grid_.value(host.data(), n, i);
  Kokkos::deep_copy(f.values.view(), all);
  f.shape = {rows, nodes};
  Grid grid;
  grid.dimension = 2;
  grid.cells = {nodes, rows, 1};
  grid.spacing = {grid_.width(), grid_.time_step(), 1.0};
  grid.origin = {-0.5 * grid_.width(), -0.5 * grid_.time_step(), 0.0};
  f.grid = grid;
  f.axis_names = "xt";
  return {f};
}

}  // namespace hard_constraint_experts
