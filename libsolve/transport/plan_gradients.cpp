#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/transport/plan_gradients.hpp>
#include <libsolve/transport/plan_marginals.hpp>
#include <limits>
#include <vector>

namespace libsolve {

namespace {

using Numbers = std::vector<double>;

std::size_t at(GlobalIndex k) {
  return static_cast<std::size_t>(k);
}

template <class View>
auto host(const View& v) {
  return Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v);
}

VectorView to_device(const char* label, const Numbers& v) {
  const VectorView d(label, v.size());
  Kokkos::deep_copy(
      d, Kokkos::View<const double*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>>(
             v.data(), v.size()));
  return d;
}

void check(const TransportProblem& problem) {
  if (problem.cost().rows().communicator().size() > 1)
    throw Unsupported("gradients of a transport problem work on one rank, got " +
                      std::to_string(problem.cost().rows().communicator().size()));
  if (problem.plan())
    throw Unsupported(
        "gradients of a transport problem need the entropic plan of its potentials, and it "
        "has a stored one; solve it with 'sns' or 'sinkhorn'");
}

SparseEntries entries_of(const TransportProblem& problem, double threshold) {
  const double eps = problem.regularization();
  const detail::PlanMarginals sums =
      detail::marginals_of(problem.cost(), problem.f().view(), problem.g().view(), eps);
  // A threshold below every number keeps all entries, zeros included.
  return detail::entropic_entries(
      problem.cost(), problem.f().view(), problem.g().view(), eps, sums.rows,
      threshold > 0.0 ? threshold : std::numeric_limits<double>::denorm_min());
}

/// Calls work(i, j, k) for every entry, k its place.
template <class Work>
void for_entries(const SparseEntries& entries, const Work& work) {
  const auto first = host(entries.row_pointers);
  const auto columns = host(entries.columns);
  for (GlobalIndex i = 0; i + 1 < static_cast<GlobalIndex>(first.extent(0)); ++i)
    for (GlobalIndex k = first(i); k < first(i + 1); ++k) work(at(i), at(columns(k)), at(k));
}

}  // namespace

TransportGradient value_gradient(const TransportProblem& problem, double threshold) {
  check(problem);
  TransportGradient gradient;
  gradient.cost = entries_of(problem, threshold);
  const auto of = [&](const Vector& potential, const char* label) {
    const auto p = host(potential.view());
    Numbers d(p.data(), p.data() + p.extent(0));
    if (const auto& rho = problem.marginal_penalty())
      for (double& v : d) v = *rho * (1.0 - std::exp(-v / *rho));
    return to_device(label, d);
  };
  gradient.a = of(problem.f(), "transport::dL_da");
  gradient.b = of(problem.g(), "transport::dL_db");
  return gradient;
}

PlanGradients::PlanGradients(const TransportProblem& problem, LinearSolver& solver,
                             double threshold)
    : problem_(problem), solver_(solver) {
  check(problem);
  plan_ = entries_of(problem, threshold);
  const auto first = host(plan_.row_pointers);
  const auto columns = host(plan_.columns);
  const auto values = host(plan_.values);
  const double grow = problem.marginal_penalty()
                          ? 1.0 + problem.regularization() / *problem.marginal_penalty()
                          : 1.0;
  // Sums of the entries used, so that the null space of the balanced problem is exact.
  Numbers w(at(problem.a().local_size()), 0.0), d(at(problem.b().local_size()), 0.0);
  for_entries(plan_, [&](std::size_t i, std::size_t j, std::size_t k) {
    w[i] += values(k);
    d[j] += values(k);
  });
  for (double& v : w) v = 1.0 / (grow * v);
  for (double& v : d) v *= grow;
  const HostPlan P{problem.b().local_size(),
                   {first.data(), first.extent(0)},
                   {columns.data(), columns.extent(0)},
                   {values.data(), values.extent(0)}};
  S_ = NewtonMatrix(P, w, d).assembled();
  w_ = to_device("transport::w", w);
}

