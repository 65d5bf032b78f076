/// \file
/// Passes over all entries of a cost for any execution space: a team for each row, and another pass
/// with a team for each column, so that no sum depends on the order of atomics.
#pragma once

#include <libsolve/core/types.hpp>
#include <type_traits>

namespace libsolve::detail {

template <class Exec>
using Team = typename Kokkos::TeamPolicy<Exec>::member_type;

/// The league of one team a row (or column).
template <class Exec>
Kokkos::TeamPolicy<Exec> one_team_each(Index count) {
  return Kokkos::TeamPolicy<Exec>(static_cast<int>(count), Kokkos::AUTO);
}

/// r_i = sum_j P_ij; with `a` also f_i := damping (f_i + eps log(a_i / r_i)) where that is finite.
template <class Exec, class F>
struct RowSums {
  F cost;
  Index m;
  double eps;
  double damping;
  const double* a;  ///< null: sums only
  const double* f_in;
  double* f;
  const double* g;
  double* r;
  KOKKOS_FUNCTION void operator()(const Team<Exec>& team) const {
    const Index i = team.league_rank();
    double sum = 0.0;
    const auto* self = this;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, m),
        [=](const Index j, double& s) {
          s += Kokkos::exp((self->f_in[i] + self->g[j] - self->cost(i, j)) / self->eps);
        },
        sum);
    Kokkos::single(Kokkos::PerTeam(team), [=]() {
      self->r[i] = sum;
      if (self->a == nullptr) return;
      const double s = self->a[i] / sum;
      if (!(s > 0.0 && s <= 1e270)) self->r[i] = sum <= largest_double ? 0.0 : sum;
      if (s > 0.0 && s <= 1e270)
        self->f[i] = self->damping * (self->f_in[i] + self->eps * Kokkos::log(s));
    });
  }
};

/// c_j = sum_i P_ij over rows whose r_i (where given) is positive and finite.
template <class Exec, class F>
struct ColumnSums {
  F cost;
  Index n;
  double eps;
  const double* f;
  const double* g;
  const double* r;  ///< null: all rows
  double* c;
  KOKKOS_FUNCTION void operator()(const Team<Exec>& team) const {
    const Index j = team.league_rank();
    double sum = 0.0;
    const auto* self = this;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, n),
        [=](const Index i, double& s) {
          if (self->r != nullptr && !(self->r[i] > 0.0 && self->r[i] <= largest_double)) return;
          s += Kokkos::exp((self->f[i] + self->g[j] - self->cost(i, j)) / self->eps);
        },
        sum);
    Kokkos::single(Kokkos::PerTeam(team), [=]() { self->c[j] = sum; });
  }
};

template <class Exec, class F>
void device_sums(const Exec&, const F& cost, Index n, Index m, const double* f, const double* g,
                 double eps, double* r, double* c) {
  Kokkos::parallel_for("transport::row_sums", one_team_each<Exec>(n),
                       RowSums<Exec, F>{cost, m, eps, 1.0, nullptr, f, nullptr, g, r});
  Kokkos::parallel_for("transport::column_sums", one_team_each<Exec>(m),
                       ColumnSums<Exec, F>{cost, n, eps, f, g, nullptr, c});
}

template <class Exec, class F>
void device_scale_rows(const Exec&, const F& cost, Index n, Index m, const double* a, double* f,
                       const double* g, double eps, double damping, double* r, double* c) {
  Kokkos::parallel_for("transport::scale_rows", one_team_each<Exec>(n),
                       RowSums<Exec, F>{cost, m, eps, damping, a, f, f, g, r});
  Kokkos::parallel_for("transport::column_sums", one_team_each<Exec>(m),
                       ColumnSums<Exec, F>{cost, n, eps, f, g, r, c});
}

