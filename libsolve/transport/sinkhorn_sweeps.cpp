#include <cmath>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/transport/plan_marginals.hpp>
#include <libsolve/transport/sinkhorn_sweeps.hpp>
#include <limits>

namespace libsolve {

namespace {

/// Not lost to underflow, as far as `least` tells, nor infinite or NaN.
KOKKOS_INLINE_FUNCTION bool usable(double sum, double least) {
  return sum > least && sum <= largest_double;
}

/// sum |r - a exp(-f / rho)| (1 / rho = 0 when balanced), rows without a usable sum counted.
struct RowViolation {
  const double* r;
  const double* a;
  const double* f;
  double inverse_rho;
  KOKKOS_FUNCTION void operator()(const Index i, double& violation, double& bad) const {
    const double target = inverse_rho > 0.0 ? a[i] * Kokkos::exp(-f[i] * inverse_rho) : a[i];
    violation += Kokkos::abs(r[i] - target);
    bad += usable(r[i], 0.0) ? 0.0 : 1.0;
  }
};

/// p := damping (p + eps log(mass / sum)), entries without a usable sum left and counted. Sums
/// below `least` of the mass may be made of underflowed terms.
struct UpdatePotential {
  const double* mass;
  const double* sum;
  double* p;
  double eps, damping, least;
  KOKKOS_FUNCTION void operator()(const Index i, double& bad) const {
    if (usable(sum[i], least * mass[i]))
      p[i] = damping * (p[i] + eps * Kokkos::log(mass[i] / sum[i]));
    else
      bad += 1.0;
  }
};

/// The same from log-sum-exp for the entries that had no usable sum: `shift` is the c-transform
/// that the new sums were formed with.
struct RepairPotential {
  const double* mass;
  const double* old_sum;
  const double* shift;
  const double* sum;
  double* p;
  double eps, damping, least;
  KOKKOS_FUNCTION void operator()(const Index i) const {
    if (!usable(old_sum[i], least * mass[i]))
      p[i] = damping * (shift[i] + eps * Kokkos::log(mass[i] / sum[i]));
  }
};

struct Nonzero {
  const double* p;
  KOKKOS_FUNCTION void operator()(const Index i, double& s) const {
    s += p[i] == 0.0 ? 0.0 : (Kokkos::abs(p[i]) <= largest_double ? 1.0 : p[i] - p[i]);
  }
};

/// Entries that are not zero; NaN where one is not finite.
double nonzeros(const VectorView& v) {
  return reduce_rows<Sums<1>>(default_space(), "transport::nonzeros",
                              static_cast<Index>(v.extent(0)), Nonzero{v.data()})
      .value[0];
}

}  // namespace

SinkhornSweeps::SinkhornSweeps(const TransportProblem& problem) : problem_(problem) {
  const auto n = static_cast<std::size_t>(problem.a().local_size());
  const auto m = static_cast<std::size_t>(problem.b().local_size());
  row_sums_ = VectorView("transport::row_sums", n);
  last_f_ = VectorView("transport::last_f", n);
  column_sums_ = VectorView("transport::column_sums", m);
}

double SinkhornSweeps::work_bytes() const {
  return 8.0 *
         static_cast<double>(row_sums_.extent(0) + last_f_.extent(0) + column_sums_.extent(0) +
                             spare_rows_.extent(0) + spare_columns_.extent(0));
}

double SinkhornSweeps::damping(double eps) const {
  const auto& rho = problem_.marginal_penalty();
  return rho ? *rho / (*rho + eps) : 1.0;
}

bool SinkhornSweeps::start() {
  const double f = problem_.a().communicator().sum(nonzeros(problem_.f().view()));
  if (f != 0.0 || nonzeros(problem_.g().view()) != 0.0) return false;  // also where they are NaN
  problem_.cost().row_minima(problem_.g().view(), problem_.f().view());
  ++passes_;
  return true;
}

SinkhornSweeps::Swept SinkhornSweeps::sweep(double eps, bool single_precision) {
  const Communicator& comm = problem_.a().communicator();
  const VectorView& f = problem_.f().view();
  const VectorView& g = problem_.g().view();
  const double lambda = damping(eps);
  const double least = single_precision ? 1e-10 : 1e-30;
  const double inverse_rho = problem_.is_balanced() ? 0.0 : 1.0 / *problem_.marginal_penalty();
  Kokkos::deep_copy(last_f_, f);
  problem_.cost().scale_rows(problem_.a().view(), f, g, eps, row_sums_, column_sums_,
                             {.damping = lambda, .single_precision = single_precision});
  ++passes_;
  ++sweeps_;
  const auto rows = reduce_rows<Sums<2>>(
      default_space(), "transport::violation", problem_.a().local_size(),
      RowViolation{row_sums_.data(), problem_.a().data(), last_f_.data(), inverse_rho});
  double counts[2] = {rows.value[0], rows.value[1]};
  comm.sum(counts);
  Swept swept{counts[0], eps_of_columns_ == eps};
  if (counts[1] > 0.0) repair_rows(eps);
  detail::sum_over_ranks(column_sums_, comm);
  const auto columns = reduce_rows<Sums<1>>(
      default_space(), "transport::update_columns", problem_.b().local_size(),
      UpdatePotential{problem_.b().data(), column_sums_.data(), g.data(), eps, lambda, least});
  if (columns.value[0] > 0.0) repair_columns(eps, least);
  eps_of_columns_ = eps;
  if (counts[1] > 0.0 || columns.value[0] > 0.0) {
    repaired_ += static_cast<std::int64_t>(counts[1] + columns.value[0]);
    const double finite = comm.sum(nonzeros(f)) + nonzeros(g);
    if (!std::isfinite(finite)) swept.violation = std::numeric_limits<double>::quiet_NaN();
  }
  return swept;
}

/// Rows without a usable sum: with f = c-transform of g their largest term is 1. Then the columns'
/// sums of all rows anew.
void SinkhornSweeps::repair_rows(double eps) {
  const TransportCost& cost = problem_.cost();
  const VectorView& f = problem_.f().view();
  if (spare_rows_.extent(0) != f.extent(0))
    spare_rows_ = VectorView("transport::spare", f.extent(0));
  const VectorView shift("transport::shift", f.extent(0));
  cost.row_minima(problem_.g().view(), shift);
  cost.sums(shift, problem_.g().view(), eps, spare_rows_, column_sums_);
  for_rows(default_space(), "transport::repair_rows", problem_.a().local_size(),
           RepairPotential{problem_.a().data(), row_sums_.data(), shift.data(), spare_rows_.data(),
                           f.data(), eps, damping(eps), 0.0});
  cost.sums(f, problem_.g().view(), eps, spare_rows_, column_sums_);
  passes_ += 3;
}

void SinkhornSweeps::repair_columns(double eps, double least) {
  const TransportCost& cost = problem_.cost();
  const Communicator& comm = problem_.a().communicator();
  const VectorView& g = problem_.g().view();
  if (spare_columns_.extent(0) != g.extent(0))
    spare_columns_ = VectorView("transport::spare", g.extent(0));
  if (spare_rows_.extent(0) != row_sums_.extent(0))
    spare_rows_ = VectorView("transport::spare", row_sums_.extent(0));
  const VectorView shift("transport::shift", g.extent(0));
  cost.column_minima(problem_.f().view(), shift);
  detail::min_over_ranks(shift, comm);
  cost.sums(problem_.f().view(), shift, eps, spare_rows_, spare_columns_);
  detail::sum_over_ranks(spare_columns_, comm);
  for_rows(default_space(), "transport::repair_columns", problem_.b().local_size(),
           RepairPotential{problem_.b().data(), column_sums_.data(), shift.data(),
                           spare_columns_.data(), g.data(), eps, damping(eps), least});
  passes_ += 2;
}

}  // namespace libsolve
