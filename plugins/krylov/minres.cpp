#include "minres.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/text.hpp>
#include <limits>

namespace krylov {

namespace {

/// v_old = q / gamma - (delta / gamma) v - (gamma / gamma_old) v_old; s += v_old^2.
struct LanczosBody {
  double over_gamma, delta_over_gamma, gamma_over_old;
  const double* q;
  const double* v;
  double* v_old;
  KOKKOS_FUNCTION void operator()(Index i, double& s) const {
    const double next = over_gamma * q[i] - delta_over_gamma * v[i] - gamma_over_old * v_old[i];
    v_old[i] = next;
    s += next * next;
  }
};

/// w_old = a z + b w + c w_old, x += tau w_old.
struct UpdateBody {
  double a, b, c, tau;
  const double* z;
  const double* w;
  double* w_old;
  double* x;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double next = a * z[i] + b * w[i] + c * w_old[i];
    w_old[i] = next;
    x[i] += tau * next;
  }
};

/// r = a r + b v; s += r^2.
struct ResidualBody {
  double a, b;
  const double* v;
  double* r;
  KOKKOS_FUNCTION void operator()(Index i, double& s) const {
    const double next = a * r[i] + b * v[i];
    r[i] = next;
    s += next * next;
  }
};

}  // namespace

Minres::Minres(const Options& options, const Context& context)
    : KrylovSolver("minres", options, context) {}

std::optional<Stop> Minres::check(const LinearSystem& system) const {
  const Preconditioner* M = preconditioner();
  if (M != nullptr && !(M->is_linear() && M->is_symmetric()))
    throw Unsupported("minres needs a symmetric positive definite preconditioner, and '" +
                      preconditioner_name() + "' is not " +
                      (M->is_linear() ? "symmetric" : "linear") +
                      "; use another one, or gmres, which takes any");
  return KrylovSolver::check(system);
}

void Minres::allocate(const LinearSystem& system) {
  for (Vector* v : {&v_, &v_old_, &w_, &w_old_, &q_}) *v = system.x().like("krylov::minres");
  for (Vector* v : {&z_, &z_new_})
    *v = preconditioner() != nullptr ? system.x().like("krylov::minres::z") : Vector();
}

double Minres::work_bytes() const {
  return 8.0 * (5.0 * v_.local_size() + 2.0 * z_.local_size());
}

Stop Minres::iterate(Solve& s) {
  const Index n = v_.local_size();
  const ExecSpace& exec = default_space();
  const auto at = [&s] { return " at iteration " + std::to_string(s.iterations + 1); };
  constexpr double eps = std::numeric_limits<double>::epsilon();
  const bool has_M = s.M != nullptr;

  // gamma^2 = v^T M v, or what is wrong with it.
  const auto bad_gamma = [&](double gamma_squared) -> Stop {
    const std::string what = "r^T M r = " + short_number(gamma_squared) + at();
    if (!std::isfinite(gamma_squared))
      return {Status::non_finite, what + ": the operator or the preconditioner '" + s.M_name +
                                      "' returned NaN or infinity"};
    return {Status::breakdown, what + ": the preconditioner '" + s.M_name +
                                   "' is not positive definite; use another one, or gmres"};
  };

  copy(s.r, v_);
  fill(v_old_, 0.0);
  fill(w_, 0.0);
  fill(w_old_, 0.0);
  double gamma_squared =
      has_M ? s.precondition_with_dots(v_, z_, nullptr).xy : s.residual_norm * s.residual_norm;
  if (!(gamma_squared > 0.0) || !std::isfinite(gamma_squared)) return bad_gamma(gamma_squared);
  double gamma = std::sqrt(gamma_squared);
  double gamma_old = 1.0;
  double eta = gamma;
  double c = 1.0, c_old = 1.0, sine = 0.0, sine_old = 0.0;
  double frobenius_squared = 0.0;  // of the tridiagonal matrix so far, an estimate of ||A||

  for (bool first = true;; first = false) {
    const Vector& z = has_M ? z_ : v_;
    // delta = z^T A z / gamma^2
    const double zq = s.apply_dot(z, q_);
    if (!std::isfinite(zq))
      return {Status::non_finite,
              "z^T A z = " + short_number(zq) + at() + ": the operator returned NaN or infinity"};
    const double delta = zq / (gamma * gamma);
    // v_new = A z / gamma - (delta / gamma) v - (gamma / gamma_old) v_old
    const double vv = s.x.communicator().sum(
        reduce_rows<Sums<1>>(exec, "krylov::minres::lanczos", n,
                             LanczosBody{1.0 / gamma, delta / gamma, gamma / gamma_old, q_.data(),
                                         v_.data(), v_old_.data()})
            .value[0]);
    std::swap(v_, v_old_);
    gamma_squared = vv;
    if (has_M && vv > 0.0) gamma_squared = s.precondition_with_dots(v_, z_new_, nullptr).xy;
    if (!(gamma_squared >= 0.0) || !std::isfinite(gamma_squared)) return bad_gamma(gamma_squared);
    frobenius_squared += delta * delta + gamma_squared + (first ? 0.0 : gamma * gamma);
    double gamma_new = std::sqrt(gamma_squared);
    // Lanczos has found an invariant subspace: what is left of v is rounding.
    if (gamma_new <= eps * std::sqrt(frobenius_squared)) gamma_new = 0.0;

    const double a0 = c * delta - c_old * sine * gamma;
    const double a1 = std::hypot(a0, gamma_new);
    const double a2 = sine * delta + c_old * c * gamma;
    const double a3 = sine_old * gamma;
    // ||A r|| / ||r|| in the M-norms, of the residual before this step (Choi, Paige, Saunders 2011)
    const double root = std::hypot(a0, c * gamma_new);
    if (a1 == 0.0 || root <= 10.0 * eps * std::sqrt(frobenius_squared))
      return {Status::stagnated,
              "||A r|| / (||A|| ||r||) = " + short_number(root / std::sqrt(frobenius_squared)) +
                  at() +
                  ": x minimises the residual of a singular system whose right-hand side is not in "
                  "the range of A"};
    c_old = c;
    c = a0 / a1;
    sine_old = sine;
    sine = gamma_new / a1;
    // w_new = (z / gamma - a3 w_old - a2 w) / a1, x += c eta w_new
    const Vector& z_now = has_M ? z_ : v_old_;  // v_old_ holds v after the swap
    for_rows(exec, "krylov::minres::update", n,
             UpdateBody{1.0 / (gamma * a1), -a2 / a1, -a3 / a1, c * eta, z_now.data(), w_.data(),
                        w_old_.data(), s.x.data()});
    std::swap(w_, w_old_);
    eta = -sine * eta;
    // r = s^2 r + (c eta / gamma_new) v_new
    double norm = std::abs(eta);
    if (has_M) {
      const double b = gamma_new > 0.0 ? c * eta / gamma_new : 0.0;
      norm = std::sqrt(s.x.communicator().sum(
          reduce_rows<Sums<1>>(exec, "krylov::minres::residual", n,
                               ResidualBody{sine * sine, b, v_.data(), s.r.data()})
              .value[0]));
      std::swap(z_, z_new_);
    }
    gamma_old = gamma;
    gamma = gamma_new;
    if (auto stop = s.finish_iteration(norm)) return *stop;
    if (gamma == 0.0) return {Status::converged};  // to be verified
  }
}

}  // namespace krylov
