#include "log_conductivity.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/text.hpp>
#include <limits>
#include <numbers>

#include "true_data.hpp"

namespace log_conductivity {

void LogConductivityOptions::describe(Fields<LogConductivityOptions>& f) {
  using O = LogConductivityOptions;
  f.add("observations", &O::observations, Choices{{"full", "points"}},
        "full: y seen in every cell, one source 1, y = 0 at the walls, m = log 2 outside of a disc "
        "... (README); points: at scattered points, several sources, insulated walls");
  f.add("size", &O::size, Range::closed(4, 1024), "N cells along each side; auto: 64, points: 16");
  f.add("dimension", &O::dimension, Range::closed(2, 3), "auto: 2, points: 3");
  f.add("num_sources", &O::num_sources, Range::closed(1, 8), "points: S, sines of shifted phases");
  f.add("num_points", &O::num_points, Range::closed(1, 100000), "points: how many see each state");
  f.add("noise", &O::noise, Range::at_least(0.0),
        "standard deviation over the largest value seen; auto: 0.05, points: 0.01");
  f.add("gradient_cost", &O::gradient_cost, Range::at_least(0.0),
        "gamma_1, of 1/2 |grad m|^2; auto: 1e-8, points: 0.1");
  f.add("value_cost", &O::value_cost, Range::at_least(0.0),
        "gamma_0, of 1/2 |m - m_r|^2; auto: 0, points: 1e-6");
  f.add("weight", &O::weight, Choices{{"nodes", "integral"}},
        "full: nodes: f divided by h^D, so that its derivatives have the size of y; integral: f is "
        "the integral");
  f.add("start", &O::start, Choices{{"parameter", "state"}},
        "m = m_r and y = 0, or y with A(m_r) y = b");
}

namespace {

/// Centres of the rank's cells: f(x) for each, x an array of three.
template <class F>
void at_centres(const GridPartition& parts, const F& f) {
  const Grid& grid = parts.grid();
  const Box& own = parts.own();
  for (Index k = own.begin[2]; k < own.end[2]; ++k)
    for (Index j = own.begin[1]; j < own.end[1]; ++j)
      for (Index i = own.begin[0]; i < own.end[0]; ++i) {
        const double x[3] = {(i + 0.5) * grid.spacing[0], (j + 0.5) * grid.spacing[1],
                             (k + 0.5) * grid.spacing[2]};
        f(x);
      }
}

/// 1/2 |y - d|^2 + gamma/2 |grad m|^2, -div(e^m grad y) = 1: m = log 2 in the disc of radius 1/5
/// around the centre, log 9 outside of it.
void fill_full(const GridPartition& parts, ConductivityData& data) {
  data.num_sources = 1;
  data.reference = std::log(2.0);
  at_centres(parts, [&](const double* x) {
    double squared = 0.0;
    for (int a = 0; a < parts.grid().dimension; ++a) squared += (x[a] - 0.5) * (x[a] - 0.5);
    data.sources.push_back(1.0);
    data.truth.push_back(std::log(squared > 0.04 ? 9.0 : 2.0));
  });
}

/// Sources 100 prod_a sin(2 pi (x_a + shift_a / 4)), m = exp(-20 |x - 1/4|^2) - exp(-20 |x - 3/4|^2).
void fill_points(const GridPartition& parts, const LogConductivityOptions& o, std::uint64_t seed,
                 ConductivityData& data) {
  const int dimension = parts.grid().dimension;
  data.num_sources = o.num_sources;
  for (int s = 0; s < o.num_sources; ++s)
    at_centres(parts, [&](const double* x) {
      double b = 100.0;
      for (int a = 0; a < dimension; ++a)
        b *= std::sin(2.0 * std::numbers::pi * (x[a] + 0.25 * ((s >> (2 - a)) & 1)));
      data.sources.push_back(b);
    });
  const auto n = static_cast<double>(parts.grid().num_cells());
  double mean = 0.0;
  at_centres(parts, [&](const double* x) {
    double near = 0.0, far = 0.0;
    for (int a = 0; a < dimension; ++a) {
      near += std::pow(x[a] - 0.25, 2);
      far += std::pow(x[a] - 0.75, 2);
    }
    data.truth.push_back(std::exp(-20.0 * near) - std::exp(-20.0 * far));
    mean += data.truth.back() / n;
  });
  data.reference = parts.communicator().sum(mean);
  const RandomStream stream(seed, "log_conductivity::points");
  for (int k = 0; k < o.num_points; ++k) {
    Observation::Point point = {0.0, 0.0, 0.0};
    for (int a = 0; a < dimension; ++a)
      point[static_cast<std::size_t>(a)] =
          stream.uniform(static_cast<std::uint64_t>(3 * k + a), 0.06, 0.94);
    data.points.push_back(point);
  }
}

/// States and parameter of a rank are counted by Index. Before anything of that size is made; collective.
void check_count(const ConductivityData& data, int num_functions) {
  Grid grid;
  grid.dimension = data.dimension;
  for (std::size_t a = 0; a < static_cast<std::size_t>(data.dimension); ++a) grid.cells[a] = data.cells;
  const GlobalIndex count =
      num_functions * GlobalIndex{GridPartition(grid, data.communicator).own().num_cells()};
  constexpr GlobalIndex most = std::numeric_limits<Index>::max();
  if (data.communicator.any(count > most))
    throw ShapeError("size = " + std::to_string(data.cells) + " has " +
                     std::to_string(num_functions * grid.num_cells()) +
                     " values of states and parameter; a rank can have " + std::to_string(most) +
                     ": take fewer cells or sources, or more ranks");
}

}  // namespace

std::unique_ptr<Problem> LogConductivitySource::create() {
  const LogConductivityOptions& o = options_;
  const bool full = o.observations == "full";
  ConductivityData data;
  data.communicator = context_.communicator;
  data.walls = full ? LogDiffusion::Walls::fixed : LogDiffusion::Walls::insulated;
  data.dimension = o.dimension.value_or(full ? 2 : 3);
  data.cells = o.size.value_or(full ? 64 : 16);
  data.gradient_cost = o.gradient_cost.value_or(full ? 1e-8 : 0.1);
  data.value_cost = o.value_cost.value_or(full ? 0.0 : 1e-6);
  check_count(data, full ? 2 : o.num_sources + 1);
  const LogDiffusion A(data.dimension, data.cells, data.walls, data.communicator);
  const GridPartition& parts = A.grid_partition();
  const double volume = std::pow(A.spacing(), data.dimension);
  if (full) {
    fill_full(parts, data);
    data.weight = o.weight == "nodes" ? 1.0 / volume : 1.0;
    data.misfit_weight = data.weight * volume;
  } else {
    fill_points(parts, o, context_.seed, data);
  }
  data.data = observe(A, Observation(parts, data.points), data.points.size(),
                      solve_states(A, data.truth, data.sources),
                      o.noise.value_or(full ? 0.05 : 0.01), context_.seed);
  std::vector<double> start(data.sources.size(), 0.0);
  const std::vector<double> m(data.truth.size(), data.reference);
  if (o.start == "state") start = solve_states(A, m, data.sources);
  start.insert(start.end(), m.begin(), m.end());

  const auto functions = std::make_shared<ConductivityFunctions>(data);
  const Bounds free{std::vector<double>(start.size(), -INFINITY),
                    std::vector<double>(start.size(), INFINITY)};
  const Bounds equal{std::vector<double>(data.sources.size(), 0.0),
                     std::vector<double>(data.sources.size(), 0.0)};
  auto problem = std::make_unique<NonlinearProgram>(functions, free, equal, start);
  problem->text = std::to_string(data.dimension) + "D log-conductivity, " +
                  std::to_string(data.cells) + " cells a side, " +
                  (full ? "seen everywhere"
                        : std::to_string(data.num_sources) + " sources seen at " +
                              std::to_string(o.num_points) + " points");
  return problem;
}

}  // namespace log_conductivity
