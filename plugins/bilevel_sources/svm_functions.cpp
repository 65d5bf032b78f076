#include "svm_functions.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>

namespace bilevel_sources {

namespace {

using HostView = Kokkos::View<double*, Kokkos::HostSpace>;

/// Arrays of the host for what a product with a Hessian is given.
template <class View>
std::vector<double> on_host(const View& view) {
  std::vector<double> values(view.extent(0));
  Kokkos::deep_copy(HostView(values.data(), values.size()), view);
  return values;
}

/// The lower triangle of a dense block that begins at (first, first).
void add_triangle(std::size_t first, std::size_t size, SparsePattern& to) {
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      to.rows.push_back(static_cast<Index>(first + i));
      to.columns.push_back(static_cast<Index>(first + j));
    }
}

void add_place(std::size_t i, std::size_t j, SparsePattern& to) {
  to.rows.push_back(static_cast<Index>(i));
  to.columns.push_back(static_cast<Index>(j));
}

[[noreturn]] void only_products() {
  throw Unsupported("more than " + std::to_string(most_entries) +
                    " features: the Hessian offers products, not entries");
}

double half_squares(std::span<const double> u) {  // of w, which is all but the last
  double sum = 0.0;
  for (std::size_t j = 0; j + 1 < u.size(); ++j) sum += u[j] * u[j];
  return 0.5 * sum;
}

}  // namespace

/// Of F at (w, b): r_i = a_i . (w, b) / |w| and weights of its derivatives.
struct SvmUpper::Point {
  double length = 0.0;
  std::vector<double> margins, first, second;  ///< a_i . (w, b), phi', phi''
  double sum = 0.0;                            ///< F
};

SvmUpper::SvmUpper(SvmLayout layout, std::shared_ptr<const SvmSamples> samples, double leak)
    : layout_(layout), samples_(std::move(samples)), leak_(leak) {
  if (has_entries()) add_triangle(layout_.w(), layout_.q, hessian_);
}

const SparsePattern& SvmUpper::hessian_pattern() const {
  if (!has_entries()) only_products();
  return hessian_;
}

SvmUpper::Point SvmUpper::at(In v) const {
  const In u = v.subspan(layout_.w(), layout_.q);
  const std::size_t count = samples_->labels().size();
  Point p;
  p.length = std::sqrt(2.0 * half_squares(u));
  p.margins.resize(count);
  p.first.resize(count);
  p.second.resize(count);
  samples_->multiply(u, p.margins);
  constexpr double steepness = 2.5;
  for (std::size_t i = 0; i < count; ++i) {
    const double r = p.length > 0.0 ? p.margins[i] / p.length : NAN;
    const double t = std::tanh(steepness * r), slope = 1.0 - t * t;
    const double factor = r < 0.0 ? 1.0 : leak_;
    p.sum -= factor * t;
    p.first[i] = -factor * steepness * slope;
    p.second[i] = 2.0 * factor * steepness * steepness * t * slope;
  }
  return p;
}

double SvmUpper::loss(In u) const {
  const std::size_t count = samples_->labels().size();
  std::vector<double> margins(count);
  samples_->multiply(u, margins);
  const double length = std::sqrt(2.0 * half_squares(u));
  double sum = 0.0;
  for (const double m : margins) {
    const double t = length > 0.0 ? std::tanh(2.5 * m / length) : NAN;
    sum -= (m < 0.0 ? 1.0 : leak_) * t;
  }
  return sum;
}

// With r_i = m_i / |w|, m_i = a_i . u, and e = (w, 0) / |w|:
//   r_i' = a_i / |w| - m_i e / |w|^2.
void SvmUpper::host_gradient(In v, Out g) {
  const Point p = at(v);
  const In u = v.subspan(layout_.w(), layout_.q);
  std::fill(g.begin(), g.end(), 0.0);
  const Out part = g.subspan(layout_.w(), layout_.q);
  samples_->add_transposed(p.first, part);
  double along = 0.0;
  for (std::size_t i = 0; i < p.margins.size(); ++i) along += p.first[i] * p.margins[i];
  const double square = p.length * p.length;
  for (std::size_t j = 0; j < layout_.q; ++j) {
    if (j + 1 < layout_.q) part[j] -= along * u[j] / square;
    part[j] /= p.length;
  }
}

