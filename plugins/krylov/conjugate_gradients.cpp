#include "conjugate_gradients.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <utility>

namespace krylov {

ConjugateGradients::ConjugateGradients(std::string name, const CgOptions& options,
                                       const Context& context, bool flexible)
    : KrylovSolver(std::move(name), options, context), asked_flexible_(flexible) {}

void ConjugateGradients::allocate(const LinearSystem& system) {
  p_ = system.x().like("krylov::cg::p");
  q_ = system.b().like("krylov::cg::q");
  z_ = preconditioner() != nullptr ? system.x().like("krylov::cg::z") : Vector();
  field_ = system.solution().front();
  field_.values = Vector();
  position_.reset();
}

double ConjugateGradients::work_bytes() const {
  return 8.0 * (static_cast<double>(p_.local_size()) + q_.local_size() + z_.local_size());
}

void ConjugateGradients::begin(Solve& s) {
  position_.reset();
  // A solve that ended before it took the earlier one up leaves it to be stored again, once.
  if (std::exchange(is_offered_, resumed_.has_value())) resumed_.reset();
  if (resumed_) s.iterations = static_cast<std::int64_t>(resumed_->iterations);
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
      return {Status::non_finite, "r^T M r = " + short_number(rho) + at() +
                                      ": the preconditioner '" + s.M_name +
                                      "' returned NaN or infinity"};
    return {Status::breakdown, "r^T M r = " + short_number(rho) + at() + ": the preconditioner '" +
                                   s.M_name +
                                   "' is not positive definite; use another one, or gmres"};
  };

  double rr = s.residual_norm * s.residual_norm;
  double rho = 0.0;
  double beta = 0.0;
  double alpha = 0.0;
  // z = M r; beta = z^T r / rho, or flexible: z^T (r - r_old) / rho = -alpha z^T q / rho
  const auto precondition = [&](bool first) {
    DotPair dots{rr, 0.0};
    const bool with_q = flexible_ && !first;
    if (s.M != nullptr) dots = s.precondition_with_dots(s.r, z, with_q ? &q_ : nullptr);
    if (!first) beta = flexible_ ? -alpha * dots.xz / rho : dots.xy / rho;
    rho = dots.xy;
  };
  const bool goes_on = resumed_.has_value();
  if (goes_on) go_on(s, rr, rho, alpha);
  precondition(!goes_on);
  for (;;) {
    if (!(rho > 0.0) || !std::isfinite(rho)) return bad_rho(rho);
    // p = z + beta p, q = A p
    const double pq = s.update_direction_and_apply(z, beta, p_, q_);
    if (!std::isfinite(pq))
      return {Status::non_finite,
              "p^T A p = " + short_number(pq) + at() + ": the operator returned NaN or infinity"};
    if (!(pq > 0.0))
      return {Status::breakdown,
              "p^T A p = " + short_number(pq) + at() +
                  ": the operator is not positive definite; use minres or gmres"};
    alpha = rho / pq;
    // x += alpha p, r -= alpha q
    rr = cg_update(alpha, p_, q_, s.x, s.r);
    position_ = Position{static_cast<double>(s.iterations + 1),
                         rr,
                         rho,
                         alpha,
                         s.tolerance > 0.0 ? s.target / s.tolerance : 1.0,
                         s.r,
                         p_,
                         flexible_ ? q_ : Vector()};
    if (auto stop = s.finish_iteration(std::sqrt(rr))) {
      if (stop->status == Status::time_limit || stop->status == Status::interrupted ||
          stop->status == Status::max_iterations)
        keep_position(s);
      else
        position_.reset();
      return *stop;
    }
    precondition(false);
  }
}

// ---- stopping and going on
// -----------------------------------------------------------------------

void ConjugateGradients::keep_position(const Solve& s) {
  // z is made anew from r; without M there is no flexible form, so q is free.
  const Vector& free = s.M != nullptr ? z_ : q_;
  copy(s.r, free);
  position_->r = free;
}

void ConjugateGradients::go_on(Solve& s, double& rr, double& rho, double& alpha) {
  copy(resumed_->r, s.r);
  copy(resumed_->p, p_);
  if (flexible_) copy(resumed_->q, q_);
  rr = resumed_->rr;
  rho = resumed_->rho;
  alpha = resumed_->alpha;
  s.target = s.tolerance * resumed_->aim;
  s.residual_norm = std::sqrt(rr);
  resumed_.reset();
  is_offered_ = false;
}

std::vector<Field> ConjugateGradients::state() const {
  if (!position_ && !resumed_) return {};
  const Position& now = position_ ? *position_ : *resumed_;
  std::vector<Field> fields = {
      numbers_field("recurrence", {now.iterations, now.rr, now.rho, now.alpha, now.aim},
                    "iterations, r^T r, r^T z, alpha, part of the tolerance aimed for")};
  const auto add = [&](const char* name, const Vector& values) {
    if (values.data() == nullptr) return;
    fields.push_back(field_);
    fields.back().name = name;
    fields.back().values = values;
    fields.back().description = "vector of the recurrence";
  };
  add("r", now.r);
  add("p", now.p);
  add("q", now.q);
  return fields;
}

void ConjugateGradients::restore(const StateSource& state, const Problem& problem) {
  const auto* system = dynamic_cast<const LinearSystem*>(&problem);
  if (system == nullptr || !state.has("recurrence")) return;
  const std::vector<double> numbers = state.numbers("recurrence");
  if (numbers.size() != 5)
    throw DataError("the stored recurrence is not one of conjugate gradients");
  Position then{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]};
  Field field = system->solution().front();
  const auto read = [&](const char* name, Vector& into) {
    if (!state.has(name)) return;
    field.values = into = system->x().like("krylov::cg::resumed");
    state.read(name, field);
  };
  read("r", then.r);
  read("p", then.p);
  read("q", then.q);
  const bool has_all = then.r.data() != nullptr && then.p.data() != nullptr;
  if (!has_all) throw DataError("the stored recurrence lacks one of its vectors");
  resumed_ = then;
  is_offered_ = false;
  if (field_.name.empty()) field_ = system->solution().front();
}

}  // namespace krylov
