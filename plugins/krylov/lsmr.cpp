#include "lsmr.hpp"

#include <cmath>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/text.hpp>

namespace krylov {

namespace {

/// v = a product + b v; s += v^2.
struct BidiagonalBody {
  double a, b;
  const double* product;
  double* v;
  KOKKOS_FUNCTION void operator()(Index i, double& s) const {
    const double next = a * product[i] + b * v[i];
    v[i] = next;
    s += next * next;
  }
};

/// hbar = h + a hbar, x += b hbar, h = c v + d h.
struct UpdateBody {
  double a, b, c, d;
  const double* v;
  double* h;
  double* hbar;
  double* x;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double next = h[i] + a * hbar[i];
    hbar[i] = next;
    x[i] += b * next;
    h[i] = c * v[i] + d * h[i];
  }
};

/// v = a product + b v; returns ||v||.
double bidiagonal_step(double a, const Vector& product, double b, const Vector& v) {
  const auto sums =
      reduce_rows<Sums<1>>(default_space(), "krylov::lsmr::bidiagonal", v.local_size(),
                           BidiagonalBody{a, b, product.data(), v.data()});
  return std::sqrt(v.communicator().sum(sums.value[0]));
}

KrylovOptions common(const LsmrOptions& options) {
  KrylovOptions k;
  k.stopping = options.stopping;
  return k;
}

struct Rotation {
  double c, s, r;
  Rotation(double a, double b) : c(1.0), s(0.0), r(std::hypot(a, b)) {
    if (r > 0.0) {
      c = a / r;
      s = b / r;
    }
  }
};

}  // namespace

Lsmr::Lsmr(const Options& options, const Context& context)
    : KrylovSolver("lsmr", common(options), context), damping_(options.damping) {}

std::optional<Stop> Lsmr::check(const LinearSystem&) const {
  return std::nullopt;
}

void Lsmr::allocate(const LinearSystem& system) {
  for (Vector* v : {&u_, &Av_}) *v = system.b().like("krylov::lsmr::rows");
  for (Vector* v : {&v_, &Atu_, &h_, &hbar_}) *v = system.x().like("krylov::lsmr::columns");
}

double Lsmr::work_bytes() const {
  return 8.0 * (2.0 * u_.local_size() + 4.0 * v_.local_size());
}

void Lsmr::begin(Solve& s) {
  A_norm_ = 0.0;
  if (damping_ == 0.0 || norm_max(s.x) == 0.0) return;
  fill(s.x, 0.0);
  s.notes.push_back("with damping lsmr starts from x = 0: the initial guess was not used");
}

bool Lsmr::is_solved(Solve& s, double residual_norm, std::vector<Measure>& measures) {
  // g = A^T r - damping^2 x
  s.apply_adjoint(s.r, Atu_);
  if (damping_ > 0.0) axpy(-damping_ * damping_, s.x, Atu_);
  const double gradient = norm2(Atu_);
  const double damped_norm =
      damping_ > 0.0 ? std::hypot(residual_norm, damping_ * norm2(s.x)) : residual_norm;
  measures = {{"normal_residual", gradient, ""}};
  if (damped_norm <= s.tolerance) return true;
  // Before the first step nothing is known of ||A|| but ||A^T r|| / ||r|| <= ||A||.
  if (A_norm_ == 0.0) return gradient == 0.0;
  measures.push_back({"relative_normal_residual", gradient / (A_norm_ * damped_norm), ""});
  return gradient <= stopping().relative_tolerance * A_norm_ * damped_norm;
}

