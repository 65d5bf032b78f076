#include "total_variation.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <limits>

#include "spaces.hpp"

namespace proximal {

void TotalVariationOptions::describe(Fields<TotalVariationOptions>& f) {
  using O = TotalVariationOptions;
  f.add("measure", &O::measure, Choices{{"integral", "nodes"}}, measure_help);
  f.add("max_iterations", &O::max_iterations, Range::at_least(1), "of the dual in one application");
  f.add("check_every", &O::check_every, Range::at_least(1), "iterations between looks at the gap");
}

void TotalVariation::prepare(const ProximalSpace& space) {
  const Grid grid = whole_grid("total-variation", space);
  axes_ = grid.dimension;
  fields_ = space.num_fields;
  cells_ = {};
  norm_squared_ = 0.0;
  for (int a = 0; a < axes_; ++a) {
    const auto at = static_cast<std::size_t>(a);
    cells_.n[a] = grid.cells[at];
    cells_.inverse_spacing[a] = 1.0 / grid.spacing[at];
    // Differences of n cells: |D_a|^2 = 4/h^2 sin^2(pi (n - 1) / (2 n)) < 4/h^2.
    norm_squared_ += 4.0 * cells_.inverse_spacing[a] * cells_.inverse_spacing[a];
  }
  volume_ = options_.measure == "integral" ? space.cell_volume() : 1.0;
  const auto size = static_cast<std::size_t>(cells_.num_cells()) *
                    static_cast<std::size_t>(axes_ * fields_);
  p_ = VectorView("proximal::total_variation::p", size);
  r_ = VectorView("proximal::total_variation::r", size);
  zeros_ = VectorView("proximal::total_variation::zeros", static_cast<std::size_t>(cells_.n[0]));
  lower_ = upper_ = VectorView();
  if (space.has_bounds()) {
    lower_ = on_device(space.lower);
    upper_ = on_device(space.upper);
  }
  iterations_ = 0;
}

Dual TotalVariation::part(const VectorView& dual, Index field) const {
  Dual d;
  const std::ptrdiff_t n = cells_.num_cells();
  for (int a = 0; a < axes_; ++a) d.axis[a] = dual.data() + n * (a + axes_ * field);
  return d;
}

template <int A, bool Bounded>
double TotalVariation::iterate(const double* x, double lambda, double tolerance, Index field,
                               double* z) {
  const auto& exec = default_space();
  const Dual p = part(p_, field), r = part(r_, field);
  const std::ptrdiff_t first = std::ptrdiff_t{cells_.num_cells()} * field;
  const double* lower = Bounded ? lower_.data() + first : nullptr;
  const double* upper = Bounded ? upper_.data() + first : nullptr;
  const auto primal_of = [&](const Dual& dual) {
    reduce_cells(exec, "proximal::primal_of_dual", cells_,
                 PrimalOfDual<A, Bounded>{cells_, x, dual, lambda, lower, upper, zeros_.data(), z});
  };
  // |D z| where neighbours are equal but for rounding of numbers as large as those of x.
  const double rounding =
      4.0 * std::numeric_limits<double>::epsilon() * largest_ * std::sqrt(norm_squared_);
  const auto error_bound = [&] {  // of z(p)
    primal_of(p);
    const double gap = lambda * reduce_cells(exec, "proximal::gap", cells_,
                                             Variation<A, true>{cells_, z, p, rounding});
    return std::isnan(gap) ? gap : std::sqrt(std::max(0.0, gap));
  };
  const double step = 1.0 / (lambda * norm_squared_);
  double bound = error_bound();
  double theta = 1.0;
  Kokkos::deep_copy(r_, p_);
  for (std::int64_t k = 0; k < options_.max_iterations && bound > tolerance && !is_stopped();) {
    for (std::int64_t j = 0; j < options_.check_every; ++j, ++k, ++iterations_) {
      primal_of(r);
      const double next = 0.5 * (1.0 + std::sqrt(1.0 + 4.0 * theta * theta));
      const double uphill =
          reduce_cells(exec, "proximal::dual_step", cells_,
                       DualStep<A>{cells_, z, step, (theta - 1.0) / next, p, r});
      theta = next;
      if (uphill > 0.0) {
        theta = 1.0;
        Kokkos::deep_copy(r_, p_);
      }
    }
    bound = error_bound();
  }
  return bound;
}

template <int A>
double TotalVariation::apply_to_field(const double* x, double lambda, double tolerance, Index field,
                                      double* z) {
  return lower_.data() != nullptr ? iterate<A, true>(x, lambda, tolerance, field, z)
                                  : iterate<A, false>(x, lambda, tolerance, field, z);
}

double TotalVariation::apply(const Vector& x, double t, double tolerance, const Vector& z) {
  largest_ = norm_max(x);
  if (!std::isfinite(largest_)) return std::numeric_limits<double>::quiet_NaN();
  const double lambda = t * volume_, share = tolerance / std::sqrt(static_cast<double>(fields_));
  double squares = 0.0;
  for (Index f = 0; f < fields_; ++f) {
    const std::ptrdiff_t first = std::ptrdiff_t{cells_.num_cells()} * f;
    const double* in = x.data() + first;
    double* out = z.data() + first;
    double bound = 0.0;
    if (axes_ == 1) bound = apply_to_field<1>(in, lambda, share, f, out);
    if (axes_ == 2) bound = apply_to_field<2>(in, lambda, share, f, out);
    if (axes_ == 3) bound = apply_to_field<3>(in, lambda, share, f, out);
    squares += bound * bound;
  }
  return std::sqrt(squares);
}

std::optional<double> TotalVariation::value(const Vector& x) {
  double sum = 0.0;
  for (Index f = 0; f < fields_; ++f) {
    const double* z = x.data() + std::ptrdiff_t{cells_.num_cells()} * f;
    const auto add = [&](auto variation) {
      sum += reduce_cells(default_space(), "proximal::variation", cells_, variation);
    };
    if (axes_ == 1) add(Variation<1, false>{cells_, z, {}, 0.0});
    if (axes_ == 2) add(Variation<2, false>{cells_, z, {}, 0.0});
    if (axes_ == 3) add(Variation<3, false>{cells_, z, {}, 0.0});
  }
  return volume_ * sum;
}

std::vector<Measure> TotalVariation::work_counts() const {
  return {{"dual_iterations", static_cast<double>(iterations_)}};
}

}  // namespace proximal