/// Minimum over the other side of C - potential, and where: (i, j) is (team, entry) or, for
/// columns, (entry, team).
template <class Exec, class F, bool of_columns>
struct Minima {
  F cost;
  Index others;
  const double* potential;
  double* minimum;
  Index* arg;
  KOKKOS_FUNCTION void operator()(const Team<Exec>& team) const {
    using Reducer = Kokkos::MinLoc<double, Index>;
    typename Reducer::value_type best;
    const Index own = team.league_rank();
    const auto* self = this;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, others),
        [=](const Index k, typename Reducer::value_type& b) {
          const double v =
              (of_columns ? self->cost(k, own) : self->cost(own, k)) - self->potential[k];
          if (v < b.val || (v == b.val && k < b.loc)) {
            b.val = v;
            b.loc = k;
          }
        },
        Reducer(best));
    Kokkos::single(Kokkos::PerTeam(team), [=]() {
      self->minimum[own] = best.val;
      if (self->arg != nullptr) self->arg[own] = best.loc;
    });
  }
};

template <class Exec, class F>
void device_row_minima(const Exec&, const F& cost, Index n, Index m, const double* g, double* u,
                       Index* arg) {
  Kokkos::parallel_for("transport::row_minima", one_team_each<Exec>(n),
                       Minima<Exec, F, false>{cost, m, g, u, arg});
}

template <class Exec, class F>
void device_column_minima(const Exec&, const F& cost, Index n, Index m, const double* f,
                          double* v) {
  Kokkos::parallel_for("transport::column_minima", one_team_each<Exec>(m),
                       Minima<Exec, F, true>{cost, n, f, v, nullptr});
}

/// Entries of a row with slack at or above its threshold: counted, then stored in order.
template <class Exec, class F>
struct EntriesAbove {
  F cost;
  Index m;
  const double* f;
  const double* g;
  const double* threshold;
  GlobalIndex* first;  ///< counts at [i + 1] while `columns` is null, then row pointers
  Index* columns;
  double* slacks;
  KOKKOS_FUNCTION void operator()(const Team<Exec>& team) const {
    const Index i = team.league_rank();
    const auto* self = this;
    if (columns == nullptr) {
      GlobalIndex count = 0;
      Kokkos::parallel_reduce(
          Kokkos::TeamThreadRange(team, m),
          [=](const Index j, GlobalIndex& k) {
            if (self->f[i] + self->g[j] - self->cost(i, j) >= self->threshold[i]) ++k;
          },
          count);
      Kokkos::single(Kokkos::PerTeam(team), [=]() { self->first[i + 1] = count; });
      return;
    }
    Kokkos::parallel_scan(Kokkos::TeamThreadRange(team, m),
                          [=](const Index j, GlobalIndex& k, const bool is_final) {
                            const double s = self->f[i] + self->g[j] - self->cost(i, j);
                            if (!(s >= self->threshold[i])) return;
                            if (is_final) {
                              self->columns[self->first[i] + k] = j;
                              self->slacks[self->first[i] + k] = s;
                            }
                            ++k;
                          });
  }
};

/// Running sum of counts, in place.
struct RowPointers {
  GlobalIndex* first;
  KOKKOS_FUNCTION void operator()(const Index i, GlobalIndex& sum, const bool is_final) const {
    sum += first[i + 1];
    if (is_final) first[i + 1] = sum;
  }
};

/// Sum over j of C_ij P_ij, a term for each row.
template <class Exec, class F>
struct WeightedSum {
  F cost;
  Index m;
  double eps;
  const double* f;
  const double* g;
  KOKKOS_FUNCTION void operator()(const Team<Exec>& team, double& total) const {
    const Index i = team.league_rank();
    double sum = 0.0;
    const auto* self = this;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(team, m),
        [=](const Index j, double& s) {
          const double c = self->cost(i, j);
          s += c * Kokkos::exp((self->f[i] + self->g[j] - c) / self->eps);
        },
        sum);
    Kokkos::single(Kokkos::PerTeam(team), [&]() { total += sum; });
  }
};

template <class Exec, class F>
double device_weighted_sum(const Exec&, const F& cost, Index n, Index m, const double* f,
                           const double* g, double eps) {
  double total = 0.0;
  Kokkos::parallel_reduce("transport::weighted_sum", one_team_each<Exec>(n),
                          WeightedSum<Exec, F>{cost, m, eps, f, g}, total);
  return total;
}

}  // namespace libsolve::detail
