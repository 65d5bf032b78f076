/// \file
/// Problems that are hard for multigrid, and a solver that trusts nothing: flexible CG in double
/// around the cycle, the true residual recomputed.
#pragma once

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "cycle.hpp"
#include "level.hpp"

namespace multigrid::test {

using Numbers = std::vector<double>;

/// (A u)_c = sum over faces T_f (u_c - u_neighbour) + e_c u_c on cells i + nx (j + ny k).
struct Problem {
  std::array<int, 3> n;
  std::array<Numbers, 3> face;
  Numbers excess;

  [[nodiscard]] int size() const { return n[0] * n[1] * n[2]; }
  [[nodiscard]] Numbers apply(const Numbers& u) const {
    Numbers y(u.size());
    const int step[3] = {1, n[0], n[0] * n[1]};
    for (int c = 0; c < size(); ++c) y[c] = excess[c] * u[c];
    for (int d = 0; d < 3; ++d)
      for (int c = 0; c + step[d] < size(); ++c) {
        const double flux = face[d][c] * (u[c] - u[c + step[d]]);
        y[c] += flux;
        y[c + step[d]] -= flux;
      }
    return y;
  }
};

struct Setting {
  std::array<int, 3> n;
  Numbers coefficient;                  // of each cell; empty: 1
  std::vector<char> solid;              // empty: none
  bool dirichlet_domain = true;         // else Neumann
  bool dirichlet_solids = true;         // else Neumann
  std::array<double, 3> axis{1, 1, 1};  // factor of the couplings along each axis
  double shift = 0;
};

/// Harmonic means on faces, walls at half a cell; solid cells are identity rows.
inline Problem make_problem(const Setting& s) {
  Problem p;
  p.n = s.n;
  for (auto& f : p.face) f.assign(p.size(), 0.0);
  p.excess.assign(p.size(), s.shift);
  const auto solid = [&](int c) { return !s.solid.empty() && s.solid[c]; };
  const auto k = [&](int c) { return s.coefficient.empty() ? 1.0 : s.coefficient[c]; };
  const int step[3] = {1, s.n[0], s.n[0] * s.n[1]};
  for (int c = 0; c < p.size(); ++c) {
    if (solid(c)) {
      p.excess[c] = 1;
      continue;
    }
    const int at[3] = {c % s.n[0], c / s.n[0] % s.n[1], c / s.n[0] / s.n[1]};
    for (int d = 0; d < 3; ++d) {
      if (s.n[d] == 1) continue;
      for (int side = -1; side <= 1; side += 2) {
        const bool inside = at[d] + side >= 0 && at[d] + side < s.n[d];
        const int beside = c + side * step[d];
        if (!inside || solid(beside)) {
          if (inside ? s.dirichlet_solids : s.dirichlet_domain) p.excess[c] += 2 * s.axis[d] * k(c);
        } else if (side > 0) {
          p.face[d][c] = s.axis[d] * 2 / (1 / k(c) + 1 / k(beside));
        }
      }
    }
  }
  return p;
}

/// 10^(6 u) on blocks^3 blocks, u uniform.
inline Numbers block_jumps(const std::array<int, 3>& n, unsigned seed, int blocks = 8) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  Numbers block(blocks * blocks * blocks);
  for (double& b : block) b = std::pow(10, 6 * uniform(random));
  Numbers k;
  for (int z = 0; z < n[2]; ++z)
    for (int y = 0; y < n[1]; ++y)
      for (int x = 0; x < n[0]; ++x)
        k.push_back(
            block[blocks * x / n[0] + blocks * (blocks * y / n[1] + blocks * (blocks * z / n[2]))]);
  return k;
}

enum class Shapes { spheres, boxes, pierced_boxes };

/// About 30 % solid. Pierced boxes: thick, each with channels one or two cells wide all through it.
inline std::vector<char> solids(const std::array<int, 3>& n, Shapes shapes, unsigned seed) {
  std::mt19937_64 random(seed);
  const auto uniform = [&] { return std::uniform_real_distribution<double>(0, 1)(random); };
  std::vector<char> m(std::size_t(n[0]) * n[1] * n[2], 0);
  const int axes = n[2] > 1 ? 3 : 2;
  const int longest = std::max({n[0], n[1], n[2]});
  const auto fill = [&](const int(&lo)[3], const int(&hi)[3], char value) {
    for (int k = lo[2]; k <= hi[2]; ++k)
      for (int j = lo[1]; j <= hi[1]; ++j)
        for (int i = lo[0]; i <= hi[0]; ++i) m[i + n[0] * (j + n[1] * k)] = value;
  };
  while (std::count(m.begin(), m.end(), 1) < 0.3 * double(m.size())) {
    double center[3];
    int lo[3], hi[3];
    for (int d = 0; d < 3; ++d) {
      center[d] = uniform() * n[d];
      const double half = longest * (shapes == Shapes::pierced_boxes ? 0.08 + 0.09 * uniform()
                                                                     : 0.06 + 0.09 * uniform());
      lo[d] = std::max(0, int(center[d] - half));
      hi[d] = std::min(n[d] - 1, int(center[d] + half));
    }
    if (shapes == Shapes::spheres) {
      const double r = 0.5 * (hi[0] - lo[0]);
      for (int k = lo[2]; k <= hi[2]; ++k)
        for (int j = lo[1]; j <= hi[1]; ++j)
          for (int i = lo[0]; i <= hi[0]; ++i)
            if (std::hypot(i - center[0], j - center[1], axes == 3 ? k - center[2] : 0.0) < r)
              m[i + n[0] * (j + n[1] * k)] = 1;
      continue;
    }
    fill(lo, hi, 1);
    if (shapes == Shapes::boxes) continue;
    const int channels = 2 + int(uniform() * 5);
    for (int q = 0; q < channels; ++q) {
      const int along = int(uniform() * axes);
      const int width = 1 + int(uniform() * 2);
      int from[3], to[3];
      for (int d = 0; d < 3; ++d) {
        from[d] = d == along ? lo[d] : lo[d] + int(uniform() * (hi[d] - lo[d] + 1));
        to[d] = d == along ? hi[d] : std::min(hi[d], from[d] + width - 1);
      }
      fill(from, to, 0);
    }
  }
  return m;
}

