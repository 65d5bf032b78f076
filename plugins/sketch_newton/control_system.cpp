#include "control_system.hpp"

#include <algorithm>
#include <cmath>

#include "krylov.hpp"

namespace sketch_newton {

namespace {

constexpr std::size_t coarsest_points = 7;
constexpr std::size_t restart = 5;
constexpr int most_restarts = 12;
/// Negative curvature of the state is raised to this part of its largest one.
constexpr double least_curvature = 1e-2;
/// Of one cycle and one product, a point of the finest level: two sweeps of 26, residual 16,
/// transfer 12, all levels 4/3; product 16.
constexpr double flops_of_cycle = 4.0 / 3.0 * (2 * 26 + 16 + 12) + 16;

/// f(i, j, k) for all points, rows in parallel; k = i + n j.
template <class F>
void for_points(std::size_t n, const F& f) {
  Kokkos::parallel_for(
      "sketch_newton::points",
      Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, static_cast<std::int64_t>(n)),
      [&](const std::int64_t row) {
        const auto j = static_cast<std::size_t>(row);
        for (std::size_t i = 0; i < n; ++i) f(i, j, i + n * j);
      });
}

/// Sum over the four neighbours; walls are zero.
double beside(const double* v, std::size_t i, std::size_t j, std::size_t k, std::size_t n) {
  return (i > 0 ? v[k - 1] : 0.0) + (i + 1 < n ? v[k + 1] : 0.0) + (j > 0 ? v[k - n] : 0.0) +
         (j + 1 < n ? v[k + n] : 0.0);
}

/// Full weighting of a fine grid's values at coarse point (i, j).
double weighted(const double* v, std::size_t i, std::size_t j, std::size_t n) {
  const std::size_t k = (2 * i + 1) + n * (2 * j + 1);
  return 0.25 * v[k] + 0.125 * (v[k - 1] + v[k + 1] + v[k - n] + v[k + n]) +
         0.0625 * (v[k - n - 1] + v[k - n + 1] + v[k + n - 1] + v[k + n + 1]);
}

/// Bilinear interpolation of a coarse grid's values at fine point (i, j).
double interpolated(const double* v, std::size_t i, std::size_t j, std::size_t n) {
  const auto at = [&](std::ptrdiff_t a, std::ptrdiff_t b) {
    const auto m = static_cast<std::ptrdiff_t>(n);
    return a < 0 || b < 0 || a >= m || b >= m ? 0.0 : v[static_cast<std::size_t>(a + m * b)];
  };
  const auto a = static_cast<std::ptrdiff_t>(i / 2), b = static_cast<std::ptrdiff_t>(j / 2);
  const bool between_i = i % 2 == 0, between_j = j % 2 == 0;
  if (between_i && between_j)
    return 0.25 * (at(a - 1, b - 1) + at(a, b - 1) + at(a - 1, b) + at(a, b));
  if (between_i) return 0.5 * (at(a - 1, b) + at(a, b));
  if (between_j) return 0.5 * (at(a, b - 1) + at(a, b));
  return at(a, b);
}

double mean(In v) {
  double s = 0.0;
  for (const double x : v) s += x;
  return s / static_cast<double>(v.size());
}

}  // namespace

bool ControlSystem::fits(const Form& form, const ControlStructure& structure) {
  const auto points = static_cast<std::size_t>(structure.grid().num_cells());
  if (structure.grid().dimension != 2 || structure.grid().cells[0] != structure.grid().cells[1] ||
      form.n != 2 * points || form.m != points)
    return false;
  for (std::size_t i = 0; i < form.n; ++i)
    if (form.has_lower(i) || form.has_upper(i)) return false;
  return true;
}

ControlSystem::ControlSystem(const Form& form, const ControlStructure& structure, double accuracy,
                             bool random_order, std::uint64_t seed)
    : hessian_pattern_(form.hessian_pattern),
      accuracy_(accuracy),
      random_order_(random_order),
      random_(seed, "sketch_newton::colours") {
  auto n = static_cast<std::size_t>(structure.grid().cells[0]);
  double h = structure.grid().spacing[0];
  for (;;) {
    Level level;
    level.n = n;
    level.beside = 1.0 / (h * h);
    for (Numbers* v : {&level.a, &level.d, &level.e, &level.y, &level.q, &level.f, &level.g})
      v->assign(n * n, 0.0);
    const bool is_last = n % 2 == 0 || n <= coarsest_points;
    if (!is_last)
      for (Numbers* v : {&level.r, &level.t}) v->assign(n * n, 0.0);
    levels_.push_back(std::move(level));
    if (is_last) break;
    n = (n - 1) / 2;
    h *= 2.0;
  }
  const std::size_t points = form.m;
  state_.resize(points);
  control_.resize(points);
  inverse_control_.resize(points);
  diagonal_.resize(points);
  for (std::size_t k = 0; k < form.jacobian_pattern.size(); ++k)
    if (form.jacobian_pattern.rows[k] == form.jacobian_pattern.columns[k])
      diagonal_[static_cast<std::size_t>(form.jacobian_pattern.rows[k])] = k;
  coarsest_ = sparse_factors();
}