TransportGradient PlanGradients::backward(const ConstVectorView& dL_dP) {
  if (dL_dP.extent(0) != plan_.values.extent(0))
    throw ShapeError("dL_dP has " + std::to_string(dL_dP.extent(0)) + " numbers, the plan " +
                     std::to_string(plan_.values.extent(0)) + " entries");
  const double eps = problem_.regularization();
  const auto W = host(dL_dP);
  const auto P = host(plan_.values);
  const auto w = host(w_);
  Numbers lambda(w.extent(0), 0.0), rhs(at(problem_.b().local_size()), 0.0);
  // rhs = (v - P^T (w o u)) / eps,  u = (W o P) 1,  v = (W o P)^T 1
  for_entries(plan_, [&](std::size_t i, std::size_t j, std::size_t k) {
    lambda[i] += W(k) * P(k) / eps;
    rhs[j] += W(k) * P(k) / eps;
  });
  for (std::size_t i = 0; i < lambda.size(); ++i) lambda[i] *= w(i);
  for_entries(plan_,
              [&](std::size_t i, std::size_t j, std::size_t k) { rhs[j] -= P(k) * lambda[i]; });

  LinearSystem system(S_, Vector(to_device("transport::rhs", rhs), S_->row_partition()),
                      Vector("transport::mu", S_->column_partition()));
  if (problem_.is_balanced()) {
    system.null_space = NullSpace::constants(S_->column_partition());
    (void)system.null_space->project_out(system.b());
  }
  const Report report = solver_.solve(system, Monitor::none());
  if (!report.converged())
    throw NumericalError(
        "the gradient of the plan needs a solve with Newton's matrix, and the solver ended "
        "with " +
        std::string(to_string(report.status)) + ": " + report.reason);
  const auto mu_view = host(system.x().view());
  Numbers mu(mu_view.data(), mu_view.data() + mu_view.extent(0));
  // lambda = w o (u / eps - P mu)
  for_entries(plan_, [&](std::size_t i, std::size_t j, std::size_t k) {
    lambda[i] -= w(i) * P(k) * mu[j];
  });

  TransportGradient gradient;
  gradient.cost = plan_;
  Numbers dC(P.extent(0));
  for_entries(plan_, [&](std::size_t i, std::size_t j, std::size_t k) {
    dC[k] = P(k) * (lambda[i] + mu[j] - W(k) / eps);
  });
  gradient.cost.values = to_device("transport::dL_dC", dC);
  const auto of = [&](Numbers multiplier, const Vector& potential, const char* label) {
    const auto p = host(potential.view());
    for (std::size_t i = 0; i < multiplier.size(); ++i) {
      multiplier[i] *= eps;
      if (const auto& rho = problem_.marginal_penalty()) multiplier[i] *= std::exp(-p(i) / *rho);
    }
    return to_device(label, multiplier);
  };
  gradient.a = of(lambda, problem_.f(), "transport::dL_da");
  gradient.b = of(mu, problem_.g(), "transport::dL_db");
  return gradient;
}

void point_gradients(const SparseEntries& dL_dC, const DenseBlock& x, const DenseBlock& y,
                     const PointCostOptions& options, const DenseBlock& dx, const DenseBlock& dy) {
  const std::size_t dimension = x.extent(1);
  if (y.extent(1) != dimension || dx.extent(0) != x.extent(0) || dx.extent(1) != dimension ||
      dy.extent(0) != y.extent(0) || dy.extent(1) != dimension ||
      dL_dC.row_pointers.extent(0) != x.extent(0) + 1)
    throw ShapeError("point_gradients: x, y, dx, dy and the entries do not fit together");
  const auto hx = host(x), hy = host(y);
  const auto G = host(dL_dC.values);
  const auto gx = Kokkos::create_mirror_view(dx), gy = Kokkos::create_mirror_view(dy);
  Kokkos::deep_copy(gx, 0.0);
  Kokkos::deep_copy(gy, 0.0);
  const bool is_manhattan = options.norm == PointNorm::manhattan;
  for_entries(dL_dC, [&](std::size_t i, std::size_t j, std::size_t k) {
    double squared = 0.0;
    for (std::size_t d = 0; d < dimension; ++d)
      squared += (hx(i, d) - hy(j, d)) * (hx(i, d) - hy(j, d));
    if (squared == 0.0) return;
    // d |t|_2^p / dt = p |t|^(p - 2) t,   d |t|_1 / dt = sign t
    const double factor =
        G(k) * options.scale *
        (is_manhattan ? 1.0 : options.power * std::pow(squared, 0.5 * options.power - 1.0));
    for (std::size_t d = 0; d < dimension; ++d) {
      const double t = hx(i, d) - hy(j, d);
      const double part = factor * (is_manhattan ? static_cast<double>((t > 0.0) - (t < 0.0)) : t);
      gx(i, d) += part;
      gy(j, d) -= part;
    }
  });
  Kokkos::deep_copy(dx, gx);
  Kokkos::deep_copy(dy, gy);
}

}  // namespace libsolve
