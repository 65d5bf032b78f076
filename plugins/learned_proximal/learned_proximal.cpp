#include "learned_proximal.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/io/weights_file.hpp>
#include <limits>

namespace learned_proximal {

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr int most_newton_steps = 30, most_cg_steps = 60, most_halvings = 20;
/// Root mean square of f(y) - x over `scale` at the end of an inversion; R misses by its square.
constexpr double inversion_tolerance = 1e-8;

double inner(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void require_pictures(const ProximalSpace& space) {
  const std::string name = "regulariser 'learned-proximal' ";
  if (!space.grid)
    throw Unsupported(name + "needs functions on a grid, and '" + space.what +
                      "' has none that its variables are values on; use 'soft-threshold' or 'box'");
  const Grid& grid = *space.grid;
  if (grid.dimension != 2)
    throw Unsupported(name + "was trained on pictures and works in 2D, '" + space.what + "' is " +
                      std::to_string(grid.dimension) + "D; use 'total-variation'");
  if (std::abs(grid.spacing[0] - grid.spacing[1]) > 1e-6 * grid.spacing[0])
    throw Unsupported(name + "was trained on square cells, those of '" + space.what + "' are " +
                      short_number(grid.spacing[0]) + " x " + short_number(grid.spacing[1]) +
                      "; use 'total-variation'");
  if (space.partition.communicator().size() > 1)
    throw Unsupported(name + "works on one rank, and '" + space.what + "' lies over " +
                      std::to_string(space.partition.communicator().size()) +
                      "; use one rank, or 'soft-threshold' or 'box'");
  if (space.has_bounds())
    throw Unsupported(name + "has no proximal operator with bounds, and '" + space.what +
                      "' has them; leave them out, or use 'total-variation'");
}

}  // namespace

void LearnedProximalOptions::describe(Fields<LearnedProximalOptions>& f) {
  using O = LearnedProximalOptions;
  f.add("weights", &O::weights, "trained weights by name, or a file");
  f.add("scale", &O::scale, Range::above(0.0),
        "s of f(x) = s grad psi(x / s): takes out noise of s times the deviation trained on, from "
        "values in "
        "[0, s]");
  f.add("symmetric", &O::symmetric,
        "the mean over the eight turns and mirror images of a picture, at eight times the work");
}

void LearnedProximal::prepare(const ProximalSpace& space) {
  require_pictures(space);
  const std::string file = find_weights(options_.weights, base_folder_);
  const Weights weights = read_weights(file);
  require_network(weights, network_kind);
  require_operator(weights, pictures_kind, 2);
  Diagnostics problems;
  const auto options = parse_options<ConvexNetworkOptions>(
      weights.options, "weights.options.", "networks of 'learned-proximal'", problems);
  problems.throw_if_any();
  const ConvexNetwork network(options);
  const std::vector<float> parameters = network.from_arrays(weights);
  networks_.clear();
  for (int symmetry = 0; symmetry < (options_.symmetric ? num_symmetries : 1); ++symmetry)
    networks_.emplace_back(network).set(network.turned(parameters, symmetry));
  const Grid& grid = *space.grid;
  pass_ = std::make_unique<ConvexPass<double>>(networks_[0], grid.cells[0], grid.cells[1]);
  cells_ = static_cast<std::size_t>(grid.num_cells());
  fields_ = static_cast<std::size_t>(space.num_fields);
  known_ = {};
  passes_ = inversions_ = 0;
}

double LearnedProximal::evaluate(const double* y, double* f, const double* v, double* Hv) {
  const double s = options_.scale, part = 1.0 / static_cast<double>(networks_.size());
  std::vector<double> scaled(y, y + cells_), one(cells_);
  for (double& value : scaled) value /= s;
  const auto add = [&](double factor, double* sum) {
    for (std::size_t i = 0; i < cells_; ++i) sum[i] += factor * one[i];
  };
  if (f != nullptr) std::fill(f, f + cells_, 0.0);
  if (Hv != nullptr) std::fill(Hv, Hv + cells_, 0.0);
  double psi = 0.0;
  for (const PackedNetwork<double>& network : networks_) {
    pass_->use(network);
    psi += s * s * part * pass_->value(scaled.data());
    ++passes_;
    if (f == nullptr && v == nullptr) continue;
    pass_->gradient(one.data());
    if (f != nullptr) add(s * part, f);
    if (v == nullptr) continue;
    pass_->apply_hessian(v, one.data());
    add(part, Hv);
  }
  return psi;
}

double LearnedProximal::apply_to_field(const double* y, double* f) {
  const double psi = evaluate(y, f);
  double yf = 0.0, ff = 0.0;
  for (std::size_t i = 0; i < cells_; ++i) {
    yf += y[i] * f[i];
    ff += f[i] * f[i];
  }
  return yf - 0.5 * ff - psi;
}

double LearnedProximal::apply(const Vector& x, double t, double, const Vector& z) {
  if (t != 1.0)
    throw Unsupported(
        "regulariser 'learned-proximal' was trained for one step, 1, and is asked for " +
        short_number(t) + "; use a method that asks for fixed_step(), as 'fista' and 'admm' do");
  const auto y = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), x.view());
  const auto f = Kokkos::create_mirror_view(Kokkos::HostSpace(), z.view());
  Known known{std::vector<double>(fields_ * cells_), 0.0};
  for (std::size_t field = 0; field < fields_; ++field)
    known.value += apply_to_field(y.data() + field * cells_, known.z.data() + field * cells_);
  std::copy(known.z.begin(), known.z.end(), f.data());
  Kokkos::deep_copy(z.view(), f);
  const bool is_finite =
      std::all_of(known.z.begin(), known.z.end(), [](double v) { return std::isfinite(v); });
  if (!is_finite) return nan;
  remember(std::move(known));
  return 0.0;
}