void ControlSystem::set(In hessian, In jacobian, In d) {
  const std::size_t points = state_.size();
  for (std::size_t i = 0; i < points; ++i) {
    state_[i] = d[i];
    control_[i] = d[points + i];
    levels_[0].a[i] = jacobian[diagonal_[i]];
  }
  for (std::size_t k = 0; k < hessian.size(); ++k) {
    const auto i = static_cast<std::size_t>(hessian_pattern_.rows[k]);
    (i < points ? state_[i] : control_[i - points]) += hessian[k];
  }
}

bool ControlSystem::factor(double dw, double dc) {
  Level& finest = levels_[0];
  const std::size_t points = state_.size();
  const double top = *std::max_element(state_.begin(), state_.end()) + dw;
  if (!(top > 0.0)) return false;
  for (std::size_t i = 0; i < points; ++i) {
    finest.d[i] = std::max(state_[i] + dw, least_curvature * top);
    if (!(control_[i] + dw > 0.0)) return false;
    inverse_control_[i] = 1.0 / (control_[i] + dw);
  }
  dc_ = dc;
  s_ = std::sqrt(mean(finest.d) / mean(inverse_control_));
  for (std::size_t i = 0; i < points; ++i) finest.e[i] = s_ * s_ * (inverse_control_[i] + dc);
  for (std::size_t k = 1; k < levels_.size(); ++k) make_coarse(levels_[k - 1], levels_[k]);
  ++num_factorisations;
  coarsest_->stop = stop;
  if (!factor_coarsest()) return false;
  flops += coarsest_->flops();
  return true;
}

void ControlSystem::make_coarse(const Level& fine, Level& coarse) const {
  for_points(coarse.n, [&](std::size_t i, std::size_t j, std::size_t k) {
    coarse.d[k] = weighted(fine.d.data(), i, j, fine.n);
    coarse.e[k] = weighted(fine.e.data(), i, j, fine.n);
    // What the diagonal has beside that of the Laplacian is a coefficient of order zero.
    coarse.a[k] = weighted(fine.a.data(), i, j, fine.n) - 4.0 * fine.beside + 4.0 * coarse.beside;
  });
}

bool ControlSystem::factor_coarsest() {
  const Level& l = levels_.back();
  SymmetricEntries K;
  K.first.push_back(0);
  const std::size_t points = l.n * l.n;
  for (std::size_t column = 0; column < 2 * points; ++column) {
    const std::size_t k = column % points, i = k % l.n, j = k / l.n;
    const auto add = [&](std::size_t row, double value) {
      K.rows.push_back(static_cast<int>(row));
      K.values.push_back(value);
    };
    if (column < points) {
      add(k, l.d[k]);
      if (j > 0) add(points + k - l.n, -s_ * l.beside);
      if (i > 0) add(points + k - 1, -s_ * l.beside);
      add(points + k, s_ * l.a[k]);
      if (i + 1 < l.n) add(points + k + 1, -s_ * l.beside);
      if (j + 1 < l.n) add(points + k + l.n, -s_ * l.beside);
    } else {
      add(column, -l.e[k]);
    }
    K.first.push_back(static_cast<int>(K.rows.size()));
  }
  return coarsest_->factor(K);
}

/// Solves for (y, q) at all points of one colour, the others as they are.
void ControlSystem::relax(Level& l, std::size_t colour) {
  const std::size_t n = l.n;
  const double sb = s_ * l.beside;
  Kokkos::parallel_for(
      "sketch_newton::relax",
      Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>(0, static_cast<std::int64_t>(n)),
      [&](const std::int64_t row) {
        const auto j = static_cast<std::size_t>(row);
        for (std::size_t i = (j + colour) % 2; i < n; i += 2) {
          const std::size_t k = i + n * j;
          const double f = l.f[k] + sb * beside(l.q.data(), i, j, k, n);
          const double g = l.g[k] + sb * beside(l.y.data(), i, j, k, n);
          const double a = s_ * l.a[k], d = l.d[k], e = l.e[k], det = d * e + a * a;
          l.y[k] = (e * f + a * g) / det;
          l.q[k] = (a * f - d * g) / det;
        }
      });
}