// F'' = sum phi'' r' r'^T + phi' r'', where with a = sum phi' a_i, M = sum phi' m_i
//   sum phi' r'' = -(a e^T + e a^T) / |w|^2 + M (3 e e^T - I_w) / |w|^3.
void SvmUpper::host_hessian(In v, double sigma, In, Out values) {
  const Point p = at(v);
  const In u = v.subspan(layout_.w(), layout_.q);
  const std::size_t q = layout_.q, count = p.margins.size();
  std::vector<double> e(q, 0.0), a(q, 0.0), row(q);
  for (std::size_t j = 0; j + 1 < q; ++j) e[j] = u[j] / p.length;
  samples_->add_transposed(p.first, a);
  double M = 0.0;
  for (std::size_t i = 0; i < count; ++i) M += p.first[i] * p.margins[i];
  const double square = p.length * p.length, cube = square * p.length;
  std::size_t at_entry = 0;
  for (std::size_t j = 0; j < q; ++j)
    for (std::size_t l = 0; l <= j; ++l)
      values[at_entry++] =
          sigma * (-(a[j] * e[l] + e[j] * a[l]) / square +
                   M * (3.0 * e[j] * e[l] - (j == l && j + 1 < q ? 1.0 : 0.0)) / cube);
  for (std::size_t i = 0; i < count; ++i) {
    std::fill(row.begin(), row.end(), 0.0);
    samples_->for_row(i, [&](std::size_t j, double value) { row[j] = value / p.length; });
    for (std::size_t j = 0; j + 1 < q; ++j) row[j] -= p.margins[i] * e[j] / square;
    at_entry = 0;
    for (std::size_t j = 0; j < q; ++j) {
      const double factor = sigma * p.second[i] * row[j];
      for (std::size_t l = 0; l <= j; ++l) values[at_entry++] += factor * row[l];
    }
  }
}

void SvmUpper::do_apply_hessian(const ConstVectorView& v_view, double sigma, const ConstVectorView&,
                                const ConstVectorView& direction, const VectorView& out_view) {
  const std::vector<double> v = on_host(v_view), d = on_host(direction);
  std::vector<double> out(v.size(), 0.0);
  const Point p = at(v);
  const std::size_t q = layout_.q, count = p.margins.size();
  const In u = In(v).subspan(layout_.w(), q), du = In(d).subspan(layout_.w(), q);
  std::vector<double> a(q, 0.0), along(count), e(q, 0.0);
  for (std::size_t j = 0; j + 1 < q; ++j) e[j] = u[j] / p.length;
  samples_->add_transposed(p.first, a);
  samples_->multiply(du, along);
  double M = 0.0, e_d = 0.0, a_d = 0.0;
  for (std::size_t i = 0; i < count; ++i) M += p.first[i] * p.margins[i];
  for (std::size_t j = 0; j < q; ++j) {
    e_d += e[j] * du[j];
    a_d += a[j] * du[j];
  }
  const double square = p.length * p.length, cube = square * p.length;
  // phi'' (r' . d) for each sample; its r' = a_i / |w| - m_i e / |w|^2.
  double back = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    const double turned = along[i] / p.length - p.margins[i] * e_d / square;
    along[i] = p.second[i] * turned;
    back += along[i] * p.margins[i];
    along[i] /= p.length;
  }
  const Out part = Out(out).subspan(layout_.w(), q);
  samples_->add_transposed(along, part);
  for (std::size_t j = 0; j < q; ++j) {
    part[j] -= back * e[j] / square;
    part[j] -= (a[j] * e_d + e[j] * a_d) / square;
    part[j] += M * (3.0 * e[j] * e_d - (j + 1 < q ? du[j] : 0.0)) / cube;
    part[j] *= sigma;
  }
  Kokkos::deep_copy(out_view, HostView(out.data(), out.size()));
}

