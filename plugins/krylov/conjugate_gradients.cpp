#include "conjugate_gradients.hpp"

#include <cmath>

namespace krylov {

ConjugateGradients::ConjugateGradients(std::string name, const CgOptions& options,
                                       const Context& context, bool flexible)
    : KrylovSolver(std::move(name), options, context), asked_flexible_(flexible) {}

void ConjugateGradients::allocate(const LinearSystem& system) {
  p_ = system.x().like("krylov::cg::p");
  q_ = system.b().like("krylov::cg::q");
  z_ = preconditioner() != nullptr ? system.x().like("krylov::cg::z") : Vector();
}

double ConjugateGradients::work_bytes() const {
  return 8.0 * (static_cast<double>(p_.local_size()) + q_.local_size() + z_.local_size());
}

void ConjugateGradients::begin(Solve& s) {
  flexible_ = asked_flexible_ && s.M != nullptr;  // without M both forms are the same numbers
  if (s.M == nullptr || asked_flexible_ || (s.M->is_linear() && s.M->is_symmetric())) return;
  flexible_ = true;
  if (!s.wants_text) return;
  s.notes.push_back("the preconditioner '" + s.M_name + "' is not " +
                    (s.M->is_linear() ? "symmetric" : "linear") +
                    ": cg moved to flexible-cg (one more dot product a step)");
}

Stop ConjugateGradients::iterate(Solve& s) {
  const Vector& z = s.M != nullptr ? z_ : s.r;
  const auto at = [&s] { return " at iteration " + std::to_string(s.iterations + 1); };
  const auto bad_rho = [&](double rho) -> Stop {
    if (!std::isfinite(rho))
      return {Status::non_finite, "r^T M r = " + number(rho) + at() + ": the preconditioner '" +
                                      s.M_name + "' returned NaN or infinity"};
    return {Status::breakdown, "r^T M r = " + number(rho) + at() + ": the preconditioner '" +
                                   s.M_name +
                                   "' is not positive definite; use another one, or gmres"};
  };

  // rho = r^T z, z = M r
  double rho = s.M != nullptr ? s.precondition_with_dots(s.r, z, nullptr).xy
                              : s.residual_norm * s.residual_norm;
  double beta = 0.0;
  for (;;) {
    if (!(rho > 0.0) || !std::isfinite(rho)) return bad_rho(rho);
    // p = z + beta p, q = A p
    const double pq = s.update_direction_and_apply(z, beta, p_, q_);
    if (!std::isfinite(pq))
      return {Status::non_finite,
              "p^T A p = " + number(pq) + at() + ": the operator returned NaN or infinity"};
    if (!(pq > 0.0))
      return {Status::breakdown,
              "p^T A p = " + number(pq) + at() +
                  ": the operator is not positive definite; use minres or gmres"};
    const double alpha = rho / pq;
    // x += alpha p, r -= alpha q
    const double rr = cg_update(alpha, p_, q_, s.x, s.r);
    if (auto stop = s.finish_iteration(std::sqrt(rr))) return *stop;
    // z = M r; beta = z^T r / rho, or flexible: z^T (r - r_old) / rho = -alpha z^T q / rho
    DotPair dots{rr, 0.0};
    if (s.M != nullptr) dots = s.precondition_with_dots(s.r, z, flexible_ ? &q_ : nullptr);
    beta = flexible_ ? -alpha * dots.xz / rho : dots.xy / rho;
    rho = dots.xy;
  }
}

}  // namespace krylov
