#include <cmath>
#include <cstdio>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/transport/plan_marginals.hpp>

namespace libsolve::detail {

namespace {

using Range = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>;

struct Gap {
  const double* p;
  const double* q;
  KOKKOS_FUNCTION void operator()(const Index i, double& s) const { s += Kokkos::abs(p[i] - q[i]); }
};

/// |r_i - a_i exp(-f_i / rho)|.
struct RelaxedGap {
  const double* r;
  const double* a;
  const double* f;
  double rho;
  KOKKOS_FUNCTION void operator()(const Index i, double& s) const {
    s += Kokkos::abs(r[i] - a[i] * Kokkos::exp(-f[i] / rho));
  }
};

struct Products {
  const double* p;
  const double* q;
  KOKKOS_FUNCTION void operator()(const Index i, double& s) const { s += p[i] * q[i]; }
};

struct Entries {
  const double* p;
  KOKKOS_FUNCTION void operator()(const Index i, double& s) const { s += p[i]; }
};

template <class Body>
double sum_of_rows(Index n, const Body& body) {
  return reduce_rows<Sums<1>>(default_space(), "transport::sum", n, body).value[0];
}

/// Sums of a sparse plan and <C, P>, row by row; columns by a serial sweep on the host, so that
/// their order is fixed.
struct SparseRows {
  const GlobalIndex* first;
  const double* values;
  const double* costs;
  double* r;
  KOKKOS_FUNCTION void operator()(const Index i, double& total) const {
    double s = 0.0;
    double c = 0.0;
    for (GlobalIndex k = first[i]; k < first[i + 1]; ++k) {
      s += values[k];
      c += values[k] * costs[k];
    }
    r[i] = s;
    total += c;
  }
};

struct Threshold {
  const double* r;
  double eps, factor;
  double* t;
  KOKKOS_FUNCTION void operator()(const Index i) const {
    // A row without mass has no entries.
    t[i] = r[i] > 0.0 ? eps * Kokkos::log(factor * r[i]) : Kokkos::Experimental::infinity_v<double>;
  }
};

struct ToMass {
  double eps;
  double* values;
  KOKKOS_FUNCTION void operator()(const GlobalIndex k) const {
    values[k] = Kokkos::exp(values[k] / eps);
  }
};

}  // namespace

double total_of(const Vector& v) {
  return v.communicator().sum(sum_of_rows(v.local_size(), Entries{v.data()}));
}

void sum_over_ranks(const VectorView& v, const Communicator& comm) {
  if (comm.size() == 1) return;
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
  comm.sum(std::span<double>(host.data(), host.extent(0)));
  Kokkos::deep_copy(v, host);
}

void min_over_ranks(const VectorView& v, const Communicator& comm) {
  if (comm.size() == 1) return;
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
  comm.min(std::span<double>(host.data(), host.extent(0)));
  Kokkos::deep_copy(v, host);
}

PlanMarginals marginals_of(const TransportCost& cost, const ConstVectorView& f,
                           const ConstVectorView& g, double eps) {
  PlanMarginals p;
  p.rows = VectorView("transport::row_sums", f.extent(0));
  p.columns = VectorView("transport::column_sums", g.extent(0));
  cost.sums(f, g, eps, p.rows, p.columns);
  sum_over_ranks(p.columns, cost.rows().communicator());
  p.cost = cost.rows().communicator().sum(cost.weighted_sum(f, g, eps));
  return p;
}

PlanMarginals marginals_of(const SparseEntries& plan, const TransportCost& cost) {
  PlanMarginals p;
  p.rows = VectorView("transport::row_sums", static_cast<std::size_t>(cost.rows().local_size()));
  p.columns = VectorView("transport::column_sums", static_cast<std::size_t>(cost.num_columns()));
  SparseEntries costs = plan;
  costs.values = VectorView("transport::costs", plan.values.extent(0));
  cost.evaluate(costs);
  double total = 0.0;
  Kokkos::parallel_reduce(
      "transport::sparse_sums", Range(0, cost.rows().local_size()),
      SparseRows{plan.row_pointers.data(), plan.values.data(), costs.values.data(), p.rows.data()},
      total);
  const auto columns = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), plan.columns);
  const auto values = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), plan.values);
  const auto sums = Kokkos::create_mirror_view(p.columns);
  for (std::size_t k = 0; k < columns.extent(0); ++k)
    sums(static_cast<std::size_t>(columns(k))) += values(k);
  Kokkos::deep_copy(p.columns, sums);
  sum_over_ranks(p.columns, cost.rows().communicator());
  p.cost = cost.rows().communicator().sum(total);
  return p;
}

