#include "jacobi_radius.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/jacobi_spectrum.hpp>
#include <utility>

#include "tsallis_inf.hpp"

namespace tuning {

/// s0 += d_i v_i^2, s1 += q_i^2 / d_i.
struct WeightedSquares {
  const double* d;
  const double* v;
  const double* q;
  KOKKOS_FUNCTION void operator()(Index i, double& vDv, double& qq) const {
    vDv += d[i] * v[i] * v[i];
    qq += q[i] * q[i] / d[i];
  }
};

/// d_i = 1 / d_i.
struct Invert {
  double* d;
  KOKKOS_FUNCTION void operator()(Index i) const { d[i] = 1.0 / d[i]; }
};

/// v = product over the axes of sin(pi (i + 1) / (n + 1)): the slowest mode between walls at zero.
struct Sines {
  Box box;
  int dimension;
  double step[3];  ///< pi / (n + 1)
  double* v;
  KOKKOS_FUNCTION void operator()(Index c) const {
    double product = 1.0;
    Index rest = c;
    for (int a = 0; a < dimension; ++a) {
      const Index n = box.end[a] - box.begin[a];
      product *= Kokkos::sin((box.begin[a] + rest % n + 1) * step[a]);
      rest /= n;
    }
    v[c] = product;
  }
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
/// For the largest eigenvalue, which random vectors show soon.
constexpr int steps_for_largest = 10;
/// Systems between two checks at most: these, or this part of those seen. A change that neither context
/// nor costs show is played over for no longer.
constexpr double largest_gap = 32.0;
constexpr double largest_gap_of_seen = 0.25;

using Clock = std::chrono::steady_clock;

constexpr const char* asker = "the tuner 'relax-prior'";

}  // namespace

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

JacobiRadius::Forms JacobiRadius::measure(double context, const LinearSystem& system) {
  take_diagonal(system);
  products_ += 1.0;
  Forms forms{.context = context};
  forms.vAv = system.A().apply_dot(v(), q_);
  const Sums<2> s =
      reduce_rows<Sums<2>>(default_space(), "relax_prior::forms", d_.local_size(),
                           WeightedSquares{d_.data(), v().data(), q_.data()});
  double sums[] = {s.value[0], s.value[1]};
  d_.communicator().sum(sums);
  forms.vDv = sums[0];
  forms.error2 = std::max(0.0, sums[1] / sums[0] - forms.lambda() * forms.lambda());
  return forms;
}

JacobiRadius::Forms JacobiRadius::start_vector(double context, const LinearSystem& system) {
  fill(v(), 1.0);
  Forms ones = measure(context, system);
  if (!system.grid) return ones;
  const Grid& grid = *system.grid;
  Box box{.begin = {0, 0, 0}, .end = {grid.cells[0], grid.cells[1], grid.cells[2]}};
  if (system.box) box = *system.box;
  if (box.num_cells() != v().local_size()) return ones;
  Sines sines{.box = box, .dimension = grid.dimension, .step = {}, .v = v().data()};
  for (int a = 0; a < grid.dimension; ++a) sines.step[a] = M_PI / (grid.cells[a] + 1.0);
  for_rows(ExecSpace(), "relax_prior::sines", v().local_size(), sines);
  const Forms smooth = measure(context, system);
  if (smooth.lambda() <= ones.lambda()) return smooth;
  fill(v(), 1.0);
  return ones;
}

void JacobiRadius::improve_vector(const LinearSystem& system) {
  // From D v, v positive, as the eigenvector is where no coupling is positive. Where ones may be in the
  // null space, from random numbers.
  take_diagonal(system);
  if (system.null_space) {
    fill_uniform(q_, RandomStream(1, "tuning::relax_prior::start"));
    system.null_space->project_out(q_);
  } else {
    multiply(d_, v(), q_);
  }
  for_rows(ExecSpace(), "relax_prior::invert", d_.local_size(), Invert{d_.data()});
  const JacobiSpectrum found = estimate_jacobi_spectrum(
      system.A(), d_, q_,
      {.max_steps = max_lanczos_steps(system.num_unknowns()), .smallest_to = good_vector, .asker = asker},
      &v());
  products_ += found.products;
  asymmetry_ = std::max(1.0, (found.largest - 1.0) / std::max(1.0 - found.smallest, 1e-12));
}

void JacobiRadius::find_asymmetry(const LinearSystem& system) {
  const double smallest = line_[0].lambda();
  take_diagonal(system);
  fill_uniform(q_, RandomStream(1, "tuning::relax_prior::start"));
  for_rows(ExecSpace(), "relax_prior::invert", d_.local_size(), Invert{d_.data()});
  const JacobiSpectrum found = estimate_jacobi_spectrum(
      system.A(), d_, q_, {.max_steps = steps_for_largest, .asker = asker});
  products_ += found.products;
  asymmetry_ = std::max(1.0, (found.largest - 1.0) / std::max(1.0 - smallest, 1e-12));
}

/// v anew: what costs nothing where that is an eigenvector, else by Lanczos steps from it.
double JacobiRadius::estimate_anew(double context, const LinearSystem& system) {
  if (v().data() == nullptr || !(v().partition() == system.x().partition())) make_vector(system);
  forget_line();
  if (!system.null_space) line_[0] = start_vector(context, system);
  if (!system.null_space && line_[0].is_eigenvector_to(good_vector)) {
    find_asymmetry(system);
  } else {
    improve_vector(system);
    line_[0] = measure(context, system);
  }
  points_ = 1;
  hardest_ = line_[0].lambda();
  until_ = 1.0;
  return radius(hardest_);
}

void JacobiRadius::forget_line() {
  points_ = 0;
  is_trusted_ = false;
  gap_ = 1.0;
}

JacobiRadius::Forms JacobiRadius::predict(double context) const {
  const auto& [p, q] = line_;
  const double t = points_ == 2 ? (context - p.context) / (q.context - p.context) : 0.0;
  return {.context = context, .vAv = p.vAv + t * (q.vAv - p.vAv), .vDv = p.vDv + t * (q.vDv - p.vDv)};
}

/// Between the two points of the line, or no further outside than they are apart; at the point where
/// there is one only.
bool JacobiRadius::is_near(double context) const {
  if (points_ < 2) return points_ == 1 && context == line_[0].context;
  const double reach = line_[1].context - line_[0].context;
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

double JacobiRadius::radius(double lambda) const {
  return std::clamp(asymmetry_ * (1.0 - lambda), 0.0, 1.0 - 1e-12);
}

double JacobiRadius::check(double context, const LinearSystem& system) {
  Forms forms = measure(context, system);
  if (forms.lambda() < 0.5 * hardest_) {
    if (!forms.is_eigenvector_to(good_lambda)) {
      forget_line();
      improve_vector(system);
      forms = measure(context, system);
    }
    hardest_ = forms.lambda();
  }
  const double foretold = is_near(context) ? predict(context).lambda() : -1.0;
  is_trusted_ = std::abs(foretold - forms.lambda()) <= 0.5 * good_lambda * forms.lambda();
  const double most = std::max(largest_gap, largest_gap_of_seen * seen_);
  gap_ = is_trusted_ ? std::min(2.0 * gap_, most) : 1.0;
  until_ = gap_;
  keep(forms);
  return radius(forms.lambda());
}

double JacobiRadius::estimate(double context, const LinearSystem& system) {
  const bool is_new = v().data() == nullptr || !(v().partition() == system.x().partition());
  seen_ += 1.0;
  until_ -= 1.0;
  const bool begins = is_new || std::exchange(is_doubted_, false);
  if (!begins && is_trusted_ && until_ > 0.0 && is_near(context)) {
    const double lambda = predict(context).lambda();
    if (lambda > 0.5 * hardest_) return radius(lambda);
  }
  const auto start = Clock::now();
  const double found = begins ? estimate_anew(context, system) : check(context, system);
  seconds_ += std::chrono::duration<double>(Clock::now() - start).count();
  return found;
}

std::vector<Field> JacobiRadius::state() const {
  if (v().data() == nullptr) return {};
  std::vector<double> out = {asymmetry_, hardest_, static_cast<double>(points_), seen_, gap_, until_,
                             products_, seconds_, is_trusted_ ? 1.0 : 0.0, is_doubted_ ? 1.0 : 0.0};
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
  seen_ = numbers.take();
  gap_ = numbers.take();
  until_ = numbers.take();
  products_ = numbers.take();
  seconds_ = numbers.take();
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

}  // namespace tuning
