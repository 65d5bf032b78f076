#include "separable.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <limits>

#include "spaces.hpp"

namespace proximal {

namespace {

struct Shrink {
  const double* x;
  double threshold;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double above = x[i] - threshold, below = x[i] + threshold;
    z[i] = above > 0.0 ? above : below < 0.0 ? below : 0.0;
  }
};

struct Clip {
  const double *lower, *upper, *x;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const double raised = x[i] < lower[i] ? lower[i] : x[i];
    z[i] = raised > upper[i] ? upper[i] : raised;
  }
};

struct Absolute {
  const double* x;
  KOKKOS_FUNCTION void operator()(Index i, double& sum) const { sum += Kokkos::abs(x[i]); }
};

struct Outside {
  const double* x;
  double lower, upper;
  KOKKOS_FUNCTION void operator()(Index i, double& sum) const {
    sum += x[i] >= lower && x[i] <= upper ? 0.0 : 1.0;
  }
};

/// 0, or NaN: closed forms hide a NaN in x from nobody.
double exact_if_finite(const Vector& x) {
  return std::isfinite(norm_max(x)) ? 0.0 : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

void SoftThresholdOptions::describe(Fields<SoftThresholdOptions>& f) {
  f.add("measure", &SoftThresholdOptions::measure, Choices{{"integral", "nodes"}}, measure_help);
}

void SoftThreshold::prepare(const ProximalSpace& space) {
  volume_ = options_.measure == "integral" ? space.cell_volume() : 1.0;
  lower_ = space.has_bounds() ? on_device(space.lower) : VectorView();
  upper_ = space.has_bounds() ? on_device(space.upper) : VectorView();
}

double SoftThreshold::apply(const Vector& x, double t, double, const Vector& z) {
  for_rows(default_space(), "proximal::shrink", x.local_size(), Shrink{x.data(), t * volume_, z.data()});
  if (lower_.data() != nullptr)
    for_rows(default_space(), "proximal::clip", x.local_size(),
             Clip{lower_.data(), upper_.data(), z.data(), z.data()});
  return exact_if_finite(x);
}

std::optional<double> SoftThreshold::value(const Vector& x) {
  const double sum =
      reduce_rows<Sums<1>>(default_space(), "proximal::absolute", x.local_size(), Absolute{x.data()})
          .value[0];
  return volume_ * x.communicator().sum(sum);
}

void BoxOptions::describe(Fields<BoxOptions>& f) {
  f.add("lower", &BoxOptions::lower, Range::any(), "smallest value");
  f.add("upper", &BoxOptions::upper, Range::any(), "largest value");
}

void BoxOptions::check(const BoxOptions& o, const std::string& prefix, const SourceLocation& where,
                       Diagnostics& problems) {
  if (!(o.lower <= o.upper))
    problems.add(where, prefix + "lower", "must be at most 'upper', which is " + std::to_string(o.upper));
}

void BoxIndicator::prepare(const ProximalSpace& space) {
  const auto n = static_cast<std::size_t>(space.partition.local_size());
  std::vector<double> lower(n, options_.lower), upper(n, options_.upper);
  bool is_empty = false;
  for (std::size_t i = 0; space.has_bounds() && i < n; ++i) {
    lower[i] = std::max(lower[i], space.lower[i]);
    upper[i] = std::min(upper[i], space.upper[i]);
    is_empty = is_empty || lower[i] > upper[i];
  }
  if (space.partition.communicator().max(is_empty ? 1.0 : 0.0) > 0.0)
    throw DataError("regulariser 'box': [" + std::to_string(options_.lower) + ", " +
                    std::to_string(options_.upper) + "] and the bounds of '" + space.what +
                    "' have nothing in common");
  lower_ = on_device(lower);
  upper_ = on_device(upper);
}

double BoxIndicator::apply(const Vector& x, double, double, const Vector& z) {
  for_rows(default_space(), "proximal::clip", x.local_size(),
           Clip{lower_.data(), upper_.data(), x.data(), z.data()});
  return exact_if_finite(x);
}

std::optional<double> BoxIndicator::value(const Vector& x) {
  const double outside =
      reduce_rows<Sums<1>>(default_space(), "proximal::outside", x.local_size(),
                           Outside{x.data(), options_.lower, options_.upper})
          .value[0];
  return x.communicator().sum(outside) > 0.0 ? INFINITY : 0.0;
}

}  // namespace proximal
