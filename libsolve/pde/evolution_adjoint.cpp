#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/evolution_adjoint.hpp>
#include <utility>

namespace libsolve {

namespace {

bool needs_states(const Evolution& evolution) {
  if (!evolution.is_linear()) return true;
  for (int n = 1; n < evolution.num_steps(); ++n)
    if (evolution.has_step_cost(n)) return true;
  return false;
}

CheckpointChoice chosen(const Evolution& evolution, CheckpointChoice choice) {
  if (choice.schedule == "auto") choice.schedule = needs_states(evolution) ? "all" : "none";
  if (choice.schedule == "none" && needs_states(evolution))
    throw ShapeError("the adjoint of an evolution that is not linear, or has costs of states "
                     "before the last one, needs its states: checkpoints \"none\" keep none; "
                     "choose all, sqrt or binomial");
  return choice;
}

std::shared_ptr<StateStore> new_store(const CheckpointChoice& choice) {
  if (choice.make_store) return choice.make_store();
  return std::make_shared<MemoryStore>();
}

}  // namespace

EvolutionAdjoint::EvolutionAdjoint(std::shared_ptr<Evolution> evolution,
                                   const CheckpointChoice& checkpoints)
    : evolution_(std::move(evolution)),
      checkpoints_(chosen(*evolution_, checkpoints)),
      num_steps_(evolution_->num_steps()),
      is_linear_(evolution_->is_linear()),
      needs_states_(needs_states(*evolution_)),
      states_(new_store(checkpoints_)),
      run_(evolution_->state_partition(),
           make_schedule(checkpoints_.schedule, num_steps_, checkpoints_.slots), states_) {
  for (Vector* v : {&y0_, &before_, &y_, &seen_, &v0_, &p_, &p_carry_, &z_, &z_carry_, &rhs_,
                    &work_, &curved_})
    *v = Vector("pde::evolution_adjoint", evolution_->state_partition());
  for (Vector* v : {&m_, &q_, &unused_})
    *v = Vector("pde::parameter", evolution_->parameter_partition());
}

bool EvolutionAdjoint::has_constant_hessian() const {
  return is_linear_ && evolution_->has_quadratic_costs();
}

double EvolutionAdjoint::checkpoint_bytes() const {
  return states_->memory_bytes() + (adjoints_ ? adjoints_->memory_bytes() : 0.0) +
         (tangents_ ? tangents_->store().memory_bytes() : 0.0);
}

bool EvolutionAdjoint::is_remembered(const Vector& m) {
  if (!has_run_) return false;
  linear_combination(1.0, m, -1.0, m_, q_);
  return norm_max(q_) == 0.0;
}

// One step of each kind.

void EvolutionAdjoint::step(int n, const Vector& before, const Vector& y) {
  copy(before, y);
  evolution_->solve_step(n, before, m_, y);
  ++counts_.state;
}

void EvolutionAdjoint::adjoint_step(int n, const Point& at, const Vector& out_m,
                                    std::int64_t& count) {
  copy(p_carry_, rhs_);
  if (evolution_->has_step_cost(n)) {
    evolution_->step_cost_gradient(n, at.y, m_, work_, out_m);
    axpy(1.0, work_, rhs_);
  }
  scale(-1.0, rhs_);
  evolution_->solve_adjoint(n, at, rhs_, p_);
  ++count;
  if (n > 1) evolution_->apply_before_adjoint(n, at, p_, p_carry_);
}

void EvolutionAdjoint::tangent_step(int n, const Point& at, const Vector& v_before,
                                    const Vector& v) {
  evolution_->apply_parameter(n, at, q_, rhs_);
  if (n > 1) {
    evolution_->apply_before(n, at, v_before, work_);
    axpy(1.0, work_, rhs_);
  }
  scale(-1.0, rhs_);
  copy(v_before, v);
  evolution_->solve_tangent(n, at, rhs_, v);
  ++counts_.incremental;
}

void EvolutionAdjoint::second_adjoint_step(int n, const Point& at, const Vector& v_before,
                                           const Vector& v, const Vector& out) {
  copy(z_carry_, rhs_);
  if (evolution_->has_step_cost(n)) {
    evolution_->step_cost_hessian(n, at.y, m_, v, q_, work_, out);
    axpy(1.0, work_, rhs_);
  }
  if (!is_linear_) {
    fill(curved_, 0.0);
    evolution_->add_second_derivative(n, at, p_, {v_before, v, q_}, {curved_, rhs_, out});
  }
  scale(-1.0, rhs_);
  evolution_->solve_adjoint(n, at, rhs_, z_);
  ++counts_.incremental;
  evolution_->add_parameter_adjoint(n, at, z_, out);
  if (n == 1) return;
  evolution_->apply_before_adjoint(n, at, z_, z_carry_);
  if (!is_linear_) axpy(1.0, curved_, z_carry_);
}

// Runs of states and adjoints.

CheckpointedRun::Step EvolutionAdjoint::steps_of_states() {
  return [this](int n, const Vector& before, const Vector& y) { step(n + 1, before, y); };
}

double EvolutionAdjoint::value(const Vector& m) {
  if (is_remembered(m)) {
    counts_.state += std::exchange(unclaimed_, 0);
    return value_;
  }
  unclaimed_ = 0;
  has_run_ = has_adjoints_ = false;
  held_ = -1;
  copy(m, m_);
  evolution_->initial_state(y0_);
  value_ = evolution_->parameter_cost(m_);
  run_.forward(y0_, [this](int n, const Vector& before, const Vector& y) {
    step(n + 1, before, y);
    if (evolution_->has_step_cost(n + 1)) value_ += evolution_->step_cost(n + 1, y, m_);
  });
  has_run_ = true;
  return value_;
}

void EvolutionAdjoint::sweep_back(const Vector& out_m, const Visit& visit) {
  if (!run_.can_go_back()) run_.forward(y0_, steps_of_states());
  const bool has_states = run_.schedule().has_states;
  fill(p_, 0.0);
  fill(p_carry_, 0.0);
  run_.backward(steps_of_states(), [&](int before_n, const Vector& before) {
    const int n = before_n + 1;
    const Point at{before, n == num_steps_ ? run_.last_state() : has_states ? seen_ : none_, m_};
    adjoint_step(n, at, out_m, counts_.adjoint);
    visit(n, at);
    if (has_states) copy(before, seen_);
  });
}

void EvolutionAdjoint::gradient(const Vector& m, const Vector& out) {
  value(m);
  fill(out, 0.0);
  evolution_->add_parameter_cost_gradient(m_, out);
  sweep_back(out, [&](int n, const Point& at) {
    evolution_->add_parameter_adjoint(n, at, p_, out);
    if (wants_adjoints_) adjoints_->store(n, p_);
  });
  has_adjoints_ = wants_adjoints_;
}

EvolutionAdjoint::Shown EvolutionAdjoint::show(const Vector& m, const std::vector<int>& steps) {
  const SolveCounts before = counts_;
  value(m);
  unclaimed_ = counts_.state - before.state;
  Shown shown{std::vector<Vector>(steps.size()), std::vector<Vector>(steps.size())};
  const auto copy_of = [](const Vector& v) {
    const Vector copied = v.like("pde::shown");
    copy(v, copied);
    return copied;
  };
  for (std::size_t k = 0; k < steps.size(); ++k)
    if (steps[k] == 0) shown.states[k] = copy_of(y0_);
  // Where the way back has no states, a run forward shows them.
  if (!run_.schedule().has_states && !(steps.size() == 1 && steps[0] == num_steps_)) {
    copy(y0_, before_);
    for (int n = 1; n <= num_steps_; ++n) {
      step(n, before_, y_);
      for (std::size_t k = 0; k < steps.size(); ++k)
        if (steps[k] == n) shown.states[k] = copy_of(y_);
      std::swap(before_, y_);
    }
  }
  sweep_back(unused_, [&](int n, const Point& at) {
    for (std::size_t k = 0; k < steps.size(); ++k)
      if (steps[k] == n) {
        shown.adjoints[k] = copy_of(p_);
        if (at.y.data() != nullptr) shown.states[k] = copy_of(at.y);
      }
  });
  held_ = -1;
  counts_ = before;
  return shown;
}

// Second derivatives.

void EvolutionAdjoint::hessian(const Vector& m, const Vector& q, const Vector& out) {
  const bool keeps_enough =
      checkpoints_.schedule == "all" || !needs_states_ || has_constant_hessian();
  const bool needs_run = keeps_enough && !has_constant_hessian();
  if (needs_run) {
    value(m);
  } else if (!is_remembered(m)) {
    has_run_ = false;
    copy(m, m_);
  }
  copy(q, q_);
  fill(out, 0.0);
  evolution_->add_parameter_cost_hessian(m_, q_, out);
  fill(z_, 0.0);
  fill(z_carry_, 0.0);
  if (keeps_enough)
    hessian_from_kept(out);
  else
    hessian_with_states(out);
}

void EvolutionAdjoint::load_kept(int n, const Vector& into) {
  if (n == num_steps_)
    copy(run_.last_state(), into);
  else
    states_->load(n, into);
}

Evolution::Point EvolutionAdjoint::kept_point(int n) {
  if (has_constant_hessian()) return {none_, none_, m_};
  if (!needs_states_) return {none_, n == num_steps_ ? run_.last_state() : none_, m_};
  if (held_ == n - 1 || held_ == n + 1) {
    std::swap(before_, y_);
    held_ == n - 1 ? load_kept(n, y_) : load_kept(n - 1, before_);
  } else if (held_ != n) {
    load_kept(n - 1, before_);
    load_kept(n, y_);
  }
  held_ = n;
  return {before_, y_, m_};
}

void EvolutionAdjoint::find_kept_adjoints() {
  if (is_linear_ || has_adjoints_) return;
  if (!adjoints_) adjoints_ = new_store(checkpoints_);
  wants_adjoints_ = true;
  sweep_back(unused_, [&](int n, const Point&) { adjoints_->store(n, p_); });
  has_adjoints_ = true;
}

void EvolutionAdjoint::hessian_from_kept(const Vector& out) {
  find_kept_adjoints();
  if (!tangents_)
    tangents_ = std::make_unique<CheckpointedRun>(
        evolution_->state_partition(),
        make_schedule(needs_states_ ? checkpoints_.schedule : "none", num_steps_,
                      checkpoints_.slots),
        new_store(checkpoints_));
  const CheckpointedRun::Step step_of_tangents = [this](int n, const Vector& before,
                                                        const Vector& v) {
    tangent_step(n + 1, kept_point(n + 1), before, v);
  };
  tangents_->forward(v0_, step_of_tangents);
  tangents_->backward(step_of_tangents, [&](int before_n, const Vector& before) {
    const int n = before_n + 1;
    if (!is_linear_) adjoints_->load(n, p_);
    second_adjoint_step(n, kept_point(n), before,
                        n == num_steps_ ? tangents_->last_state() : seen_, out);
    if (tangents_->schedule().has_states) copy(before, seen_);
  });
}

Vector EvolutionAdjoint::half(const Vector& pair, int which) const {
  const Partition& one = evolution_->state_partition();
  const auto n = static_cast<std::size_t>(one.local_size());
  const auto begin = static_cast<std::size_t>(which) * n;
  return Vector(VectorView(Kokkos::subview(pair.view(), std::make_pair(begin, begin + n))), one);
}

void EvolutionAdjoint::hessian_with_states(const Vector& out) {
  const Partition& one = evolution_->state_partition();
  const Partition two(one.communicator(), GlobalIndex{2} * one.local_size());
  if (!tangents_)
    tangents_ = std::make_unique<CheckpointedRun>(
        two, make_schedule(checkpoints_.schedule, num_steps_, checkpoints_.slots),
        new_store(checkpoints_));
  const CheckpointedRun::Step step_of_pairs = [this](int before_n, const Vector& pair,
                                                     const Vector& next) {
    const Vector before = half(pair, 0), y = half(next, 0);
    step(before_n + 1, before, y);
    tangent_step(before_n + 1, {before, y, m_}, half(pair, 1), half(next, 1));
  };
  const Vector pair("pde::pair", two);
  evolution_->initial_state(y0_);
  copy(y0_, half(pair, 0));
  tangents_->forward(pair, step_of_pairs);
  fill(p_, 0.0);
  fill(p_carry_, 0.0);
  tangents_->backward(step_of_pairs, [&](int before_n, const Vector& before) {
    const int n = before_n + 1;
    const Vector& last = n == num_steps_ ? tangents_->last_state() : pair;
    const Vector y_before = half(before, 0), y = half(last, 0);
    const Point at{y_before, y, m_};
    if (!is_linear_) adjoint_step(n, at, unused_, counts_.incremental);
    second_adjoint_step(n, at, half(before, 1), half(last, 1), out);
    copy(before, pair);
  });
}

}  // namespace libsolve
