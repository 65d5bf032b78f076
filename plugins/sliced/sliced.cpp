#include "sliced.hpp"

#include <chrono>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/transport/plan_marginals.hpp>

namespace sliced {

void SlicedOptions::describe(Fields<SlicedOptions>& f) {
  using O = SlicedOptions;
  f.add("relative_tolerance", &O::relative_tolerance, Range::above(0.0),
        "stop when the standard error over directions is at most this times the mean");
  f.add("max_iterations", &O::max_iterations, Range::at_least(1), "batches of directions");
  f.add("projections_per_iteration", &O::projections_per_iteration, Range::at_least(2),
        "directions in a batch");
  f.add("gradients", &O::gradients, "store the derivatives with respect to the points");
}

void CheapestPlan::offer(double cost, const std::vector<double>& theta) {
  if (cost_ >= 0.0 && cost >= cost_) return;
  cost_ = cost;
  theta_ = theta;
}

void CheapestPlan::store(TransportProblem& problem) const {
  problem.set_plan(entries_of(plan_along(clouds_, theta_.data()), clouds_.n()));
}

namespace {

/// One batch of directions: what each costs along it and in space, and its part of the gradients.
struct Batch {
  std::vector<double> along, in_space;
  std::vector<std::vector<double>> directions;
};

Batch batch_of(const Clouds& clouds, const RandomStream& stream, std::int64_t first,
               std::int64_t count) {
  const auto size = static_cast<std::size_t>(count);
  Batch batch{std::vector<double>(size), std::vector<double>(size),
              std::vector<std::vector<double>>(size)};
  for_directions(count, [&](std::int64_t k) {
    const auto at = static_cast<std::size_t>(k);
    batch.directions[at] =
        uniform_direction(stream, static_cast<std::uint64_t>(first + k), clouds.dimension);
    const auto plan = plan_along(clouds, batch.directions[at].data());
    batch.along[at] = cost_along(clouds, batch.directions[at].data(), plan);
    batch.in_space[at] = cost_in_space(clouds, plan);
  });
  return batch;
}

Field gradient_field(const std::vector<double>& values, std::size_t dimension, const char* name) {
  const auto size = static_cast<GlobalIndex>(values.size());
  const Vector v(name, Partition(size));
  Kokkos::deep_copy(v.view(),
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
  Field field;
  field.name = name;
  field.values = v;
  field.shape = {size / static_cast<GlobalIndex>(dimension), static_cast<GlobalIndex>(dimension)};
  field.description = "derivative of sliced_cost with respect to the points";
  return field;
}

void replace_field(std::vector<Field>& fields, Field field) {
  for (Field& f : fields)
    if (f.name == field.name) {
      f = std::move(field);
      return;
    }
  fields.push_back(std::move(field));
}

/// Derivatives of the mean over all directions; in the order of directions, so the same for any
/// number of threads.
void store_gradients(TransportProblem& problem, const Clouds& clouds,
                     const std::vector<std::vector<double>>& directions) {
  std::vector<double> of_x(clouds.x.size(), 0.0), of_y(clouds.y.size(), 0.0);
  const double weight = 1.0 / static_cast<double>(directions.size());
  for (const auto& theta : directions)
    add_point_gradient(clouds, theta.data(), plan_along(clouds, theta.data()), weight, of_x, of_y);
  replace_field(problem.extra_data, gradient_field(of_x, clouds.dimension, "sliced_gradient_x"));
  replace_field(problem.extra_data, gradient_field(of_y, clouds.dimension, "sliced_gradient_y"));
}

}  // namespace

Report Sliced::solve(TransportProblem& problem, Monitor& monitor) {
  const auto begin = std::chrono::steady_clock::now();
  const Clouds clouds = clouds_of(problem, "sliced");
  const RandomStream stream(seed_, "sliced::directions");
  monitor.begin_phase("solve");
  CheapestPlan cheapest(clouds);
  std::vector<double> values;
  std::vector<std::vector<double>> directions;
  double largest = 0.0;
  Estimate estimate;
  Report report;
  report.status = Status::max_iterations;
  while (report.iterations < options_.max_iterations) {
    const Batch batch = batch_of(clouds, stream, static_cast<std::int64_t>(values.size()),
                                 options_.projections_per_iteration);
    for (std::size_t k = 0; k < batch.along.size(); ++k) {
      cheapest.offer(batch.in_space[k], batch.directions[k]);
      largest = std::max(largest, batch.along[k]);
      if (options_.gradients) directions.push_back(batch.directions[k]);
    }
    values.insert(values.end(), batch.along.begin(), batch.along.end());
    ++report.iterations;
    estimate = estimate_of(values);
    const Sample samples[] = {{"standard_error", estimate.error}, {"sliced_cost", estimate.mean}};
    const Verdict verdict = monitor.observe(report.iterations, samples);
    if (!std::isfinite(estimate.mean)) {
      report.status = Status::non_finite;
      break;
    }
    if (estimate.error <= options_.relative_tolerance * estimate.mean) {
      report.status = Status::converged;
      break;
    }
    if (verdict == Verdict::proceed) continue;
    report.status = status_of(verdict);
    break;
  }
  report.reason = "sliced cost " + format_number(estimate.mean) + " with a standard error of " +
                  format_number(estimate.error) + " over " + std::to_string(values.size()) +
                  " directions, relative tolerance " + format_number(options_.relative_tolerance);
  cheapest.store(problem);
  if (options_.gradients) store_gradients(problem, clouds, directions);
  report.measures = problem.verify();
  report.metrics = {{"sliced_cost", estimate.mean, "cost"},
                    {"standard_error", estimate.error, "cost"},
                    {"max_sliced_cost", largest, "cost"}};
  report.counts = {{"projections", static_cast<double>(values.size())}};
  report.seconds = {
      {"solve", std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
       "s"}};
  return report;
}

}  // namespace sliced
