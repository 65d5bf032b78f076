#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <libsolve/core/random.hpp>
#include <libsolve/plugin/registry.hpp>
#include <libsolve/transport/dense_cost.hpp>
#include <libsolve/transport/transport_solver.hpp>
#include <limits>
#include <numeric>
#include <vector>

extern "C" void libsolve_plugin_register(libsolve::Registrar& registrar);

namespace sparse_transport_test {

using namespace libsolve;

using Numbers = std::vector<double>;
using Matrix = std::vector<Numbers>;

inline Vector to_vector(const Numbers& values) {
  Vector v("values", Partition(static_cast<GlobalIndex>(values.size())));
  Kokkos::deep_copy(v.view(), Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  return v;
}

inline Numbers values_of(const Vector& v) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v.view());
  return {host.data(), host.data() + host.extent(0)};
}

/// An instance in plain numbers, for checks that go through none of libsolve's passes.
struct Instance {
  Matrix C;
  Numbers a, b;
  double regularization = 1e-3;
  std::size_t n() const { return a.size(); }
  std::size_t m() const { return b.size(); }
  std::unique_ptr<TransportProblem> problem() const {
    const DenseBlock block("cost", n(), m());
    const auto host = Kokkos::create_mirror_view(block);
    for (std::size_t i = 0; i < n(); ++i)
      for (std::size_t j = 0; j < m(); ++j) host(i, j) = C[i][j];
    Kokkos::deep_copy(block, host);
    return std::make_unique<TransportProblem>(make_dense_cost(block), to_vector(a), to_vector(b),
                                              regularization);
  }
};

inline Numbers equal_masses(std::size_t n) { return Numbers(n, 1.0 / static_cast<double>(n)); }

/// Between 10^-decades and 1, of total 1.
inline Numbers random_masses(std::size_t n, double decades, std::uint64_t seed) {
  const RandomStream random(seed, "masses");
  Numbers a(n);
  for (std::size_t i = 0; i < n; ++i) a[i] = std::pow(10.0, -decades * random.uniform(i));
  const double total = std::accumulate(a.begin(), a.end(), 0.0);
  for (double& x : a) x /= total;
  return a;
}

/// C uniform on [0, 1), or whole numbers 0 .. levels - 1 with many ties.
inline Matrix random_cost(std::size_t n, std::size_t m, std::uint64_t seed, int levels = 0) {
  const RandomStream random(seed, "cost");
  Matrix C(n, Numbers(m));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < m; ++j) {
      C[i][j] = random.uniform(i * m + j);
      if (levels > 0) C[i][j] = std::floor(C[i][j] * levels);
    }
  return C;
}

/// |x_i - y_j|^2 of random points in the unit square.
inline Matrix cloud_cost(std::size_t n, std::size_t m, std::uint64_t seed) {
  const RandomStream x(seed, "x"), y(seed, "y");
  Matrix C(n, Numbers(m));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < m; ++j) {
      const double s = x.uniform(2 * i) - y.uniform(2 * j);
      const double t = x.uniform(2 * i + 1) - y.uniform(2 * j + 1);
      C[i][j] = s * s + t * t;
    }
  return C;
}

/// The plan as the problem stores it, in full.
inline Matrix plan_of(const TransportProblem& problem) {
  const SparseEntries& plan = problem.plan().value();
  const auto first = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), plan.row_pointers);
  const auto columns = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), plan.columns);
  const auto values = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), plan.values);
  Matrix P(first.extent(0) - 1, Numbers(static_cast<std::size_t>(problem.cost().num_columns()), 0.0));
  for (std::size_t i = 0; i < P.size(); ++i)
    for (GlobalIndex k = first(i); k < first(i + 1); ++k) P[i][columns(k)] += values(k);
  return P;
}

inline double cost_of(const Matrix& P, const Matrix& C) {
  double total = 0.0;
  for (std::size_t i = 0; i < P.size(); ++i)
    total += std::inner_product(P[i].begin(), P[i].end(), C[i].begin(), 0.0);
  return total;
}

inline double violation_of(const Matrix& P, const Instance& p) {
  double violation = 0.0;
  Numbers columns(p.m(), 0.0);
  for (std::size_t i = 0; i < p.n(); ++i) {
    violation += std::abs(std::accumulate(P[i].begin(), P[i].end(), 0.0) - p.a[i]);
    for (std::size_t j = 0; j < p.m(); ++j) columns[j] += P[i][j];
  }
  for (std::size_t j = 0; j < p.m(); ++j) violation += std::abs(columns[j] - p.b[j]);
  return violation;
}

/// Optimum by successive shortest paths (Bellman-Ford on the residual graph): slow, and nothing of
/// what is tested.
inline double shortest_path_optimum(const Instance& p) {
  const std::size_t n = p.n(), m = p.m();
  Matrix P(n, Numbers(m, 0.0));
  Numbers a = p.a, b = p.b;
  const double infinity = std::numeric_limits<double>::infinity();
  for (;;) {
    Numbers to_row(n, infinity), to_column(m, infinity);
    std::vector<std::size_t> column_before(n, m), row_before(m, n);
    for (std::size_t i = 0; i < n; ++i)
      if (a[i] > 1e-15) to_row[i] = 0.0;
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j < m; ++j) {
          if (to_row[i] + p.C[i][j] < to_column[j] - 1e-13) {
            to_column[j] = to_row[i] + p.C[i][j];
            row_before[j] = i;
            changed = true;
          }
          if (P[i][j] > 0.0 && to_column[j] - p.C[i][j] < to_row[i] - 1e-13) {
            to_row[i] = to_column[j] - p.C[i][j];
            column_before[i] = j;
            changed = true;
          }
        }
    }
    std::size_t end = m;
    for (std::size_t j = 0; j < m; ++j)
      if (b[j] > 1e-15 && to_column[j] < infinity && (end == m || to_column[j] < to_column[end])) end = j;
    if (end == m) break;
    double step = b[end];
    std::size_t i = row_before[end];
    for (std::size_t j = end;;) {
      i = row_before[j];
      j = column_before[i];
      if (j == m) break;
      step = std::min(step, P[i][j]);
    }
    step = std::min(step, a[i]);
    b[end] -= step;
    for (std::size_t j = end;;) {
      i = row_before[j];
      P[i][j] += step;
      j = column_before[i];
      if (j == m) break;
      P[i][j] -= step;
    }
    a[i] -= step;
  }
  return cost_of(P, p.C);
}

/// The plugin's own methods, by name and options.
inline std::unique_ptr<TransportSolver> make_method(const std::string& name, Value options = {}) {
  static Registry* const registry = [] {
    auto* made = new Registry;  // plugins stay to the end of the process
    Registrar registrar(*made, "test", "0");
    libsolve_plugin_register(registrar);
    return made;
  }();
  Context context;
  context.registry = registry;
  ComponentSpec spec(name);
  spec.options = std::move(options);
  return context.make<TransportSolver>(spec);
}

inline Value options(std::initializer_list<std::pair<const char*, Value>> entries) {
  Value table;
  for (const auto& [key, value] : entries) table.set(key, value);
  return table;
}

}  // namespace sparse_transport_test