void ControlSystem::smooth(Level& l, bool backwards) {
  for (std::size_t half = 0; half < 2; ++half) {
    std::size_t colour = backwards ? 1 - half : half;
    if (random_order_) colour = random_.uniform(drawn_++) < 0.5 ? 0 : 1;
    relax(l, colour);
  }
}

void ControlSystem::residual(Level& l) {
  for_points(l.n, [&](std::size_t i, std::size_t j, std::size_t k) {
    const double Aq = l.a[k] * l.q[k] - l.beside * beside(l.q.data(), i, j, k, l.n);
    const double Ay = l.a[k] * l.y[k] - l.beside * beside(l.y.data(), i, j, k, l.n);
    l.r[k] = l.f[k] - l.d[k] * l.y[k] - s_ * Aq;
    l.t[k] = l.g[k] - s_ * Ay + l.e[k] * l.q[k];
  });
}

/// V(1, 1) from zero.
void ControlSystem::cycle(std::size_t k) {
  Level& l = levels_[k];
  if (k + 1 == levels_.size()) {
    Numbers x(l.f);
    x.insert(x.end(), l.g.begin(), l.g.end());
    coarsest_->solve(x);
    std::copy_n(x.begin(), l.y.size(), l.y.begin());
    std::copy_n(x.begin() + static_cast<std::ptrdiff_t>(l.y.size()), l.q.size(), l.q.begin());
    return;
  }
  std::fill(l.y.begin(), l.y.end(), 0.0);
  std::fill(l.q.begin(), l.q.end(), 0.0);
  smooth(l, false);
  residual(l);
  Level& c = levels_[k + 1];
  for_points(c.n, [&](std::size_t i, std::size_t j, std::size_t p) {
    c.f[p] = weighted(l.r.data(), i, j, l.n);
    c.g[p] = weighted(l.t.data(), i, j, l.n);
  });
  cycle(k + 1);
  for_points(l.n, [&](std::size_t i, std::size_t j, std::size_t p) {
    l.y[p] += interpolated(c.y.data(), i, j, c.n);
    l.q[p] += interpolated(c.q.data(), i, j, c.n);
  });
  smooth(l, true);
}

void ControlSystem::multiply(In v, Out w) const {
  const Level& l = levels_[0];
  const std::size_t points = l.a.size();
  const double* y = v.data();
  const double* q = v.data() + points;
  for_points(l.n, [&](std::size_t i, std::size_t j, std::size_t k) {
    w[k] = l.d[k] * y[k] + s_ * (l.a[k] * q[k] - l.beside * beside(q, i, j, k, l.n));
    w[points + k] = s_ * (l.a[k] * y[k] - l.beside * beside(y, i, j, k, l.n)) - l.e[k] * q[k];
  });
}

double ControlSystem::solve(In b, Numbers& x) {
  const std::size_t points = state_.size();
  Numbers rhs(2 * points), v(2 * points, 0.0);
  for (std::size_t i = 0; i < points; ++i) {
    rhs[i] = b[i];
    rhs[points + i] = s_ * (b[2 * points + i] + inverse_control_[i] * b[points + i]);
  }
  double residual = 1.0;
  for (int k = 0; k < most_restarts && residual > accuracy_ && !(stop && stop()); ++k)
    residual = flexible_gmres(
        [this](In in, Out out) { multiply(in, out); },
        [&](In in, Out out) {
          Level& l = levels_[0];
          std::copy_n(in.begin(), points, l.f.begin());
          std::copy_n(in.begin() + static_cast<std::ptrdiff_t>(points), points, l.g.begin());
          cycle(0);
          ++cycles;
          ++num_solves;
          flops += flops_of_cycle * static_cast<double>(points);
          std::copy(l.y.begin(), l.y.end(), out.begin());
          std::copy(l.q.begin(), l.q.end(), out.begin() + static_cast<std::ptrdiff_t>(points));
        },
        rhs, v, 0.3 * accuracy_, restart, stop);
  x.resize(3 * points);
  for (std::size_t i = 0; i < points; ++i) {
    const double lambda = s_ * v[points + i];
    x[i] = v[i];
    x[points + i] = inverse_control_[i] * (b[points + i] + lambda);
    x[2 * points + i] = lambda;
  }
  return residual;
}

}  // namespace sketch_newton
