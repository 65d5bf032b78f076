#include "chebcb.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>

namespace tuning {

void ChebCb::begin(const TuningSpace& space) {
  need_context_range(space, "chebcb");
  space_ = space;
  arms_.assign(space.values.size(), {});
  predicted_.assign(space.values.size(), 0.0);
  rounds_ = sum_ = 0.0;
  error_ = 1.0;
  draws_ = 0;
}

double ChebCb::choose(const TuningSituation& situation) {
  const double middle = 0.5 * (space_.context_low + space_.context_high);
  const double half = 0.5 * (space_.context_high - space_.context_low);
  chebyshev_polynomials(std::clamp((situation.context - middle) / half, -1.0, 1.0), phi_);
  const size_t d = arms_.size();
  for (size_t i = 0; i < d; ++i) {
    predicted_[i] = 0.0;
    for (size_t j = 0; j < terms; ++j) predicted_[i] += arms_[i].theta[j] * phi_[j];
  }
  const double uniform = stream_.uniform(draws_++);

  // Arms never played, in random order.
  const auto unplayed = std::count_if(arms_.begin(), arms_.end(),
                                      [](const Arm& a) { return a.rounds == 0.0; });
  if (unplayed > 0) {
    auto skip = static_cast<std::ptrdiff_t>(uniform * static_cast<double>(unplayed));
    for (arm_ = 0;; ++arm_)
      if (arms_[arm_].rounds == 0.0 && skip-- == 0) return space_.values[arm_];
  }

  const auto best = static_cast<size_t>(
      std::min_element(predicted_.begin(), predicted_.end()) - predicted_.begin());
  const auto arms = static_cast<double>(d);
  const double eta =
      options_.exploration * std::sqrt(arms * (rounds_ + 1.0) / error_) / mean_cost();
  double below = 0.0;
  for (size_t i = 0; i < d; ++i) {
    if (i == best) continue;
    below += 1.0 / (arms + eta * (predicted_[i] - predicted_[best]));
    if (uniform < below) {
      arm_ = i;
      return space_.values[i];
    }
  }
  arm_ = best;
  return space_.values[best];
}

/// A few sweeps of projected coordinate descent from the last coefficients: one more round moves
/// them little.
void ChebCb::fit(Arm& arm) const {
  constexpr int sweeps = 10;
  constexpr double ridge = 1e-6;  // decides between series that fit equally well
  const double scale = options_.smoothness * mean_cost();
  for (int sweep = 0; sweep < sweeps; ++sweep)
    for (size_t j = 0; j < terms; ++j) {
      double g = arm.moment[j] + arm.gram[j][j] * arm.theta[j];
      for (size_t l = 0; l < terms; ++l) g -= arm.gram[j][l] * arm.theta[l];
      const double free = g / (arm.gram[j][j] + ridge);
      const double bound = scale / static_cast<double>(std::max<size_t>(j, 1));
      arm.theta[j] = j == 0 ? free : std::clamp(free, -bound, bound);
    }
}

void ChebCb::observe(double cost) {
  Arm& arm = arms_[arm_];
  rounds_ += 1.0;
  sum_ += cost;
  if (arm.rounds > 0.0) error_ += std::pow((predicted_[arm_] - cost) / mean_cost(), 2);
  arm.rounds += 1.0;
  for (size_t j = 0; j < terms; ++j) {
    arm.moment[j] += cost * phi_[j];
    for (size_t l = 0; l < terms; ++l) arm.gram[j][l] += phi_[j] * phi_[l];
  }
  fit(arm);
}

std::vector<Field> ChebCb::state() const {
  std::vector<double> out = {rounds_, sum_, error_, static_cast<double>(draws_)};
  for (const Arm& arm : arms_) {
    out.push_back(arm.rounds);
    for (const Series& row : arm.gram) out.insert(out.end(), row.begin(), row.end());
    out.insert(out.end(), arm.moment.begin(), arm.moment.end());
    out.insert(out.end(), arm.theta.begin(), arm.theta.end());
  }
  return {numbers_field("arms", out, "rounds, cost, R_t, draws; for each arm rounds, sums, theta")};
}

void ChebCb::restore(const StateSource& state, const Problem&) {
  StoredNumbers numbers(state.numbers("arms"));
  rounds_ = numbers.take();
  sum_ = numbers.take();
  error_ = numbers.take();
  draws_ = static_cast<std::uint64_t>(numbers.take());
  for (Arm& arm : arms_) {
    arm.rounds = numbers.take();
    for (Series& row : arm.gram) numbers.take_all(row);
    numbers.take_all(arm.moment);
    numbers.take_all(arm.theta);
  }
  numbers.end();
}

}  // namespace tuning
