#include "tsallis_inf.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>

namespace tuning {

void need_context_range(const TuningSpace& space, const std::string& tuner) {
  if (space.context_low < space.context_high) return;
  throw Unsupported("the tuner '" + tuner +
                    "' needs to know which contexts to expect, and the sequence does not say; set "
                    "method.context_range = [smallest, largest], or use 'tsallis-inf'");
}

double StoredNumbers::take() {
  if (next_ == numbers_.size())
    throw DataError("the stored state of the tuner is too short for its options");
  return numbers_[next_++];
}

void StoredNumbers::end() const {
  if (next_ != numbers_.size())
    throw DataError("the stored state of the tuner is too long for its options");
}

TsallisLearner::TsallisLearner(size_t num_arms, double least_cost)
    : arms_(num_arms, {.p = 1.0 / static_cast<double>(std::max<size_t>(num_arms, 1))}),
      least_cost_(least_cost) {}

/// With y = s x: p_i = (c / (k_i - y))^2, c = 2 s / eta. f(y) = sum of p_i is convex and rises on
/// y < min k; f = 1 between min k - c sqrt(d) and min k - c, where the largest term is 1 / d and 1.
/// Newton from the left of the root lands to its right, and from there comes down to it.
void TsallisLearner::update_probabilities() {
  const double s = sum_ > 0.0 ? sum_ / rounds_ : 1.0;
  const double c = s * std::sqrt(rounds_ + 1.0);
  double least = arms_.front().k;
  for (const Arm& arm : arms_) least = std::min(least, arm.k);
  const double lowest = least - c * std::sqrt(static_cast<double>(arms_.size()));
  const double highest = least - c;
  double y = std::clamp(y_, lowest, highest);
  double sum = 0.0;
  for (int step = 0; step < 50; ++step) {
    sum = 0.0;
    double slope = 0.0;
    for (Arm& arm : arms_) {
      const double root = c / (arm.k - y);
      arm.p = root * root;
      sum += arm.p;
      slope += arm.p * root;
    }
    if (std::abs(sum - 1.0) < 1e-10) break;
    y = std::clamp(y - c * (sum - 1.0) / (2.0 * slope), lowest, highest);
  }
  y_ = y;
  const double scale = 1.0 / sum;
  for (Arm& arm : arms_) arm.p *= scale;
}

size_t TsallisLearner::choose(double uniform) const {
  double below = 0.0;
  for (size_t i = 0; i + 1 < arms_.size(); ++i) {
    below += arms_[i].p;
    if (uniform < below) return i;
  }
  return arms_.size() - 1;
}

void TsallisLearner::observe(size_t arm, double cost) {
  rounds_ += 1.0;
  sum_ += cost - least_cost_;
  arms_[arm].k += (cost - least_cost_) / arms_[arm].p;
  update_probabilities();
}

void TsallisLearner::append_state(std::vector<double>& out) const {
  out.insert(out.end(), {rounds_, sum_, y_});
  for (const Arm& arm : arms_) out.insert(out.end(), {arm.k, arm.p});
}

void TsallisLearner::take_state(StoredNumbers& numbers) {
  rounds_ = numbers.take();
  sum_ = numbers.take();
  y_ = numbers.take();
  for (Arm& arm : arms_) {
    arm.k = numbers.take();
    arm.p = numbers.take();
  }
}

void TsallisTuner::begin(const TuningSpace& space) {
  if (bins_ > 1) need_context_range(space, "tsallis-inf-cb");
  space_ = space;
  learners_.assign(static_cast<size_t>(bins_), TsallisLearner(space.values.size(), space.least_cost));
  draws_ = 0;
}

double TsallisTuner::choose(const TuningSituation& situation) {
  learner_ = 0;
  if (bins_ > 1) {
    const double place = (situation.context - space_.context_low) /
                         (space_.context_high - space_.context_low);
    learner_ = static_cast<size_t>(std::clamp(place * bins_, 0.0, bins_ - 1.0));
  }
  arm_ = learners_[learner_].choose(stream_.uniform(draws_));
  return space_.values[arm_];
}

void TsallisTuner::observe(double cost) {
  learners_[learner_].observe(arm_, cost);
  ++draws_;
}

std::vector<Field> TsallisTuner::state() const {
  std::vector<double> out = {static_cast<double>(draws_)};
  for (const TsallisLearner& learner : learners_) learner.append_state(out);
  return {numbers_field(
      "learners", out, "draws; for each learner rounds, sum of costs - 1, s x, k_i and p_i")};
}

void TsallisTuner::restore(const StateSource& state, const Problem&) {
  StoredNumbers numbers(state.numbers("learners"));
  draws_ = static_cast<std::uint64_t>(numbers.take());
  for (TsallisLearner& learner : learners_) learner.take_state(numbers);
  numbers.end();
}

}  // namespace tuning
