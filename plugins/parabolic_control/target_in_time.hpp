#pragma once

#include <libsolve/core/grid_partition.hpp>
#include <libsolve/plugin/registry.hpp>
#include <numbers>
#include <string>
#include <vector>

namespace parabolic_control {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// What is wrong with `text` as a function of place and time; "" where nothing is.
std::string fault_of_target(const std::string& text, int dimension);

/// A function of place at the inner nodes that this rank has (libsolve/io/spatial_function.hpp);
/// messages begin with `key`. Collective.
Vector values_at_nodes(const std::string& key, const std::string& text, const GridPartition& nodes,
                       const Context& context);

/// A function of place and time at the nodes, factor_n shape_n for the step n: one shape where it does not
/// change with time or only by its size, else one for each step.
class TargetInTime {
 public:
  TargetInTime() = default;
  /// A formula in x, y, z, t (at the times given, those of the steps 0, 1, ...), or a function of
  /// place alone. Collective.
  TargetInTime(const std::string& text, const GridPartition& nodes,
               const std::vector<double>& times, const Context& context);
  TargetInTime(Vector shape, std::vector<double> factors);

  /// error = y - its values at step n.
  void error(int n, const Vector& y, const Vector& error) const;
  /// Its values at step n.
  void at(int n, const Vector& values) const;

 private:
  const Vector& shape(int n) const;
  double factor(int n) const;
  std::vector<Vector> shapes_;
  std::vector<double> factors_;
};

/// The solution of tracking for all times that is known in closed form: with phi = prod sin(pi x_a),
/// lambda = D pi^2 and a(t) = (1 + cos(pi t / T)) / 2, for
///   min 1/2 int (y - y_d)^2 + alpha/2 int u^2,  y_t - Laplace y = u,  y(0) = phi
/// y = a phi, u = (a' + lambda a) phi, p = -alpha u (which is zero at T), y_d = (a + alpha (lambda^2 a -
/// a'')) phi. A cost of y(T)^2 leaves it as it is: y(T) = 0.
struct SineSolution {
  int dimension;
  double final_time, control_cost;

  double lambda() const { return dimension * std::numbers::pi * std::numbers::pi; }
  double state(double t) const;
  double control(double t) const;
  double target(double t) const;
};

}  // namespace parabolic_control
