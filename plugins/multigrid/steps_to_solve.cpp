#include "steps_to_solve.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/vector_kernels.hpp>

namespace multigrid {

using libsolve::Vector;

double steps_to_solve(const libsolve::LinearSystem& s, Multigrid& M, int most) {
  constexpr double tolerance = 1e-8;
  const Vector r = s.b().like("multigrid::r"), z = s.b().like("multigrid::z");
  const Vector p = s.b().like("multigrid::p"), q = s.b().like("multigrid::q");
  libsolve::copy(s.b(), r);
  const double first = libsolve::norm2(r);
  double rho = 0.0, alpha = 0.0, before = 1.0;
  for (int step = 1; step <= most; ++step) {
    const libsolve::DotPair d = M.apply_with_dots(r, z, step > 1 ? &q : nullptr);
    if (!(d.xy > 0)) return most;
    // beta = z^T (r - r_old) / rho, r - r_old = -alpha q
    if (step == 1)
      libsolve::copy(z, p);
    else
      libsolve::axpby(1.0, z, -alpha * d.xz / rho, p);
    rho = d.xy;
    const double curvature = s.A().apply_dot(p, q);
    if (!(curvature > 0)) return most;
    alpha = libsolve::dot(p, r) / curvature;
    libsolve::axpy(-alpha, q, r);
    const double now = libsolve::norm2(r) / first;
    if (!std::isfinite(now)) return most;
    if (now <= tolerance)
      return step - 1 + std::log(before / tolerance) / std::log(before / std::max(now, 1e-30));
    before = now;
  }
  return most;
}

}  // namespace multigrid
