#include "bicgstab.hpp"

#include <cmath>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/text.hpp>
#include <limits>

namespace krylov {

namespace {

/// p = r + beta (p - omega v).
struct DirectionBody {
  double beta, omega;
  const double* r;
  const double* v;
  double* p;
  KOKKOS_FUNCTION void operator()(Index i) const { p[i] = r[i] + beta * (p[i] - omega * v[i]); }
};

/// x += alpha p + omega s, r -= omega t; rr += r^2, rho += shadow r.
struct UpdateBody {
  double alpha, omega;
  const double* p;
  const double* s;
  const double* t;
  const double* shadow;
  double* x;
  double* r;
  KOKKOS_FUNCTION void operator()(Index i, double& rr, double& rho) const {
    // s is r itself without a preconditioner: read it before r is overwritten.
    x[i] += alpha * p[i] + omega * s[i];
    const double next = r[i] - omega * t[i];
    r[i] = next;
    rr += next * next;
    rho += shadow[i] * next;
  }
};

}  // namespace

Bicgstab::Bicgstab(const Options& options, const Context& context)
    : KrylovSolver("bicgstab", options, context) {}

void Bicgstab::allocate(const LinearSystem& system) {
  for (Vector* v : {&shadow_, &p_, &v_, &t_}) *v = system.x().like("krylov::bicgstab");
  for (Vector* v : {&p_hat_, &s_hat_})
    *v = preconditioner() != nullptr ? system.x().like("krylov::bicgstab::hat") : Vector();
}

double Bicgstab::work_bytes() const {
  return 8.0 * (4.0 * p_.local_size() + 2.0 * p_hat_.local_size());
}

Stop Bicgstab::iterate(Solve& s) {
  const Index n = p_.local_size();
  const ExecSpace& exec = default_space();
  constexpr double eps = std::numeric_limits<double>::epsilon();
  const auto at = [&s] { return " at iteration " + std::to_string(s.iterations + 1); };
  const auto breakdown = [&](const std::string& what) -> Stop {
    return {Status::breakdown, what + at() + ": the recurrence cannot go on; use gmres", true};
  };
  const auto not_finite = [&](const std::string& what) -> Stop {
    return {Status::non_finite,
            what + at() + ": the operator" +
                (s.M != nullptr ? " or the preconditioner '" + s.M_name + "'" : std::string()) +
                " returned NaN or infinity"};
  };
  const Vector& p_hat = s.M != nullptr ? p_hat_ : p_;
  const Vector& s_hat = s.M != nullptr ? s_hat_ : s.r;

  copy(s.r, shadow_);
  copy(s.r, p_);
  const double shadow_norm = s.residual_norm;
  double rho = s.residual_norm * s.residual_norm;
  for (;;) {
    // p^ = M p, v = A p^
    if (s.M != nullptr) s.precondition(p_, p_hat_);
    s.apply(p_hat, v_);
    const DotPair dots_v = dot2(v_, shadow_, v_);
    if (!std::isfinite(dots_v.xz))
      return not_finite("||A M p|| = " + short_number(std::sqrt(dots_v.xz)));
    if (std::abs(dots_v.xy) <= eps * shadow_norm * std::sqrt(dots_v.xz))
      return breakdown("r0^T A M p = " + short_number(dots_v.xy));
    const double alpha = rho / dots_v.xy;
    // s = r - alpha v, in place of r
    const double s_norm = std::sqrt(axpy_norm2_squared(-alpha, v_, s.r));
    if (s_norm <= s.target) {
      axpy(alpha, p_hat, s.x);
      if (auto stop = s.finish_iteration(s_norm)) return *stop;
      return {Status::converged};
    }
    // s^ = M s, t = A s^, omega = t^T s / t^T t
    if (s.M != nullptr) s.precondition(s.r, s_hat_);
    s.apply(s_hat, t_);
    const DotPair dots_t = dot2(t_, s.r, t_);
    if (!std::isfinite(dots_t.xz))
      return not_finite("||A M s|| = " + short_number(std::sqrt(dots_t.xz)));
    const double t_norm = std::sqrt(dots_t.xz);
    if (std::abs(dots_t.xy) <= eps * t_norm * s_norm) {
      axpy(alpha, p_hat, s.x);  // half a step is done
      if (auto stop = s.finish_iteration(s_norm)) return *stop;
      return breakdown("t^T s = " + short_number(dots_t.xy));
    }
    const double omega = dots_t.xy / dots_t.xz;
    // x += alpha p^ + omega s^, r = s - omega t
    const auto sums =
        reduce_rows<Sums<2>>(exec, "krylov::bicgstab::update", n,
                             UpdateBody{alpha, omega, p_hat.data(), s_hat.data(), t_.data(),
                                        shadow_.data(), s.x.data(), s.r.data()});
    double over_ranks[2] = {sums.value[0], sums.value[1]};
    s.x.communicator().sum(over_ranks);
    const double norm = std::sqrt(over_ranks[0]);
    if (auto stop = s.finish_iteration(norm)) return *stop;
    const double rho_new = over_ranks[1];
    if (std::abs(rho_new) <= eps * shadow_norm * norm)
      return breakdown("r0^T r = " + short_number(rho_new));
    // p = r + beta (p - omega v)
    const double beta = (rho_new / rho) * (alpha / omega);
    for_rows(exec, "krylov::bicgstab::direction", n,
             DirectionBody{beta, omega, s.r.data(), v_.data(), p_.data()});
    rho = rho_new;
  }
}

}  // namespace krylov
