#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/plugin/registry.hpp>
#include <libsolve/transport/transport_solver.hpp>

#include "projections.hpp"

namespace sliced {

struct SlicedOptions {
  double relative_tolerance = 1e-2;
  std::int64_t max_iterations = 10000;
  std::int64_t projections_per_iteration = 32;
  bool gradients = false;
  static void describe(Fields<SlicedOptions>& f);
};

/// Sliced Wasserstein distance (Rabin, Peyre, Delon, Bernot 2012; Bonneel, Rabin, Peyre, Pfister,
/// JMIV 2015), for power p in [1, inf) and the problem's scale s:
///   SW = E_theta  s W_p^p(theta^T x, theta^T y),    theta uniform on the sphere,
/// by the mean over seeded directions, each O((n + m)(d + log(n + m))), until its standard error is
/// below relative_tolerance times the mean. Metrics: sliced_cost, standard_error, max_sliced_cost.
///
/// The plan is the one of the direction whose moves are cheapest in space (Mahey, Chapel, Gasso,
/// Bonet, Courty, NeurIPS 2023): its marginals are exact, so its cost bounds the optimum from above,
/// with at most n + m - 1 entries. Potentials are not touched. With `gradients`, the derivatives of
/// sliced_cost with respect to the points go to the data of the problem, sliced_gradient_x (n, d) and
/// sliced_gradient_y.
class Sliced final : public TransportSolver {
 public:
  using Options = SlicedOptions;
  Sliced(const Options& options, const Context& context) : options_(options), seed_(context.seed) {}
  /// Unsupported for costs that are not of points, see clouds_of().
  Report solve(TransportProblem& problem, Monitor& monitor) override;
  using TransportSolver::solve;

 private:
  Options options_;
  std::uint64_t seed_;
};

struct DistributionalSlicedOptions {
  double concentration = 10.0;
  std::int64_t projections = 128;
  std::int64_t starts = 64;
  double relative_tolerance = 1e-3;
  std::int64_t max_iterations = 200;
  static void describe(Fields<DistributionalSlicedOptions>& f);
};

/// Distributional sliced Wasserstein distance over von Mises-Fisher distributions (v-DSW: Nguyen, Ho,
/// Pham, Bui, ICLR 2021; the family and kappa as in Nguyen, Nguyen, Ho, Pham, Bui, ICLR 2021, spherical
/// sliced fused Gromov Wasserstein):
///   max over |e| = 1 of E_{theta ~ vMF(e, kappa)}  s W_p^p(theta^T x, theta^T y).
/// kappa = 0 gives the sliced distance, kappa -> inf the max-sliced one. The directions are drawn once
/// around e and turned with it (the least rotation), so the sample mean is a function of e whose
/// gradient is exact; gradient ascent on the sphere with a backtracking line search from the best of
/// `starts` uniform directions, until the gradient's norm, or what five steps brought, is at most
/// relative_tolerance times the value. The value reported is over fresh directions around the location found.
class DistributionalSliced final : public TransportSolver {
 public:
  using Options = DistributionalSlicedOptions;
  DistributionalSliced(const Options& options, const Context& context)
      : options_(options), seed_(context.seed) {}
  Report solve(TransportProblem& problem, Monitor& monitor) override;
  using TransportSolver::solve;

 private:
  Options options_;
  std::uint64_t seed_;
};

/// Keeps the direction whose moves are cheapest in space.
class CheapestPlan {
 public:
  explicit CheapestPlan(const Clouds& clouds) : clouds_(clouds) {}
  void offer(double cost, const std::vector<double>& theta);
  void store(TransportProblem& problem) const;
  double cost() const { return cost_; }

 private:
  const Clouds& clouds_;
  double cost_ = -1.0;
  std::vector<double> theta_;
};

/// work(k) for k = 0 ... count - 1 on the threads of the host.
template <class Work>
void for_directions(std::int64_t count, const Work& work) {
  using Policy = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace,
                                     Kokkos::IndexType<std::int64_t>, Kokkos::Schedule<Kokkos::Dynamic>>;
  Kokkos::parallel_for("sliced::directions", Policy(0, count), [&work](std::int64_t k) { work(k); });
}

}  // namespace sliced
