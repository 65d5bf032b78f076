#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/time_adjoint.hpp>

namespace libsolve {

TimeScheme::~TimeScheme() = default;

namespace {

std::string chosen(const TimeScheme& scheme, const std::string& checkpoints) {
  if (checkpoints == "auto") return scheme.is_linear() ? "none" : "all";
  if (checkpoints == "none" && !scheme.is_linear())
    throw ShapeError("the adjoint of a time scheme that is not linear needs its states: checkpoints "
                     "\"none\" keep none; choose all, sqrt or binomial");
  return checkpoints;
}

}  // namespace

TimeAdjoint::TimeAdjoint(std::shared_ptr<TimeScheme> scheme, const std::string& checkpoints,
                         int slots, MakeStore make_store)
    : scheme_(std::move(scheme)),
      run_(scheme_->partition(),
           make_schedule(chosen(*scheme_, checkpoints), scheme_->num_steps(), slots),
           make_store ? make_store() : nullptr),
      checkpoints_(chosen(*scheme_, checkpoints)),
      slots_(slots),
      make_store_(std::move(make_store)) {
  for (Vector* v : {&u0_, &last_state_, &last_tangent_, &p_, &w_})
    *v = Vector("pde::time_adjoint", scheme_->partition());
}

CheckpointedRun::Step TimeAdjoint::step_of_state() const {
  return [this](int n, const Vector& u, const Vector& next) { scheme_->step(n, u, next); };
}

CheckpointedRun::Step TimeAdjoint::step_of_pair() const {
  return [this](int n, const Vector& pair, const Vector& next) {
    scheme_->step(n, half(pair, 0), half(next, 0));
    scheme_->tangent(n, half(pair, 0), half(pair, 1), half(next, 1));
  };
}

Vector TimeAdjoint::half(const Vector& pair, int which) const {
  const auto n = static_cast<std::size_t>(scheme_->partition().local_size());
  const auto begin = static_cast<std::size_t>(which) * n;
  return Vector(VectorView(Kokkos::subview(pair.view(), std::make_pair(begin, begin + n))),
                scheme_->partition());
}

bool TimeAdjoint::is_remembered(const Vector& u0) {
  if (!has_run_) return false;
  linear_combination(1.0, u0, -1.0, u0_, p_);
  return norm_max(p_) == 0.0;
}

const Vector& TimeAdjoint::forward(const Vector& u0) {
  if (is_remembered(u0)) return last_state_;
  has_run_ = false;
  copy(run_.forward(u0, step_of_state()), last_state_);
  copy(u0, u0_);
  has_run_ = true;
  return last_state_;
}

void TimeAdjoint::backward(const Vector& p) {
  if (!run_.can_go_back()) run_.forward(u0_, step_of_state());
  run_.backward(step_of_state(), [&](int n, const Vector& u) {
    copy(p, p_);
    scheme_->adjoint(n, u, p_, p);
  });
}

const Vector& TimeAdjoint::forward_tangent(const Vector& u0, const Vector& v) {
  if (scheme_->is_linear()) {
    copy(v, last_tangent_);
    for (int n = 0; n < scheme_->num_steps(); ++n) {
      copy(last_tangent_, p_);
      scheme_->tangent(n, Vector(), p_, last_tangent_);
    }
    return last_tangent_;
  }
  if (!pairs_) {
    const Partition& one = scheme_->partition();
    const Partition two(one.communicator(), GlobalIndex{2} * one.local_size());
    pair_ = Vector("pde::pair", two);
    pairs_ = std::make_unique<CheckpointedRun>(
        two, make_schedule(checkpoints_, scheme_->num_steps(), slots_),
        make_store_ ? make_store_() : nullptr);
  }
  copy(u0, half(pair_, 0));
  copy(v, half(pair_, 1));
  const Vector& last = pairs_->forward(pair_, step_of_pair());
  copy(half(last, 1), last_tangent_);
  return last_tangent_;
}

void TimeAdjoint::second_backward(const Vector& p, const Vector& w) {
  if (scheme_->is_linear()) {
    for (int n = scheme_->num_steps() - 1; n >= 0; --n) {
      copy(w, w_);
      scheme_->adjoint(n, Vector(), w_, w);
    }
    return;
  }
  pairs_->backward(step_of_pair(), [&](int n, const Vector& pair) {
    copy(p, p_);
    copy(w, w_);
    scheme_->second_adjoint(n, half(pair, 0), half(pair, 1), p_, w_, p, w);
  });
}

}  // namespace libsolve
