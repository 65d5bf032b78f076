#include "dcdm.hpp"

#include <chrono>
#include <cmath>
#include <cstdio>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/vector_kernels.hpp>

namespace dcdm {

namespace {

/// Stagnation: this many steps that leave more than this part of the residual.
constexpr std::int64_t stall_steps = 50;
constexpr double stall_part = 0.9;

/// d = q - h0 d0 - h1 d1; sums d^T r.
struct TwoDirections {
  const double *q, *d0, *d1, *r;
  double h0, h1;
  double* d;
  KOKKOS_FUNCTION void operator()(Index i, double& dr) const {
    const double v = q[i] - h0 * d0[i] - h1 * d1[i];
    d[i] = v;
    dr += v * r[i];
  }
};

}  // namespace

Dcdm::Dcdm(const Options& options, const Context& context)
    : options_(options), engine_(options.weights, context) {}

void Dcdm::setup(const LinearSystem& system) {
  prepared_.run(system, [&] {
    engine_.prepare(system, "dcdm");
    frame_.allocate(system);
    q_ = system.x().like("dcdm::q");
    ring_.assign(static_cast<size_t>(options_.directions) + 1, {});
    for (Direction& slot : ring_)
      slot = {system.x().like("dcdm::d"), system.b().like("dcdm::Ad"), 0.0};
  });
}

double Dcdm::orthogonalise(int num_kept, std::size_t to, const Vector& r) {
  const auto kept = [&](int back) -> const Direction& {
    return ring_[(to + ring_.size() - static_cast<size_t>(back)) % ring_.size()];
  };
  const Vector& d = ring_[to].d;
  if (num_kept == 2) {  // one pass for the products, one for the rest
    const Direction &a = kept(2), &b = kept(1);
    const DotPair dots = dot2(q_, a.Ad, b.Ad);
    const TwoDirections body{q_.data(),       a.d.data(),      b.d.data(), r.data(),
                             dots.xy / a.dAd, dots.xz / b.dAd, d.data()};
    return reduce_rows<Sums<1>>(default_space(), "dcdm::orthogonalise", q_.local_size(), body)
        .value[0];
  }
  copy(q_, d);
  for (int back = num_kept; back > 0; --back)
    axpy(-dot(q_, kept(back).Ad) / kept(back).dAd, kept(back).d, d);
  return dot(d, r);
}

InnerOutcome Dcdm::iterate(const LinearOperator& A, const InnerTask& task, SolveWatch& watch) {
  double norm = task.residual_norm;
  double norm_before = norm;  // at the last multiple of stall_steps
  int num_kept = 0;
  for (std::int64_t k = 1; k <= task.max_iterations; ++k) {
    const auto at = [&] { return " at iteration " + std::to_string(watch.before() + k); };
    // q = f(r / ||r||)
    engine_.apply(task.r, norm, q_);
    network_applications_ += 1.0;
    const std::size_t slot = static_cast<size_t>(k) % ring_.size();
    const double dr = orthogonalise(num_kept, slot, task.r);
    Direction& now = ring_[slot];
    // d^T A d
    now.dAd = A.apply_dot(now.d, now.Ad);
    applications_ += 1.0;
    if (!std::isfinite(now.dAd) || !std::isfinite(dr))
      return {Status::non_finite,
              "d^T A d = " + short_number(now.dAd) + at() +
                  ": the network or the operator returned NaN or infinity",
              k - 1};
    if (!(now.dAd > 0.0))
      return {
          Status::breakdown,
          "d^T A d = " + short_number(now.dAd) + at() +
              (norm2(now.d) == 0.0
                   ? ": the network's answer lies in the span of the last directions, or is zero"
                   : ": the operator is not positive definite; use minres or gmres"),
          k - 1};
    // x += alpha d, r = b - A x
    axpy(dr / now.dAd, now.d, task.x);
    norm = std::sqrt(A.residual(task.b, task.x, task.r));
    applications_ += 1.0;
    num_kept = std::min(num_kept + 1, options_.directions);
    if (!watch.observe(k, norm) || norm <= task.tolerance) return {Status::converged, "", k};
    if (!std::isfinite(norm))
      return {Status::non_finite, "the residual norm is " + short_number(norm) + at(), k};
    if (k % stall_steps == 0) {
      if (norm > stall_part * norm_before)
        return {Status::stagnated,
                "the last " + std::to_string(stall_steps) + " steps took the residual only from " +
                    short_number(norm_before) + " to " + short_number(norm) + at() +
                    ": the network does not know this operator; train one for it, or use cg",
                k};
      norm_before = norm;
    }
  }
  return {Status::max_iterations, "", task.max_iterations};
}

Report Dcdm::solve(LinearSystem& system, Monitor& monitor) {
  if (auto refused = prepared_.ensure(system, monitor, [&] { setup(system); })) return *refused;
  monitor.begin_phase("solve");
  const auto start = std::chrono::steady_clock::now();
  applications_ = network_applications_ = 0.0;
  const StoppingCriteria& s = options_.stopping;
  Report report = frame_.solve(
      system, s.relative_tolerance, s.absolute_tolerance, s.max_iterations, monitor,
      [&](const InnerTask& task, SolveWatch& watch) { return iterate(system.A(), task, watch); });
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  for (Measure& m : report.counts)
    if (m.name == "operator_applications") m.value += applications_;
  report.counts.push_back({"network_applications", network_applications_, ""});
  report.seconds = {{"setup", prepared_.take_seconds(), "s"}, {"solve", seconds, "s"}};
  const double vectors =
      8.0 * static_cast<double>(q_.local_size()) * static_cast<double>(1 + 2 * ring_.size());
  report.metrics = {{"memory_bytes", vectors + frame_.work_bytes() + engine_.memory_bytes(), "B"}};
  for (Measure& m : engine_.metrics()) report.metrics.push_back(std::move(m));
  if (monitor.wants_text()) report.notes.push_back("weights: " + engine_.file());
  return report;
}

}  // namespace dcdm
