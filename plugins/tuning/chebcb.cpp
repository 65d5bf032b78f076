#include "chebcb.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>

namespace tuning {

void ChebCb::begin(const TuningSpace& space) {
  need_context_range(space, "chebcb");
  space_ = space;
  arms_.assign(space.values.size(), {});
  theta_.assign(space.values.size(), {});
  unplayed_ = space.values.size();
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
    for (size_t j = 0; j < terms; ++j) predicted_[i] += theta_[i][j] * phi_[j];
  }
  const double uniform = stream_.uniform(draws_);

  // Arms never played, in random order.
  if (unplayed_ > 0) {
    auto skip = static_cast<std::ptrdiff_t>(uniform * static_cast<double>(unplayed_));
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

/// Sweeps of projected coordinate descent from the last coefficients, until they stand still: one
/// more round moves them little.
void ChebCb::fit(const Sums& arm, Series& theta) const {
  constexpr int most_sweeps = 10;
  constexpr double still = 1e-4;   // mean costs
  constexpr double ridge = 1e-6;   // decides between series that fit equally well
  const double mean = mean_cost();
  const double scale = options_.smoothness * mean;
  Series inverse;
  for (size_t j = 0; j < terms; ++j) inverse[j] = 1.0 / (arm.gram[j][j] + ridge);
  for (int sweep = 0; sweep < most_sweeps; ++sweep) {
    double change = 0.0;
    for (size_t j = 0; j < terms; ++j) {
      double g = arm.moment[j];
      for (size_t l = 0; l < terms; ++l) g -= l == j ? 0.0 : arm.gram[j][l] * theta[l];
      const double free = g * inverse[j];
      const double bound = scale / static_cast<double>(std::max<size_t>(j, 1));
      const double next = j == 0 ? free : std::clamp(free, -bound, bound);
      change = std::max(change, std::abs(next - theta[j]));
      theta[j] = next;
    }
    if (change <= still * mean) break;
  }
}

void ChebCb::observe(double cost) {
  // The next choice reads all series: they come in while this one is fitted.
  for (size_t i = 0; i < theta_.size(); ++i) __builtin_prefetch(theta_[i].data());
  Sums& arm = arms_[arm_];
  rounds_ += 1.0;
  ++draws_;
  sum_ += cost;
  const double surprise = (predicted_[arm_] - cost) / mean_cost();
  if (arm.rounds > 0.0)
    error_ += surprise * surprise;
  else
    --unplayed_;
  arm.rounds += 1.0;
  for (size_t j = 0; j < terms; ++j) {
    arm.moment[j] += cost * phi_[j];
    for (size_t l = 0; l < terms; ++l) arm.gram[j][l] += phi_[j] * phi_[l];
  }
  fit(arm, theta_[arm_]);
}

std::vector<Field> ChebCb::state() const {
  std::vector<double> out = {rounds_, sum_, error_, static_cast<double>(draws_)};
  for (size_t i = 0; i < arms_.size(); ++i) {
    out.push_back(arms_[i].rounds);
    for (const Series& row : arms_[i].gram) out.insert(out.end(), row.begin(), row.end());
    out.insert(out.end(), arms_[i].moment.begin(), arms_[i].moment.end());
    out.insert(out.end(), theta_[i].begin(), theta_[i].end());
  }
  return {numbers_field("arms", out, "rounds, cost, R_t, draws; for each arm rounds, sums, theta")};
}

void ChebCb::restore(const StateSource& state, const Problem&) {
  StoredNumbers numbers(state.numbers("arms"));
  rounds_ = numbers.take();
  sum_ = numbers.take();
  error_ = numbers.take();
  draws_ = static_cast<std::uint64_t>(numbers.take());
  unplayed_ = 0;
  for (size_t i = 0; i < arms_.size(); ++i) {
    arms_[i].rounds = numbers.take();
    if (arms_[i].rounds == 0.0) ++unplayed_;
    for (Series& row : arms_[i].gram) numbers.take_all(row);
    numbers.take_all(arms_[i].moment);
    numbers.take_all(theta_[i]);
  }
  numbers.end();
}

}  // namespace tuning
