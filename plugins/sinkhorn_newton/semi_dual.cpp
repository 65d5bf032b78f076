#include "semi_dual.hpp"

#include <cmath>
#include <limits>
#include <numeric>

namespace sinkhorn_newton {

namespace {

bool usable(double sum) {
  return sum > 0.0 && sum <= std::numeric_limits<double>::max();
}

using HostView =
    Kokkos::View<const double*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

}  // namespace

Numbers to_host(const ConstVectorView& v) {
  const auto h = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
  return {h.data(), h.data() + h.extent(0)};
}

void to_device(const Numbers& v, const VectorView& to) {
  Kokkos::deep_copy(to, HostView(v.data(), v.size()));
}

SemiDual::SemiDual(const TransportProblem& problem)
    : problem_(problem),
      n_(problem.a().local_size()),
      m_(problem.b().local_size()),
      rho_(problem.marginal_penalty().value_or(0.0)),
      a_(to_host(problem.a().view())),
      b_(to_host(problem.b().view())),
      row_sums_("sns::row_sums", static_cast<std::size_t>(n_)),
      column_sums_("sns::column_sums", static_cast<std::size_t>(m_)) {
  mass_ = std::accumulate(a_.begin(), a_.end(), 0.0);
  gradient.assign(b_.size(), 0.0);
  r = a_;
  fetch();
}

void SemiDual::fetch() {
  f = to_host(problem_.f().view());
  g = to_host(problem_.g().view());
}

void SemiDual::store() {
  to_device(f, problem_.f().view());
  to_device(g, problem_.g().view());
}

double SemiDual::target(Index j, double potential) const {
  const double b = b_[static_cast<std::size_t>(j)];
  return rho_ > 0.0 ? b * std::exp(-potential / rho_) : b;
}

void SemiDual::scale() {
  store();
  problem_.cost().scale_rows(problem_.a().view(), problem_.f().view(), problem_.g().view(), eps,
                             row_sums_, column_sums_, {.damping = damping()});
  ++passes;
  f = to_host(problem_.f().view());
  r = to_host(row_sums_);
}

void SemiDual::restore(const State& s) {
  f = s.f;
  g = s.g;
  r = s.r;
  c = s.c;
  gradient = s.gradient;
  violation = s.violation;
  value = s.value;
  store();
}

bool SemiDual::pass() {
  scale();
  // f was too far off for exp in some rows: then from the row's smallest C_ij - g_j.
  for (int attempt = 0; attempt < 2; ++attempt) {
    std::int64_t lost = 0;
    for (const double sum : r) lost += usable(sum) ? 0 : 1;
    if (lost == 0) {
      evaluate();
      return std::isfinite(violation) && std::isfinite(value);
    }
    repairs += lost;
    problem_.cost().row_minima(problem_.g().view(), row_sums_);
    ++passes;
    const Numbers minima = to_host(row_sums_);
    for (std::size_t i = 0; i < r.size(); ++i)
      if (!usable(r[i])) f[i] = minima[i];
    scale();
  }
  return false;
}

void SemiDual::evaluate() {
  c = to_host(column_sums_);
  double total = 0.0;
  double of_f = 0.0;
  for (std::size_t i = 0; i < f.size(); ++i) {
    const double shrink = rho_ > 0.0 ? std::exp(-f[i] / rho_) : 1.0;
    r[i] = a_[i] * shrink;
    total += r[i];
    of_f += rho_ > 0.0 ? rho_ * a_[i] * (1.0 - shrink) : a_[i] * f[i];
  }
  double of_g = 0.0;
  violation = 0.0;
  for (std::size_t j = 0; j < g.size(); ++j) {
    const double t = target(static_cast<Index>(j), g[j]);
    gradient[j] = t - c[j];
    violation += std::abs(gradient[j]);
    of_g += rho_ > 0.0 ? rho_ * (b_[j] - t) : b_[j] * g[j];
  }
  value = of_f + of_g - eps * total;
}

}  // namespace sinkhorn_newton
