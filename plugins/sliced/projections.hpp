#pragma once

#include <libsolve/core/random.hpp>
#include <libsolve/transport/transport_problem.hpp>
#include <vector>

/// Transport along a line, for one direction and for many, on the host.
namespace sliced {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// Two clouds with masses on the host; coordinates point after point.
struct Clouds {
  std::size_t dimension = 0;
  std::vector<double> x = {}, y = {}, a = {}, b = {};
  double power = 2.0;
  double scale = 1.0;
  std::size_t n() const { return a.size(); }
  std::size_t m() const { return b.size(); }
};

/// Those of a problem. Unsupported where it has no points, another norm than the Euclidean one, is
/// unbalanced, or lies on several ranks; `method` is named in the message.
Clouds clouds_of(const TransportProblem& problem, const char* method);

/// Part of the plan between two clouds on a line: mass from point i to point j.
struct Move {
  std::size_t i, j;
  double mass;
};

/// The optimal plan of the projections theta^T x, theta^T y for any convex |s - t|^p: quantiles are
/// matched, at most n + m - 1 moves. Exact for p >= 1. O((n + m)(d + log(n + m))).
std::vector<Move> plan_along(const Clouds& clouds, const double* theta);

/// scale * sum over moves of mass |theta^T (x_i - y_j)|^p; `gradient` (dimension), where given,
/// becomes its derivative with respect to theta.
double cost_along(const Clouds& clouds, const double* theta, const std::vector<Move>& plan,
                  double* gradient = nullptr);
/// The same with respect to the points, added to `of_x` (n d) and `of_y` (m d), times `weight`.
void add_point_gradient(const Clouds& clouds, const double* theta, const std::vector<Move>& plan,
                        double weight, std::vector<double>& of_x, std::vector<double>& of_y);
/// What the moves cost in space: scale * sum of mass |x_i - y_j|^p.
double cost_in_space(const Clouds& clouds, const std::vector<Move>& plan);
/// The moves as entries of a plan.
SparseEntries entries_of(const std::vector<Move>& plan, std::size_t n);

/// Direction k, uniform on the sphere.
std::vector<double> uniform_direction(const RandomStream& stream, std::uint64_t k,
                                      std::size_t dimension);
/// Direction k of the von Mises-Fisher distribution around `location` with density proportional to
/// exp(concentration location^T theta): Wood, "Simulation of the von Mises Fisher distribution",
/// Communications in Statistics 1994, by rejection. `concentration` >= 0.
std::vector<double> von_mises_fisher_direction(const RandomStream& stream, std::uint64_t k,
                                               const std::vector<double>& location,
                                               double concentration);

/// Mean and standard error of numbers.
struct Estimate {
  double mean = 0.0;
  double error = 0.0;
};
Estimate estimate_of(const std::vector<double>& values);

}  // namespace sliced
