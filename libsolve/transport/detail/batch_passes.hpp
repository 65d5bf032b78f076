/// \file
/// Whole solves of small transport problems, each by one team, or by one thread of the host.
#pragma once

#include <libsolve/transport/cost_functions.hpp>
#include <libsolve/transport/detail/device_passes.hpp>
#include <libsolve/transport/transport_batch.hpp>

namespace libsolve::detail {

inline constexpr int sweeps_a_level = 3;

/// The levels of eps: from a quarter of the largest cost down by factors of 4.
struct Levels {
  double eps;
  double last;
  KOKKOS_FUNCTION Levels(double largest, double final_eps)
      : eps(final_eps > 0.25 * largest ? final_eps : 0.25 * largest), last(final_eps) {}
  KOKKOS_FUNCTION bool is_last() const { return eps == last; }
  KOKKOS_FUNCTION void lower() { eps = 0.25 * eps > last ? 0.25 * eps : last; }
};

/// One team a problem; rows by the team's threads, entries of a row by their lanes.
template <class Exec>
struct BatchSolve {
  TransportBatch batch;
  TransportBatchSolution out;

  KOKKOS_FUNCTION double cost(int k, Index i, Index j) const { return batch.cost(k, i, j); }
  KOKKOS_FUNCTION double slack(int k, Index i, Index j) const {
    return out.f(k, i) + out.g(k, j) - batch.cost(k, i, j);
  }
  /// f_i += eps log(a_i / sum); the hard minimum from scratch where the sum is no positive number.
  KOKKOS_FUNCTION void update_row(int k, Index i, double sum, double eps) const {
    const double s = batch.a(k, i) / sum;
    if (s > 0.0 && s <= largest_double) {
      out.f(k, i) += eps * Kokkos::log(s);
      return;
    }
    double least = largest_double;
    for (Index j = 0; j < static_cast<Index>(batch.b.extent(1)); ++j)
      least = Kokkos::min(least, cost(k, i, j) - out.g(k, j));
    out.f(k, i) = least + eps * Kokkos::log(batch.a(k, i));
  }
  KOKKOS_FUNCTION void update_column(int k, Index j, double sum, double eps) const {
    const double s = batch.b(k, j) / sum;
    if (s > 0.0 && s <= largest_double) {
      out.g(k, j) += eps * Kokkos::log(s);
      return;
    }
    double least = largest_double;
    for (Index i = 0; i < static_cast<Index>(batch.a.extent(1)); ++i)
      least = Kokkos::min(least, cost(k, i, j) - out.f(k, i));
    out.g(k, j) = least + eps * Kokkos::log(batch.b(k, j));
  }
  /// Rows: r_i, the violation before, then f. Returns sum |r_i - a_i|.
  KOKKOS_FUNCTION double rows(const Team<Exec>& team, int k, double eps, bool change) const {
    double violation = 0.0;
    const auto* self = this;
    const Index n = static_cast<Index>(batch.a.extent(1));
    const Index m = static_cast<Index>(batch.b.extent(1));
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, n),
        [=](const Index i, double& v) {
          double sum = 0.0;
          Kokkos::parallel_reduce(
              Kokkos::ThreadVectorRange(team, m),
              [=](const Index j, double& s) { s += Kokkos::exp(self->slack(k, i, j) / eps); }, sum);
          v += Kokkos::abs(sum - self->batch.a(k, i));
          if (change)
            Kokkos::single(Kokkos::PerThread(team), [=]() { self->update_row(k, i, sum, eps); });
        },
        violation);
    team.team_barrier();
    return violation;
  }
  KOKKOS_FUNCTION double columns(const Team<Exec>& team, int k, double eps, bool change) const {
    double violation = 0.0;
    const auto* self = this;
    const Index n = static_cast<Index>(batch.a.extent(1));
    const Index m = static_cast<Index>(batch.b.extent(1));
    Kokkos::parallel_reduce(
        Kokkos::TeamVectorRange(team, m),
        [=](const Index j, double& v) {
          double sum = 0.0;
          for (Index i = 0; i < n; ++i) sum += Kokkos::exp(self->slack(k, i, j) / eps);
          v += Kokkos::abs(sum - self->batch.b(k, j));
          if (change) self->update_column(k, j, sum, eps);
        },
        violation);
    team.team_barrier();
    return violation;
  }
  KOKKOS_FUNCTION double weighted_sum(const Team<Exec>& team, int k, double eps) const {
    double total = 0.0;
    const auto* self = this;
    const Index m = static_cast<Index>(batch.b.extent(1));
    const Index count = static_cast<Index>(batch.a.extent(1)) * m;
    Kokkos::parallel_reduce(
        Kokkos::TeamVectorRange(team, count),
        [=](const Index e, double& s) {
          const Index i = e / m;
          const Index j = e % m;
          s += self->cost(k, i, j) * Kokkos::exp(self->slack(k, i, j) / eps);
        },
        total);
    return total;
  }

  KOKKOS_FUNCTION void operator()(const Team<Exec>& team) const {
    const int k = team.league_rank();
    double largest = 0.0;
    const auto* self = this;
    const Index m = static_cast<Index>(batch.b.extent(1));
    Kokkos::parallel_reduce(
        Kokkos::TeamVectorRange(team, static_cast<Index>(batch.a.extent(1)) * m),
        [=](const Index e, double& c) {
          const double v = Kokkos::abs(self->cost(k, e / m, e % m));
          if (v > c) c = v;
        },
        Kokkos::Max<double>(largest));
    Levels level(largest, batch.eta * (largest > 0.0 ? largest : 1.0));
    int sweeps = 0;
    for (; sweeps < batch.max_iterations;) {
      for (int s = 0; sweeps < batch.max_iterations; ++s) {
        if (!level.is_last() && s == sweeps_a_level) break;
        const double violation = rows(team, k, level.eps, true);
        // The columns are exact from the sweep before: the rows' violation is the whole one.
        const bool done = level.is_last() && s > 0 && violation <= batch.tolerance;
        columns(team, k, level.eps, true);
        ++sweeps;
        if (done) break;
      }
      if (level.is_last()) break;
      level.lower();
    }
    measure(team, k, level.last);
    const int count = sweeps;
    const double last = level.last;
    Kokkos::single(Kokkos::PerTeam(team), [=]() {
      self->out.eps(k) = last;
      self->out.iterations(k) = count;
    });
  }
  /// Violation and cost of the potentials as they are.
  KOKKOS_FUNCTION void measure(const Team<Exec>& team, int k, double eps) const {
    const double violation = rows(team, k, eps, false) + columns(team, k, eps, false);
    const double total = weighted_sum(team, k, eps);
    const auto* self = this;
    Kokkos::single(Kokkos::PerTeam(team), [=]() {
      self->out.violation(k) = violation;
      self->out.transport_cost(k) = total;
    });
  }
};

