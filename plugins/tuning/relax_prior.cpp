#include "relax_prior.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/jacobi_spectrum.hpp>

namespace tuning {

/// s += d_i v_i^2.
struct WeightedSquare {
  const double* d;
  const double* v;
  KOKKOS_FUNCTION void operator()(Index i, double& s) const { s += d[i] * v[i] * v[i]; }
};

/// d_i = 1 / d_i.
struct Invert {
  double* d;
  KOKKOS_FUNCTION void operator()(Index i) const { d[i] = 1.0 / d[i]; }
};

namespace {

/// lambda is good enough when it is known to this part: omega moves by less than 0.01 (2 - omega).
constexpr double good_lambda = 0.02;
/// The vector is to serve other contexts, too.
constexpr double good_vector = 0.005;
/// Steps it takes at least to cross a 2D grid; where fewer do, the estimate stops by itself.
int max_lanczos_steps(GlobalIndex unknowns) {
  return std::max(40, static_cast<int>(std::sqrt(static_cast<double>(unknowns))));
}
/// Systems between two checks of the lines at most.
constexpr double largest_gap = 32.0;

}  // namespace

// ---- JacobiRadius -------------------------------------------------------------------------------

void JacobiRadius::take_diagonal(const LinearSystem& system) {
  if (!system.A().diagonal(d_))
    throw Unsupported("the tuner 'relax-prior' needs the diagonal of the operator, and " +
                      system.A().description() + " offers none; use 'chebcb' or 'tsallis-inf'");
}

void JacobiRadius::make_vector(const LinearSystem& system) {
  d_ = system.x().like("relax_prior::diagonal");
  q_ = system.x().like("relax_prior::q");
  v_ = system.solution().front();
  v_.name = "eigenvector";
  v_.description = "approximate eigenvector of the smallest eigenvalue of D^-1 A";
  v_.values = system.x().like("relax_prior::v");
}

void JacobiRadius::find_vector(const LinearSystem& system) {
  const bool is_new = v().data() == nullptr || !(v().partition() == system.x().partition());
  if (is_new) make_vector(system);
  take_diagonal(system);
  // D v, from the old v or from ones: positive, as the eigenvector is where no coupling is positive.
  // Where ones may be in the null space, from random numbers.
  if (!is_new)
    multiply(d_, v(), q_);
  else if (system.null_space)
    fill_uniform(q_, RandomStream(1, "tuning::relax_prior::start"));
  else
    copy(d_, q_);
  if (system.null_space) system.null_space->project_out(q_);
  for_rows(ExecSpace(), "relax_prior::invert", d_.local_size(), Invert{d_.data()});
  const JacobiSpectrum found = estimate_jacobi_spectrum(
      system.A(), d_, q_,
      {.max_steps = max_lanczos_steps(system.num_unknowns()), .smallest_to = good_vector, .asker = "the tuner 'relax-prior'"},
      &v());
  products_ += found.products;
  asymmetry_ = std::max(1.0, (found.largest - 1.0) / std::max(1.0 - found.smallest, 1e-12));
  points_ = 0;
  is_trusted_ = false;
  gap_ = 1.0;
}

JacobiRadius::Forms JacobiRadius::measure(double context, const LinearSystem& system) {
  take_diagonal(system);
  products_ += 1.0;
  Forms forms{.context = context};
  forms.vAv = system.A().apply_dot(v(), q_);
  const Sums<1> s = reduce_rows<Sums<1>>(default_space(), "relax_prior::form", d_.local_size(),
                                         WeightedSquare{d_.data(), v().data()});
  forms.vDv = d_.communicator().sum(s.value[0]);
  return forms;
}

JacobiRadius::Forms JacobiRadius::predict(double context) const {
  const auto& [p, q] = line_;
  const double t = points_ == 2 ? (context - p.context) / (q.context - p.context) : 0.0;
  return {.context = context, .vAv = p.vAv + t * (q.vAv - p.vAv), .vDv = p.vDv + t * (q.vDv - p.vDv)};
}

/// Between the two points of the line or not far outside; at the point where there is one only.
bool JacobiRadius::is_near(double context) const {
  if (points_ < 2) return points_ == 1 && context == line_[0].context;
  const double reach = 0.5 * (line_[1].context - line_[0].context);
  return context >= line_[0].context - reach && context <= line_[1].context + reach;
}

/// The two contexts furthest apart carry the line.
void JacobiRadius::keep(const Forms& forms) {
  if (points_ == 0 || (points_ == 1 && forms.context == line_[0].context)) {
    line_[0] = forms;
    points_ = 1;
    return;
  }
  if (points_ == 1) {
    line_[1] = forms;
    points_ = 2;
  } else if (forms.context < line_[0].context) {
    line_[0] = forms;
  } else if (forms.context > line_[1].context) {
    line_[1] = forms;
  }
  if (points_ == 2 && line_[0].context > line_[1].context) std::swap(line_[0], line_[1]);
}

double JacobiRadius::estimate(double context, const LinearSystem& system) {
  const auto radius = [this](double lambda) {
    return std::clamp(asymmetry_ * (1.0 - lambda), 0.0, 1.0 - 1e-12);
  };
  const bool is_new = v().data() == nullptr || !(v().partition() == system.x().partition());
  if (is_new || std::exchange(is_doubted_, false)) {
    find_vector(system);
    keep(measure(context, system));
    hardest_ = line_[0].lambda();
    until_ = 1.0;
    return radius(hardest_);
  }
  until_ -= 1.0;
  if (is_trusted_ && until_ > 0.0 && is_near(context)) {
    const double lambda = predict(context).lambda();
    if (lambda > 0.5 * hardest_) return radius(lambda);
  }
  Forms forms = measure(context, system);
  if (forms.lambda() < 0.5 * hardest_) {
    find_vector(system);
    forms = measure(context, system);
    hardest_ = forms.lambda();
  }
  const double foretold = is_near(context) ? predict(context).lambda() : -1.0;
  is_trusted_ = std::abs(foretold - forms.lambda()) <= 0.5 * good_lambda * forms.lambda();
  gap_ = is_trusted_ ? std::min(2.0 * gap_, largest_gap) : 1.0;
  until_ = gap_;
  keep(forms);
  return radius(forms.lambda());
}

std::vector<Field> JacobiRadius::state() const {
  if (v().data() == nullptr) return {};
  std::vector<double> out = {asymmetry_, hardest_,  static_cast<double>(points_), gap_, until_,
                             products_, is_trusted_ ? 1.0 : 0.0, is_doubted_ ? 1.0 : 0.0};
  for (const Forms& f : line_) out.insert(out.end(), {f.context, f.vAv, f.vDv});
  return {v_, numbers_field("radius", out, "estimates of the Jacobi radius")};
}

void JacobiRadius::restore(const StateSource& state, const LinearSystem& system) {
  begin();
  if (!state.has("radius")) return;
  StoredNumbers numbers(state.numbers("radius"));
  asymmetry_ = numbers.take();
  hardest_ = numbers.take();
  points_ = static_cast<int>(numbers.take());
  gap_ = numbers.take();
  until_ = numbers.take();
  products_ = numbers.take();
  is_trusted_ = numbers.take() != 0.0;
  is_doubted_ = numbers.take() != 0.0;
  for (Forms& f : line_) f = {numbers.take(), numbers.take(), numbers.take()};
  numbers.end();
  make_vector(system);
  try {
    state.read(v_.name, v_);
  } catch (const ShapeError&) {  // the next system has another size: a new vector
    begin();
  }
}

// ---- RelaxPrior ---------------------------------------------------------------------------------

namespace {
constexpr double highest_log = 7.0;  ///< of k, the scale of u
constexpr double prior_curvature = 10.0;
constexpr double cost_deviation = 0.05;   ///< of log cost around the model
constexpr double certain_delta = 0.01;    ///< a delta known to this needs no more dither
constexpr double surprise = 5.0;          ///< deviations
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

double RelaxPrior::choose(const TuningSituation& situation) {
  if (situation.system == nullptr)
    throw Unsupported("the tuner 'relax-prior' needs to see the system it chooses for");
  double mu = 0.0;  // omega = 1 where the operator is not positive definite
  try {
    mu = radius_.estimate(situation.context, *situation.system);
  } catch (const NumericalError&) {
    radius_.doubt();
  }
  const double young = 2.0 / (1.0 + std::sqrt(1.0 - mu * mu));
  // w = 1 (mu = 0) solves in one iteration.
  expected_ = std::max(1.0, std::log(situation.reduction) / std::log(std::max(young - 1.0, 1e-300)));
  chebyshev_polynomials(std::min(2.0 * std::log(expected_) / highest_log - 1.0, 1.0), phi_);

  double delta = 0.0;
  const bool learns = options_.learn && rounds_ >= static_cast<std::uint64_t>(options_.first_systems);
  if (learns) {
    delta = std::clamp(-slope() / (2.0 * curvature()), smallest_delta, largest_delta);
    if (slope_deviation() / (2.0 * prior_curvature) > certain_delta)
      delta += stream_.uniform(rounds_) < 0.5 ? -options_.dither : options_.dither;
  }
  const double omega =
      std::clamp(young + delta * (2.0 - young), space_.values.front(), space_.values.back());
  delta_ = (omega - young) / (2.0 - young);
  return omega;
}

void RelaxPrior::observe(double cost) {
  ++rounds_;
  // Far from the formula, as where it is beyond the limits, the model says nothing.
  if (!options_.learn || !(cost > 0.0) || std::abs(delta_) > 2.0 * largest_delta) return;
  Terms x;
  std::copy(phi_.begin(), phi_.end(), x.begin());
  for (size_t j = 0; j < num_slope; ++j) x[num_base + j] = delta_ * phi_[j];
  x[num_terms - 1] = delta_ * delta_;
  // Bayesian linear regression: gain g = P x / (s^2 + x^T P x), mean += g (y - x^T mean),
  // P -= g (P x)^T.
  Terms Px = {};
  double xPx = 0.0;
  double foretold = 0.0;
  for (size_t i = 0; i < num_terms; ++i) {
    for (size_t j = 0; j < num_terms; ++j) Px[i] += covariance_[i][j] * x[j];
    xPx += x[i] * Px[i];
    foretold += x[i] * mean_[i];
  }
  const double variance = cost_deviation * cost_deviation + xPx;
  const double scale = 1.0 / variance;
  const double error = std::log(cost / expected_) - foretold;
  // A surprise may be an operator that changed in a way the context does not show.
  if (error * error > surprise * surprise * variance) radius_.doubt();
  for (size_t i = 0; i < num_terms; ++i) {
    const double gain = scale * Px[i];
    mean_[i] += gain * error;
    for (size_t j = 0; j < num_terms; ++j) covariance_[i][j] -= gain * Px[j];
  }
}

std::vector<Field> RelaxPrior::state() const {
  std::vector<double> out = {static_cast<double>(rounds_)};
  out.insert(out.end(), mean_.begin(), mean_.end());
  for (const Terms& row : covariance_) out.insert(out.end(), row.begin(), row.end());
  std::vector<Field> fields = radius_.state();
  fields.push_back(numbers_field("correction", out, "rounds, mean and covariance of a, b, c"));
  return fields;
}

void RelaxPrior::restore(const StateSource& state, const Problem& problem) {
  StoredNumbers numbers(state.numbers("correction"));
  rounds_ = static_cast<std::uint64_t>(numbers.take());
  numbers.take_all(mean_);
  for (Terms& row : covariance_) numbers.take_all(row);
  numbers.end();
  radius_.restore(state, dynamic_cast<const LinearSystem&>(problem));
}

}  // namespace tuning
