#include "relax_prior.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <utility>

namespace tuning {

namespace {
constexpr double highest_log = 7.0;  ///< of k, the scale of u
constexpr double prior_curvature = 10.0;
constexpr double cost_deviation = 0.05;   ///< of log cost around the model
constexpr double certain_delta = 0.01;    ///< a delta known to this needs no more dither
constexpr double surprise = 5.0;          ///< deviations
constexpr std::uint64_t rounds_of_certain = 4;  ///< of which one is learned from
constexpr double largest_delta = 0.25;
constexpr double smallest_delta = -0.05;
}  // namespace

void RelaxPrior::begin(const TuningSpace& space) {
  const bool is_omega = space.parameter == "omega" || space.parameter.ends_with(".omega");
  if (!is_omega || !space.is_continuous)
    throw Unsupported("the tuner 'relax-prior' chooses omega of 'sor' and 'ssor' between two limits, "
                      "not '" + space.parameter + "'" +
                      (is_omega ? " of another method or from a list of values" : "") +
                      "; 'chebcb' and 'tsallis-inf' take any parameter");
  space_ = space;
  radius_.begin();
  rounds_ = 0;
  pending_.reset();
  is_restored_ = is_certain_ = false;
  mean_ = {};
  covariance_ = {};
  const auto prior = [this](size_t i, double mean, double deviation) {
    mean_[i] = mean;
    covariance_[i][i] = deviation * deviation;
  };
  prior(0, 0.0, 2.0);
  for (size_t j = 1; j < num_base; ++j) prior(j, 0.0, 1.0 / static_cast<double>(j));
  for (size_t j = 0; j < num_slope; ++j)
    prior(num_base + j, 0.0, 1.0 / static_cast<double>(std::max<size_t>(j, 1)));
  prior(num_terms - 1, prior_curvature, 0.5 * prior_curvature);
}

double RelaxPrior::curvature() const {
  return std::max(mean_[num_terms - 1], 0.25 * prior_curvature);
}

double RelaxPrior::slope() const {
  double sum = 0.0;
  for (size_t j = 0; j < num_slope; ++j) sum += mean_[num_base + j] * phi_[j];
  return sum;
}

double RelaxPrior::slope_deviation() const {
  double variance = 0.0;
  for (size_t i = 0; i < num_slope; ++i)
    for (size_t j = 0; j < num_slope; ++j)
      variance += phi_[i] * covariance_[num_base + i][num_base + j] * phi_[j];
  return std::sqrt(std::max(variance, 0.0));
}

double RelaxPrior::radius_of(const TuningSituation& situation) {
  if (std::exchange(is_restored_, false) && pending_) return *pending_;
  pending_ = 0.0;
  try {
    pending_ = radius_.estimate(situation.context, *situation.system);
  } catch (const NumericalError&) {
    radius_.doubt();
  }
  return *pending_;
}

double RelaxPrior::choose(const TuningSituation& situation) {
  if (situation.system == nullptr)
    throw Unsupported("the tuner 'relax-prior' needs to see the system it chooses for");
  const double mu = radius_of(situation);
  const double young = 2.0 / (1.0 + std::sqrt(1.0 - mu * mu));
  // w = 1 (mu = 0) solves in one iteration.
  expected_ = std::max(1.0, std::log(situation.reduction) / std::log(std::max(young - 1.0, 1e-300)));
  chebyshev_polynomials(std::min(2.0 * std::log(expected_) / highest_log - 1.0, 1.0), phi_);

  double delta = 0.0;
  const bool learns = options_.learn && rounds_ >= static_cast<std::uint64_t>(options_.first_systems);
  if (learns) {
    delta = std::clamp(-slope() / (2.0 * curvature()), smallest_delta, largest_delta);
    is_certain_ = slope_deviation() / (2.0 * prior_curvature) <= certain_delta;
    if (!is_certain_)
      delta += stream_.uniform(rounds_) < 0.5 ? -options_.dither : options_.dither;
  }
  const double omega =
      std::clamp(young + delta * (2.0 - young), space_.values.front(), space_.values.back());
  delta_ = (omega - young) / (2.0 - young);
  return omega;
}

void RelaxPrior::observe(double cost) {
  ++rounds_;
  pending_.reset();
  // Far from the formula, as where it is beyond the limits, the model says nothing.
  if (!options_.learn || !(cost > 0.0) || std::abs(delta_) > 2.0 * largest_delta) return;
  Terms x;
  std::copy(phi_.begin(), phi_.end(), x.begin());
  for (size_t j = 0; j < num_slope; ++j) x[num_base + j] = delta_ * phi_[j];
  x[num_terms - 1] = delta_ * delta_;
  // Bayesian linear regression: gain g = P x / (s^2 + x^T P x), mean += g (y - x^T mean),
  // P -= g (P x)^T.
  double error = std::log(cost / expected_);
  for (size_t i = 0; i < num_terms; ++i) error -= x[i] * mean_[i];
  // Within the noise alone it is no surprise, whatever the variance of the model adds.
  constexpr double noise = cost_deviation * cost_deviation;
  const bool may_surprise = error * error > surprise * surprise * noise;
  if (is_certain_ && rounds_ % rounds_of_certain != 0 && !may_surprise) return;
  Terms Px = {};
  double xPx = 0.0;
  for (size_t i = 0; i < num_terms; ++i) {
    for (size_t j = 0; j < num_terms; ++j) Px[i] += covariance_[i][j] * x[j];
    xPx += x[i] * Px[i];
  }
  const double variance = noise + xPx;
  const double scale = 1.0 / variance;
  // A surprise may be an operator that changed in a way the context does not show.
  if (error * error > surprise * surprise * variance) radius_.doubt();
  for (size_t i = 0; i < num_terms; ++i) {
    const double gain = scale * Px[i];
    mean_[i] += gain * error;
    for (size_t j = 0; j < num_terms; ++j) covariance_[i][j] -= gain * Px[j];
  }
}

std::vector<Field> RelaxPrior::state() const {
  std::vector<double> out = {static_cast<double>(rounds_), pending_.value_or(-1.0),
                             is_certain_ ? 1.0 : 0.0};
  out.insert(out.end(), mean_.begin(), mean_.end());
  for (const Terms& row : covariance_) out.insert(out.end(), row.begin(), row.end());
  std::vector<Field> fields = radius_.state();
  fields.push_back(numbers_field(
      "correction", out, "rounds, radius of the system being solved, certainty, mean and covariance of a, b, c"));
  return fields;
}

void RelaxPrior::restore(const StateSource& state, const Problem& problem) {
  StoredNumbers numbers(state.numbers("correction"));
  rounds_ = static_cast<std::uint64_t>(numbers.take());
  if (const double radius = numbers.take(); radius >= 0.0) pending_ = radius;
  is_certain_ = numbers.take() != 0.0;
  is_restored_ = true;
  numbers.take_all(mean_);
  for (Terms& row : covariance_) numbers.take_all(row);
  numbers.end();
  radius_.restore(state, dynamic_cast<const LinearSystem&>(problem));
}

}  // namespace tuning