Stop Lsmr::iterate(Solve& s) {
  const auto at = [&s] { return " at iteration " + std::to_string(s.iterations + 1); };
  const double relative_tolerance = stopping().relative_tolerance;

  if (damping_ > 0.0 && s.iterations > 0)
    return {Status::stagnated,
            "the recurrence and the recomputed gradient disagree after " +
                std::to_string(s.iterations) +
                " iterations: rounding allows no more; relax relative_tolerance"};
  // beta u = r, alpha v = A^T u
  copy(s.r, u_);
  double beta = s.residual_norm;
  s.apply_adjoint(u_, Atu_);
  fill(v_, 0.0);
  double alpha = bidiagonal_step(1.0 / beta, Atu_, 0.0, v_);
  if (!std::isfinite(alpha))
    return {Status::non_finite, "||A^T r|| = " + short_number(alpha * beta) + at() +
                                    ": the operator returned NaN or infinity"};
  if (alpha == 0.0) return {Status::converged};
  // u_ and v_ stay unnormalised: u = u_ / u_length, v = v_ / v_length.
  double u_length = beta;
  double v_length = alpha;
  linear_combination(1.0 / v_length, v_, 0.0, v_, h_);
  fill(hbar_, 0.0);

  double zetabar = alpha * beta;
  double alphabar = alpha;
  double rho = 1.0, rhobar = 1.0, cbar = 1.0, sbar = 0.0;
  // For the estimate of ||r|| (Fong and Saunders, section 5.2).
  double betadd = beta, betad = 0.0, rhod_old = 1.0, tautilde_old = 0.0, thetatilde = 0.0;
  double zeta = 0.0, d = 0.0;
  double frobenius_squared = alpha * alpha;

  for (;;) {
    // beta u = A v - alpha u
    s.apply(v_, Av_);
    beta = bidiagonal_step(1.0 / v_length, Av_, -alpha / u_length, u_);
    u_length = beta;
    frobenius_squared += beta * beta + damping_ * damping_;
    A_norm_ = std::sqrt(frobenius_squared);
    // alpha v = A^T u - beta v
    if (beta > 0.0) {
      s.apply_adjoint(u_, Atu_);
      alpha = bidiagonal_step(1.0 / beta, Atu_, -beta / v_length, v_);
      v_length = alpha;
    } else {
      alpha = 0.0;
    }
    if (!std::isfinite(alpha) || !std::isfinite(beta))
      return {Status::non_finite, "the bidiagonalisation gave " +
                                      short_number(std::isfinite(beta) ? alpha : beta) + at() +
                                      ": the operator returned NaN or infinity"};
    frobenius_squared += alpha * alpha;

    // Rotations: damping row, then the two of the bidiagonal matrix.
    const Rotation hat(alphabar, damping_);
    const double rho_old = rho;
    const Rotation first(hat.r, beta);
    rho = first.r;
    const double theta_new = first.s * alpha;
    alphabar = first.c * alpha;
    const double rhobar_old = rhobar;
    const double zeta_old = zeta;
    const double thetabar = sbar * rho;
    const double rho_temp = cbar * rho;
    const Rotation second(rho_temp, theta_new);
    cbar = second.c;
    sbar = second.s;
    rhobar = second.r;
    zeta = cbar * zetabar;
    zetabar = -sbar * zetabar;
    if (rho == 0.0 || rhobar == 0.0)
      return {Status::breakdown, "the bidiagonal matrix is singular" + at() +
                                     ": the residual cannot be reduced in this Krylov space"};
    for_rows(default_space(), "krylov::lsmr::update", v_.local_size(),
             UpdateBody{-thetabar * rho / (rho_old * rhobar_old), zeta / (rho * rhobar),
                        alpha > 0.0 ? 1.0 / v_length : 0.0, -theta_new / rho, v_.data(), h_.data(),
                        hbar_.data(), s.x.data()});

    // ||r|| of the (damped) problem.
    const double betaacute = hat.c * betadd;
    const double betacheck = -hat.s * betadd;
    const double betahat = first.c * betaacute;
    betadd = -first.s * betaacute;
    const double thetatilde_old = thetatilde;
    const Rotation tilde(rhod_old, thetabar);
    thetatilde = tilde.s * rhobar;
    rhod_old = tilde.c * rhobar;
    betad = -tilde.s * betad + tilde.c * betahat;
    tautilde_old = (zeta_old - thetatilde_old * tautilde_old) / tilde.r;
    const double taud = (zeta - thetatilde * tautilde_old) / rhod_old;
    d += betacheck * betacheck;
    const double damped_norm = std::sqrt(d + (betad - taud) * (betad - taud) + betadd * betadd);
    const double gradient = std::abs(zetabar);

    if (auto stop = s.finish_iteration(damped_norm, gradient)) return *stop;
    if (gradient <= relative_tolerance * A_norm_ * damped_norm || alpha == 0.0 || beta == 0.0)
      return {Status::converged};  // to be verified
  }
}

}  // namespace krylov