SvmLower::SvmLower(SvmLayout layout, std::shared_ptr<const SvmSamples> samples)
    : layout_(layout), samples_(std::move(samples)) {
  for (std::size_t i = 0; i < layout_.n; ++i) {
    samples_->for_row(i, [&](std::size_t j, double value) {
      if (value == 0.0) return;
      add_place(i, layout_.w() + j, jacobian_);
      jacobian_values_.push_back(-value);
    });
    add_place(i, layout_.slack() + i, jacobian_);
    jacobian_values_.push_back(-1.0);
  }
  for (std::size_t i = 0; i < layout_.n; ++i) add_place(i, i, hessian_);
  for (std::size_t j = 0; j + 1 < layout_.q; ++j)
    add_place(layout_.w() + j, layout_.w() + j, hessian_);
  for (std::size_t i = 0; i < layout_.n; ++i) {
    add_place(layout_.slack() + i, i, hessian_);
    add_place(layout_.slack() + i, layout_.slack() + i, hessian_);
  }
}

double SvmLower::host_objective(In v) {
  double sum = half_squares(v.subspan(layout_.w(), layout_.q));
  for (std::size_t i = 0; i < layout_.n; ++i) {
    const double s = v[layout_.slack() + i];
    sum += 0.5 * std::exp(v[i]) * s * s;
  }
  return sum;
}

void SvmLower::host_gradient(In v, Out g) {
  for (std::size_t i = 0; i < layout_.n; ++i) {
    const double s = v[layout_.slack() + i], force = std::exp(v[i]) * s;
    g[i] = 0.5 * force * s;
    g[layout_.slack() + i] = force;
  }
  for (std::size_t j = 0; j < layout_.q; ++j)
    g[layout_.w() + j] = j + 1 < layout_.q ? v[layout_.w() + j] : 0.0;
}

void SvmLower::host_constraints(In v, Out c) {
  samples_->multiply(v.subspan(layout_.w(), layout_.q), c);
  for (std::size_t i = 0; i < layout_.n; ++i) c[i] = 1.0 - c[i] - v[layout_.slack() + i];
}

void SvmLower::host_jacobian(In, Out values) {
  std::copy(jacobian_values_.begin(), jacobian_values_.end(), values.begin());
}

void SvmLower::host_hessian(In v, double sigma, In, Out values) {
  const std::size_t n = layout_.n, others = n + layout_.q - 1;
  std::fill(values.begin(), values.end(), sigma);
  for (std::size_t i = 0; i < n; ++i) {
    const double s = v[layout_.slack() + i], weight = sigma * std::exp(v[i]);
    values[i] = 0.5 * weight * s * s;
    values[others + 2 * i] = weight * s;
    values[others + 2 * i + 1] = weight;
  }
}

SvmReducedLower::SvmReducedLower(SvmLayout layout, std::shared_ptr<const SvmSamples> samples)
    : layout_(layout),
      samples_(std::move(samples)),
      losses_(layout.n),
      weights_(layout.n),
      along_(layout.n) {
  if (!has_entries()) return;
  for (std::size_t i = 0; i < layout_.n; ++i) add_place(i, i, hessian_);
  for (std::size_t i = 0; i < layout_.n; ++i)
    samples_->for_row(i, [&](std::size_t j, double) { add_place(layout_.w() + j, i, hessian_); });
  add_triangle(layout_.w(), layout_.q, hessian_);
}

const SparsePattern& SvmReducedLower::hessian_pattern() const {
  if (!has_entries()) only_products();
  return hessian_;
}

/// losses_ = max(0, 1 - a_i . (w, b)), weights_ = e^{c_i} where there is a loss.
void SvmReducedLower::find_losses(In v) {
  samples_->multiply(v.subspan(layout_.w(), layout_.q), losses_);
  for (std::size_t i = 0; i < layout_.n; ++i) {
    losses_[i] = std::max(0.0, 1.0 - losses_[i]);
    weights_[i] = losses_[i] > 0.0 ? std::exp(v[i]) : 0.0;
  }
}

double SvmReducedLower::host_objective(In v) {
  find_losses(v);
  double sum = half_squares(v.subspan(layout_.w(), layout_.q));
  for (std::size_t i = 0; i < layout_.n; ++i) sum += 0.5 * weights_[i] * losses_[i] * losses_[i];
  return sum;
}