double l1_violation(const ConstVectorView& r, const Vector& a, const ConstVectorView& c,
                    const Vector& b) {
  const double of_rows = sum_of_rows(a.local_size(), Gap{r.data(), a.data()});
  return a.communicator().sum(of_rows) + sum_of_rows(b.local_size(), Gap{c.data(), b.data()});
}

double violation(const PlanMarginals& p, const TransportProblem& problem) {
  if (problem.is_balanced()) return l1_violation(p.rows, problem.a(), p.columns, problem.b());
  const double rho = *problem.marginal_penalty();
  const double of_rows =
      sum_of_rows(problem.a().local_size(),
                  RelaxedGap{p.rows.data(), problem.a().data(), problem.f().data(), rho});
  return problem.a().communicator().sum(of_rows) +
         sum_of_rows(problem.b().local_size(),
                     RelaxedGap{p.columns.data(), problem.b().data(), problem.g().data(), rho});
}

double dual_value(const TransportProblem& problem) {
  const TransportCost& cost = problem.cost();
  const VectorView u("transport::u", problem.f().view().extent(0));
  const VectorView v("transport::v", problem.g().view().extent(0));
  cost.row_minima(problem.g().view(), u, {});
  cost.column_minima(u, v);
  min_over_ranks(v, cost.rows().communicator());
  const double of_rows =
      sum_of_rows(problem.a().local_size(), Products{problem.a().data(), u.data()});
  return problem.a().communicator().sum(of_rows) +
         sum_of_rows(problem.b().local_size(), Products{problem.b().data(), v.data()});
}

SparseEntries entropic_entries(const TransportCost& cost, const ConstVectorView& f,
                               const ConstVectorView& g, double eps, const ConstVectorView& r,
                               double threshold) {
  const VectorView t("transport::threshold", f.extent(0));
  Kokkos::parallel_for("transport::threshold", Range(0, cost.rows().local_size()),
                       Threshold{r.data(), eps, threshold, t.data()});
  const SparseEntries entries = cost.entries_above(f, g, t);
  Kokkos::parallel_for(
      "transport::to_mass",
      Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<GlobalIndex>>(0, entries.size()),
      ToMass{eps, entries.values.data()});
  ExecSpace().fence();
  return entries;
}

PlanTriples triples_of(const SparseEntries& plan, const Partition& rows) {
  const Partition partition(rows.communicator(), plan.size());
  PlanTriples t{Vector("plan_row", partition), Vector("plan_column", partition),
                Vector("plan_value", partition)};
  const auto first = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), plan.row_pointers);
  const auto columns = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), plan.columns);
  const auto row_numbers = Kokkos::create_mirror_view(t.rows.view());
  const auto column_numbers = Kokkos::create_mirror_view(t.columns.view());
  for (Index i = 0; i < rows.local_size(); ++i)
    for (GlobalIndex k = first(i); k < first(i + 1); ++k) {
      row_numbers(k) = static_cast<double>(rows.first_row() + i);
      column_numbers(k) = columns(k);
    }
  Kokkos::deep_copy(t.rows.view(), row_numbers);
  Kokkos::deep_copy(t.columns.view(), column_numbers);
  Kokkos::deep_copy(t.values.view(), plan.values);
  return t;
}

}  // namespace libsolve::detail