void LearnedProximal::remember(Known known) {
  known_[next_known_] = std::move(known);
  next_known_ = (next_known_ + 1) % known_.size();
}

bool LearnedProximal::invert(const double* x, std::vector<double>& y) {
  // min over y of phi(y) = s^2 psi(y / s) - <x, y>, strongly convex: Newton's method, steps by
  // conjugate gradients, halved until phi falls.
  const std::vector<double> target(x, x + cells_);
  double rounding = 0.0;  // what phi at `at` may be off by
  const auto phi_at = [&](const std::vector<double>& at, std::vector<double>& f_at) {
    const double psi = evaluate(at.data(), f_at.data()), linear = inner(target, at);
    rounding = 1e-14 * (std::abs(psi) + std::abs(linear));
    return psi - linear;
  };
  const double size = options_.scale * std::sqrt(static_cast<double>(cells_));
  std::vector<double> r(cells_), d(cells_), p(cells_), Hp(cells_), trial(cells_), f(cells_);
  double phi = phi_at(y, f);
  for (int k = 0; k < most_newton_steps && !is_stopped(); ++k) {
    for (std::size_t i = 0; i < cells_; ++i) r[i] = target[i] - f[i];
    double rr = inner(r, r);
    const double missed = std::sqrt(rr) / size;
    if (!std::isfinite(missed)) return false;
    if (missed <= inversion_tolerance) return true;
    std::fill(d.begin(), d.end(), 0.0);
    p = r;
    const std::vector<double> downhill = r;
    const double wanted = rr * std::min(0.01, missed);
    for (int j = 0; j < most_cg_steps && rr > wanted && !is_stopped(); ++j) {
      (void)evaluate(y.data(), nullptr, p.data(), Hp.data());
      const double step = rr / inner(p, Hp);
      for (std::size_t i = 0; i < cells_; ++i) {
        d[i] += step * p[i];
        r[i] -= step * Hp[i];
      }
      const double before = std::exchange(rr, inner(r, r));
      for (std::size_t i = 0; i < cells_; ++i) p[i] = r[i] + rr / before * p[i];
    }
    double length = 1.0;
    const double slope = inner(downhill, d);
    int halvings = 0;
    for (; halvings < most_halvings; ++halvings, length *= 0.5) {
      for (std::size_t i = 0; i < cells_; ++i) trial[i] = y[i] + length * d[i];
      const double there = phi_at(trial, f);
      if (there <= phi - 1e-4 * length * slope + rounding) {
        phi = there;
        break;
      }
    }
    if (halvings == most_halvings) return false;
    y = trial;
  }
  return false;
}

double LearnedProximal::value_of(const double* x) {
  ++inversions_;
  std::vector<double> y(x, x + cells_), f(cells_);
  if (!invert(x, y)) return nan;
  return apply_to_field(y.data(), f.data());
}

std::optional<double> LearnedProximal::value(const Vector& x) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), x.view());
  const auto told = [](double value) {
    return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
  };
  for (const Known& known : known_)
    if (!known.z.empty() && std::equal(known.z.begin(), known.z.end(), host.data()))
      return told(known.value);
  Known found{{host.data(), host.data() + fields_ * cells_}, 0.0};
  for (std::size_t field = 0; field < fields_; ++field)
    found.value += value_of(host.data() + field * cells_);
  const double value = found.value;
  remember(std::move(found));  // also where it was not found: the next to ask need not wait again
  return told(value);
}

std::vector<Measure> LearnedProximal::work_counts() const {
  return {{"network_passes", static_cast<double>(passes_)},
          {"regularizer_inversions", static_cast<double>(inversions_)}};
}

}  // namespace learned_proximal