void SvmReducedLower::host_gradient(In v, Out g) {
  find_losses(v);
  const Out part = g.subspan(layout_.w(), layout_.q);
  for (std::size_t j = 0; j < layout_.q; ++j)
    part[j] = j + 1 < layout_.q ? v[layout_.w() + j] : 0.0;
  for (std::size_t i = 0; i < layout_.n; ++i) {
    g[i] = 0.5 * weights_[i] * losses_[i] * losses_[i];
    along_[i] = -weights_[i] * losses_[i];
  }
  samples_->add_transposed(along_, part);
}

void SvmReducedLower::host_hessian(In v, double sigma, In, Out values) {
  find_losses(v);
  const std::size_t n = layout_.n, q = layout_.q;
  std::fill(values.begin(), values.end(), 0.0);
  std::size_t entry = n;
  for (std::size_t i = 0; i < n; ++i) {
    const double force = sigma * weights_[i] * losses_[i];
    values[i] = 0.5 * force * losses_[i];
    samples_->for_row(i, [&](std::size_t, double a) { values[entry++] = -force * a; });
  }
  const Out block = values.subspan(entry);
  for (std::size_t i = 0; i < n; ++i) {
    if (weights_[i] == 0.0) continue;
    const double* const a = samples_->full_row(i);
    std::size_t at = 0;
    for (std::size_t j = 0; j < q; ++j) {
      const double factor = sigma * weights_[i] * a[j];
      for (std::size_t l = 0; l <= j; ++l) block[at++] += factor * a[l];
    }
  }
  for (std::size_t j = 0; j + 1 < q; ++j) block[j * (j + 1) / 2 + j] += sigma;
}

void SvmReducedLower::do_apply_hessian(const ConstVectorView& v_view, double sigma,
                                       const ConstVectorView&, const ConstVectorView& direction,
                                       const VectorView& out_view) {
  const std::vector<double> v = on_host(v_view), d = on_host(direction);
  std::vector<double> out(v.size(), 0.0);
  find_losses(v);
  const std::size_t n = layout_.n, q = layout_.q;
  samples_->multiply(In(d).subspan(layout_.w(), q), along_);
  for (std::size_t i = 0; i < n; ++i) {
    const double force = sigma * weights_[i] * losses_[i];
    out[i] = 0.5 * force * losses_[i] * d[i] - force * along_[i];
    along_[i] = sigma * weights_[i] * along_[i] - force * d[i];
  }
  const Out part = Out(out).subspan(layout_.w(), q);
  samples_->add_transposed(along_, part);
  for (std::size_t j = 0; j + 1 < q; ++j) part[j] += sigma * d[layout_.w() + j];
  Kokkos::deep_copy(out_view, HostView(out.data(), out.size()));
}

SvmProjection::SvmProjection(SvmLayout layout, std::shared_ptr<const SvmSamples> samples,
                             double low, double high)
    : layout_(layout),
      samples_(std::move(samples)),
      low_(low),
      high_(high),
      newton_(*samples_, std::vector<double>(layout.q, 1.0)),
      ones_(layout.n, 1.0),
      gaps_(layout.n),
      margins_(layout.n) {}

void SvmProjection::project(const VectorView& view) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), view);
  const std::span<double> v(host.data(), host.extent(0));
  const std::size_t n = layout_.n;
  if (!std::all_of(v.begin(), v.end(), [](double a) { return std::isfinite(a); })) return;
  for (double& c : v.first(n)) c = std::clamp(c, low_, high_);
  const std::span<double> u = v.subspan(layout_.w(), layout_.q), s = v.subspan(layout_.slack(), n);
  for (std::size_t i = 0; i < n; ++i) gaps_[i] = 1.0 - s[i];
  if (u_.empty()) u_.assign(u.begin(), u.end());
  if (newton_.solve(u, ones_, gaps_, u_) < 0) {
    u_.assign(u.begin(), u.end());
    if (newton_.solve(u, ones_, gaps_, u_) < 0)
      throw NumericalError("the projection in (w, b) did not settle in 100 Newton steps");
  }
  std::copy(u_.begin(), u_.end(), u.begin());
  // Slacks from the margins themselves, so that the rows hold to rounding.
  samples_->multiply(u, margins_);
  for (std::size_t i = 0; i < n; ++i) s[i] = std::max(s[i], 1.0 - margins_[i]);
  Kokkos::deep_copy(view, host);
}

}  // namespace bilevel_sources
