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

void TsallisLearner::update_probabilities() {
  const double eta = 2.0 / std::sqrt(rounds_ + 1.0);
  const double s = rounds_ > 0.0 && sum_ > 0.0 ? sum_ / rounds_ : 1.0;
  const double least = *std::min_element(k_.begin(), k_.end()) / s;
  // f(x) = sum of 4 / (eta (k_i / s - x))^2 is convex and rising on x < least, and f = 1 between
  // the two ends: at the left one the largest term is 1 / d. Newton from the right comes down
  // without overshooting.
  const double root_d = std::sqrt(static_cast<double>(k_.size()));
  double x = least - 2.0 / eta;
  const double lowest = least - 2.0 * root_d / eta;
  for (int step = 0; step < 50; ++step) {
    double sum = 0.0;
    double slope = 0.0;
    for (size_t i = 0; i < k_.size(); ++i) {
      const double root = 2.0 / (eta * (k_[i] / s - x));
      p_[i] = root * root;
      sum += p_[i];
      slope += eta * p_[i] * root;
    }
    const double change = (sum - 1.0) / slope;
    if (std::abs(sum - 1.0) < 1e-10) break;
    x = std::max(x - change, lowest);
  }
  double sum = 0.0;
  for (const double p : p_) sum += p;
  for (double& p : p_) p /= sum;
}

size_t TsallisLearner::choose(double uniform) {
  update_probabilities();
  double below = 0.0;
  for (size_t i = 0; i + 1 < p_.size(); ++i) {
    below += p_[i];
    if (uniform < below) return i;
  }
  return p_.size() - 1;
}

void TsallisLearner::observe(size_t arm, double cost) {
  rounds_ += 1.0;
  sum_ += cost - 1.0;
  k_[arm] += (cost - 1.0) / p_[arm];
}

void TsallisLearner::append_state(std::vector<double>& out) const {
  out.push_back(rounds_);
  out.push_back(sum_);
  out.insert(out.end(), k_.begin(), k_.end());
}

void TsallisLearner::take_state(StoredNumbers& numbers) {
  rounds_ = numbers.take();
  sum_ = numbers.take();
  numbers.take_all(k_);
}

void TsallisTuner::begin(const TuningSpace& space) {
  if (bins_ > 1) need_context_range(space, "tsallis-inf-cb");
  space_ = space;
  learners_.assign(static_cast<size_t>(bins_), TsallisLearner(space.values.size()));
  draws_ = 0;
}

double TsallisTuner::choose(const TuningSituation& situation) {
  learner_ = 0;
  if (bins_ > 1) {
    const double place = (situation.context - space_.context_low) /
                         (space_.context_high - space_.context_low);
    learner_ = static_cast<size_t>(std::clamp(place * bins_, 0.0, bins_ - 1.0));
  }
  arm_ = learners_[learner_].choose(stream_.uniform(draws_++));
  return space_.values[arm_];
}

void TsallisTuner::observe(double cost) {
  learners_[learner_].observe(arm_, cost);
}

std::vector<Field> TsallisTuner::state() const {
  std::vector<double> out = {static_cast<double>(draws_)};
  for (const TsallisLearner& learner : learners_) learner.append_state(out);
  return {numbers_field("learners", out, "draws; for each learner rounds, sum of costs - 1, k_i")};
}

void TsallisTuner::restore(const StateSource& state, const Problem&) {
  StoredNumbers numbers(state.numbers("learners"));
  draws_ = static_cast<std::uint64_t>(numbers.take());
  for (TsallisLearner& learner : learners_) learner.take_state(numbers);
  numbers.end();
}

}  // namespace tuning