template <class Real>
LevelOperator<Real> level_operator(const Problem& p) {
  LevelOperator<Real> op;
  op.shape = {p.n};
  op.is_constant = false;
  const auto view = [](const Numbers& v) {
    Kokkos::View<Real*, Kokkos::HostSpace> host("test", v.size());
    for (std::size_t i = 0; i < v.size(); ++i) host(i) = Real(v[i]);
    return Kokkos::create_mirror_view_and_copy(MemSpace(), host);
  };
  for (int d = 0; d < 3; ++d) op.face[d] = view(p.face[d]);
  op.wall = view(p.excess);
  return op;
}

inline double dot(const Numbers& a, const Numbers& b) {
  double s = 0;
  for (std::size_t i = 0; i < a.size(); ++i) s += a[i] * b[i];
  return s;
}

/// Uniform in [-1, 1], 0 in uncoupled cells; of mean 0 in every connected part without excess.
inline Numbers random_rhs(const Problem& p, unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  Numbers b(p.size());
  for (double& v : b) v = uniform(random);
  std::vector<char> seen(p.size(), 0);
  const int step[3] = {1, p.n[0], p.n[0] * p.n[1]};
  for (int first = 0; first < p.size(); ++first) {
    if (seen[first]) continue;
    std::vector<int> part{first};
    seen[first] = 1;
    double sum = 0, excess = 0;
    for (std::size_t q = 0; q < part.size(); ++q) {
      const int c = part[q];
      sum += b[c];
      excess += p.excess[c];
      for (int d = 0; d < 3; ++d) {
        if (c + step[d] < p.size() && p.face[d][c] > 0 && !seen[c + step[d]]) {
          seen[c + step[d]] = 1;
          part.push_back(c + step[d]);
        }
        if (c >= step[d] && p.face[d][c - step[d]] > 0 && !seen[c - step[d]]) {
          seen[c - step[d]] = 1;
          part.push_back(c - step[d]);
        }
      }
    }
    for (const int c : part) {
      if (part.size() == 1)
        b[c] = 0;
      else if (excess == 0)
        b[c] -= sum / double(part.size());
    }
  }
  return b;
}

/// z = M r, one cycle.
template <class Real>
Numbers cycle(Hierarchy<Real>& hierarchy, CycleKind kind, const Numbers& r) {
  const Kokkos::View<const double*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged> host(r.data(),
                                                                                     r.size());
  Kokkos::View<double*, MemSpace> rhs("test", r.size()), z("test", r.size());
  Kokkos::deep_copy(rhs, host);
  double largest = 1e-300;
  for (const double v : r) largest = std::max(largest, std::abs(v));
  Rhs<Real> from{{}, rhs, 1 / largest};
  Result<Real> to;
  to.outer = z;
  to.scale = largest;
  hierarchy.cycle(kind, from, to);
  const auto out = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), z);
  return Numbers(out.data(), out.data() + out.size());
}

/// Steps of flexible CG to a true relative residual of 1e-8; limit + 1 where that is not reached.
template <class Real>
int steps_to_solve(const Problem& p, Hierarchy<Real>& hierarchy, int limit = 60,
                   CycleKind kind = CycleKind::w) {
  const Numbers b = random_rhs(p, 7);
  Numbers x(b.size(), 0.0), r = b, d(b.size(), 0.0), q;
  double rho = 0, alpha = 0;
  for (int step = 1; step <= limit; ++step) {
    const Numbers z = cycle(hierarchy, kind, r);
    const double beta = step > 1 ? -alpha * dot(z, q) / rho : 0;
    rho = dot(r, z);
    for (std::size_t i = 0; i < d.size(); ++i) d[i] = z[i] + beta * d[i];
    q = p.apply(d);
    alpha = dot(d, r) / dot(d, q);
    for (std::size_t i = 0; i < d.size(); ++i) {
      x[i] += alpha * d[i];
      r[i] -= alpha * q[i];
    }
    if (dot(r, r) > 1e-16 * dot(b, b)) continue;
    Numbers residual = p.apply(x);
    for (std::size_t i = 0; i < d.size(); ++i) residual[i] = b[i] - residual[i];
    if (dot(residual, residual) <= 1.02e-16 * dot(b, b)) return step;
  }
  return limit + 1;
}

}  // namespace multigrid::test
