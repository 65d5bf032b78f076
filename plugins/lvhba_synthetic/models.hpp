#pragma once

#include <libsolve/core/types.hpp>

/// One element of the problems A and B (see README.md): v = (x, y1, y2), coupled by
/// sum_e x + y1 + y2 = 0. Both have f = y1^2 / 2 - x y1 + y2, merely convex in y.
namespace lvhba_synthetic {

struct CommonLower {
  static constexpr int nx = 1, ny = 2;
  template <class T>
  KOKKOS_FUNCTION static T lower(const T* v) {
    return 0.5 * v[1] * v[1] - v[0] * v[1] + v[2];
  }
  KOKKOS_FUNCTION static void lower_gradient(const double* v, double* g) {
    g[0] = -v[1];
    g[1] = v[1] - v[0];
    g[2] = 1.0;
  }
  KOKKOS_FUNCTION static double row(int) { return 1.0; }
};

/// F = (x - y2)^2 / 2 + (y1 - 1)^2 / 2; solution x = -0.3, y = (0.7, -0.4), F = 0.05 an element.
struct ProblemA : CommonLower {
  template <class T>
  KOKKOS_FUNCTION static T upper(const T* v) {
    const T a = v[0] - v[2], b = v[1] - 1.0;
    return 0.5 * a * a + 0.5 * b * b;
  }
  KOKKOS_FUNCTION static void upper_gradient(const double* v, double* g) {
    g[0] = v[0] - v[2];
    g[1] = v[1] - 1.0;
    g[2] = v[2] - v[0];
  }
  static constexpr double solution[3] = {-0.3, 0.7, -0.4};
};

/// F = (y1 - 2) (x - 1) + (y2 + 3)^2; solution x = 1, y = (2, -3), F = 0.
struct ProblemB : CommonLower {
  template <class T>
  KOKKOS_FUNCTION static T upper(const T* v) {
    const T c = v[2] + 3.0;
    return (v[1] - 2.0) * (v[0] - 1.0) + c * c;
  }
  KOKKOS_FUNCTION static void upper_gradient(const double* v, double* g) {
    g[0] = v[1] - 2.0;
    g[1] = v[0] - 1.0;
    g[2] = 2.0 * (v[2] + 3.0);
  }
  static constexpr double solution[3] = {1.0, 2.0, -3.0};
};

}  // namespace lvhba_synthetic
