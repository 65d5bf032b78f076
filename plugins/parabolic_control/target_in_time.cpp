#include "target_in_time.hpp"

#include <array>
#include <cmath>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/io/spatial_function.hpp>
#include <libsolve/optimize/formula.hpp>
#include <libsolve/pde/inner_nodes.hpp>

namespace parabolic_control {

namespace {

using Point = std::array<double, 3>;

/// Null where `text` is no formula in x, y, z, t.
std::shared_ptr<const Formulas> formula_in_time(const std::string& text) {
  auto formulas = std::make_shared<Formulas>(std::vector<std::string>{"x", "y", "z", "t"});
  try {
    formulas->add(text);
  } catch (const FormulaError&) {
    return nullptr;
  }
  return formulas;
}

Vector at_nodes(const GridPartition& nodes, const std::function<SpatialFunction()>& make,
                const std::string& what) {
  const std::vector<double> values = values_at_places(
      nodes.communicator(), nodes.own(), nodes.grid().dimension,
      [&](int, Index i) { return node_coordinate(nodes, i); }, make, what);
  const Vector v("parabolic_control::values", nodes.partition());
  Kokkos::deep_copy(v.view(), Kokkos::View<const double*, Kokkos::HostSpace>(values.data(),
                                                                             values.size()));
  return v;
}

}  // namespace

std::string fault_of_target(const std::string& text, int dimension) {
  if (formula_in_time(text)) return {};
  const std::string fault = fault_of_spatial_function(text, dimension);
  return fault.empty() ? fault : fault + " (formulas may depend on the time t too)";
}

Vector values_at_nodes(const std::string& key, const std::string& text, const GridPartition& nodes,
                       const Context& context) {
  const auto resolve = [&](const std::string& file) { return context.resolve_file(file); };
  return at_nodes(
      nodes, [&] { return make_spatial_function(text, nodes.grid().dimension, resolve); },
      key + " '" + text + "'");
}

TargetInTime::TargetInTime(const std::string& text, const GridPartition& nodes,
                           const std::vector<double>& times, const Context& context) {
  // Functions of place alone are formulas too; then one shape is enough.
  const bool is_steady = fault_of_spatial_function(text, nodes.grid().dimension).empty();
  if (is_steady) {
    shapes_.push_back(values_at_nodes("target", text, nodes, context));
    return;
  }
  const auto formula = formula_in_time(text);
  for (const double t : times)
    shapes_.push_back(at_nodes(
        nodes,
        [&] {
          auto evaluator = std::make_shared<FormulaEvaluator>(formula, std::vector<Index>{0});
          return [evaluator, t](const Point& x) {
            double value = 0.0;
            evaluator->values(std::array{x[0], x[1], x[2], t}, {&value, 1});
            return value;
          };
        },
        "target '" + text + "' at t = " + std::to_string(t)));
}

TargetInTime::TargetInTime(Vector shape, std::vector<double> factors)
    : shapes_{std::move(shape)}, factors_(std::move(factors)) {}

const Vector& TargetInTime::shape(int n) const {
  return shapes_.size() == 1 ? shapes_.front() : shapes_[static_cast<std::size_t>(n)];
}

double TargetInTime::factor(int n) const {
  return factors_.empty() ? 1.0 : factors_[static_cast<std::size_t>(n)];
}

void TargetInTime::error(int n, const Vector& y, const Vector& error) const {
  linear_combination(1.0, y, -factor(n), shape(n), error);
}

void TargetInTime::at(int n, const Vector& values) const {
  axpby(factor(n), shape(n), 0.0, values);
}

double SineSolution::state(double t) const {
  return 0.5 * (1.0 + std::cos(std::numbers::pi * t / final_time));
}

double SineSolution::control(double t) const {
  const double rate = std::numbers::pi / final_time;
  return -0.5 * rate * std::sin(rate * t) + lambda() * state(t);
}

double SineSolution::target(double t) const {
  const double rate = std::numbers::pi / final_time;
  const double second = -0.5 * rate * rate * std::cos(rate * t);
  return state(t) + control_cost * (lambda() * lambda() * state(t) - second);
}

}  // namespace parabolic_control