template <class Exec>
struct BatchMeasure {
  BatchSolve<Exec> of;
  KOKKOS_FUNCTION void operator()(const Team<Exec>& team) const {
    of.measure(team, team.league_rank(), of.out.eps(team.league_rank()));
  }
};

/// The same on one thread of the host, with one exp an entry and sweep.
class HostBatchSolve {
 public:
  HostBatchSolve(const TransportBatch& batch, const TransportBatchSolution& out, int k)
      : by_entry_{batch, out},
        batch_(batch),
        out_(out),
        k_(k),
        n_(static_cast<Index>(batch.a.extent(1))),
        m_(static_cast<Index>(batch.b.extent(1))),
        cost_{&batch.cost(k, 0, 0), batch.cost.extent(2)},
        a_(&batch.a(k, 0)),
        b_(&batch.b(k, 0)),
        f_(&out.f(k, 0)),
        g_(&out.g(k, 0)),
        r_(static_cast<std::size_t>(n_)),
        stride_(padded(m_) + lanes<float>) {}

  void run() {
    double largest = 0.0;
    for (Index i = 0; i < n_; ++i)
      for (Index j = 0; j < m_; ++j) largest = std::max(largest, std::abs(cost_(i, j)));
    Levels level(largest, batch_.eta * (largest > 0.0 ? largest : 1.0));
    int sweeps = 0;
    while (sweeps < batch_.max_iterations) {
      for (int s = 0; sweeps < batch_.max_iterations; ++s) {
        if (!level.is_last() && s == sweeps_a_level) break;
        const double violation = sweep(level.eps);
        ++sweeps;
        if (level.is_last() && s > 0 && violation <= batch_.tolerance) break;
      }
      if (level.is_last()) break;
      level.lower();
    }
    finish(level.last, sweeps);
  }

 private:
  /// Rows and columns; the rows' violation before.
  double sweep(double eps) {
    const Exponents<StoredEntries> exponents(cost_, m_, f_, g_, eps, for_exponents_);
    double* const c = for_columns_.get(static_cast<std::size_t>(stride_));
    double* const buffer = for_rows_.get(static_cast<std::size_t>(stride_) * 4);
    ScaledRows to{};
    to.a = a_;
    to.f = f_;
    to.eps = eps;
    to.damping = 1.0;
    to.r = r_.data();
    std::fill(c, c + stride_, 0.0);
    Index i = 0;
    for (; i + 4 <= n_; i += 4) scaled_rows<double, 4>(exponents, i, m_, stride_, to, buffer, c);
    for (; i < n_; ++i) scaled_rows<double, 1>(exponents, i, m_, stride_, to, buffer, c);
    double violation = 0.0;
    bool repaired = false;
    for (Index row = 0; row < n_; ++row) {
      const double r = r_[static_cast<std::size_t>(row)];
      violation += std::abs(r - a_[row]);
      if (r > 0.0 && r <= std::numeric_limits<double>::max()) continue;
      by_entry_.update_row(k_, row, 0.0, eps);
      repaired = true;
    }
    // The columns of a repaired row are summed in the next sweep.
    if (!repaired)
      for (Index j = 0; j < m_; ++j) by_entry_.update_column(k_, j, c[j], eps);
    return violation;
  }
  void finish(double eps, int sweeps) {
    double violation = 0.0;
    double total = 0.0;
    std::vector<double> c(static_cast<std::size_t>(m_), 0.0);
    for (Index i = 0; i < n_; ++i) {
      double r = 0.0;
      for (Index j = 0; j < m_; ++j) {
        const double p = std::exp((f_[i] + g_[j] - cost_(i, j)) / eps);
        r += p;
        c[static_cast<std::size_t>(j)] += p;
        total += cost_(i, j) * p;
      }
      violation += std::abs(r - a_[i]);
    }
    for (Index j = 0; j < m_; ++j) violation += std::abs(c[static_cast<std::size_t>(j)] - b_[j]);
    out_.eps(k_) = eps;
    out_.violation(k_) = violation;
    out_.transport_cost(k_) = total;
    out_.iterations(k_) = sweeps;
  }

  BatchSolve<ExecSpace> by_entry_;
  const TransportBatch& batch_;
  const TransportBatchSolution& out_;
  int k_;
  Index n_, m_;
  StoredEntries cost_;
  const double* a_;
  const double* b_;
  double* f_;
  double* g_;
  std::vector<double> r_;
  Index stride_;
  Scratch for_exponents_, for_columns_, for_rows_;
};

}  // namespace libsolve::detail
