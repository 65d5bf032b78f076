#include "minibatches.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/transport/transport_problem.hpp>
#include <numeric>

namespace transport_batch {

void MinibatchesOptions::describe(Fields<MinibatchesOptions>& f) {
  using O = MinibatchesOptions;
  f.add_component("clouds", &O::clouds, ProblemSource::kind,
                  "the source of the two clouds; its regularisation and masses are not used")
      .required();
  f.add("batches", &O::batches, Range::at_least(1), "problems in the batch");
  f.add("batch_size", &O::batch_size, Range::closed(1, 4096), "points of either cloud in a problem");
  f.add("relative_regularization", &O::relative_regularization, Range::above(0.0),
        "eta: eps of a problem is eta times its largest cost");
}

namespace {

using HostPoints = Kokkos::View<double**, Kokkos::LayoutRight, Kokkos::HostSpace>;

/// `count` different rows of a cloud for batch k (Fisher and Yates, the first steps).
std::vector<std::size_t> rows_of(std::size_t size, std::size_t count, const RandomStream& stream,
                                 std::size_t k) {
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = 0; i < count; ++i) {
    const double left = static_cast<double>(size - i);
    const auto step = static_cast<std::size_t>(stream.uniform(k * count + i) * left);
    std::swap(order[i], order[std::min(i + step, size - 1)]);
  }
  order.resize(count);
  return order;
}

double cost_of(const HostPoints& x, std::size_t i, const HostPoints& y, std::size_t j,
               const PointCostOptions& options) {
  double sum = 0.0;
  const bool manhattan = options.norm == PointNorm::manhattan;
  for (std::size_t d = 0; d < x.extent(1); ++d) {
    const double t = x(i, d) - y(j, d);
    sum += manhattan ? std::abs(t) : t * t;
  }
  const double power = manhattan ? 1.0 : 0.5 * options.power;
  return options.scale * (power == 1.0 ? sum : std::pow(sum, power));
}

}  // namespace

std::unique_ptr<Problem> MinibatchesSource::create() {
  if (context_.communicator.size() > 1)
    throw Unsupported("the problem source 'minibatches' puts all problems on one rank, and this job "
                      "has " + std::to_string(context_.communicator.size()));
  const std::unique_ptr<Problem> inner = context_.make<ProblemSource>(options_.clouds)->create();
  const auto* clouds = dynamic_cast<const TransportProblem*>(inner.get());
  if (clouds == nullptr || !clouds->points)
    throw InputError(options_.clouds.name_where, "clouds",
                     "must be a source of point clouds, is '" + options_.clouds.name + "'");
  const HostPoints x = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), clouds->points->x);
  const HostPoints y = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), clouds->points->y);
  const auto size = static_cast<std::size_t>(options_.batch_size);
  if (x.extent(0) < size || y.extent(0) < size)
    throw InputError({}, "batch_size", "is " + std::to_string(size) + "; the clouds have " +
                                           std::to_string(x.extent(0)) + " and " +
                                           std::to_string(y.extent(0)) + " points");
  const auto B = static_cast<std::size_t>(options_.batches);
  Kokkos::View<double***, Kokkos::LayoutRight, MemSpace> cost("transport_batch::cost", B, size, size);
  Kokkos::View<double**, Kokkos::LayoutRight, MemSpace> mass("transport_batch::mass", B, size);
  Kokkos::deep_copy(mass, 1.0 / static_cast<double>(size));
  const auto host = Kokkos::create_mirror_view(cost);
  const RandomStream of_x(context_.seed, "minibatches::x"), of_y(context_.seed, "minibatches::y");
  for (std::size_t k = 0; k < B; ++k) {
    const auto rows = rows_of(x.extent(0), size, of_x, k);
    const auto columns = rows_of(y.extent(0), size, of_y, k);
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j < size; ++j)
        host(k, i, j) = cost_of(x, rows[i], y, columns[j], clouds->points->cost);
  }
  Kokkos::deep_copy(cost, host);
  TransportBatch batch;
  batch.cost = cost;
  batch.a = mass;
  batch.b = mass;
  batch.eta = options_.relative_regularization;
  return std::make_unique<TransportBatchProblem>(
      batch, std::to_string(B) + " minibatches of " + std::to_string(size) + " points, " +
                 clouds->description());
}

}  // namespace transport_batch
