#include "target.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/together.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/optimize/formula.hpp>
#include <numbers>

namespace poisson_control {

namespace {

constexpr double pi = std::numbers::pi;
using Point = std::array<double, 3>;

double rees(const Point& x, int dimension) {
  double value = 1.0;
  for (int a = 0; a < dimension; ++a)
    value *= x[static_cast<std::size_t>(a)] <= 0.5
                 ? std::pow(2.0 * x[static_cast<std::size_t>(a)] - 1.0, 2)
                 : 0.0;
  return value;
}

double sine(const Point& x, int dimension, double alpha) {
  double value = 1.0 + alpha * dimension * dimension * std::pow(pi, 4);
  for (int a = 0; a < dimension; ++a) value *= std::sin(pi * x[static_cast<std::size_t>(a)]);
  return value;
}

/// Place of ":/" or ":" after the name of an HDF5 file.
std::size_t colon_of(const std::string& target) {
  for (const char* ending : {".h5:", ".hdf5:"}) {
    const std::size_t at = target.find(ending);
    if (at != std::string::npos) return at + std::string(ending).size() - 1;
  }
  return std::string::npos;
}

std::shared_ptr<const Formulas> parse(const std::string& target) {
  auto formulas = std::make_shared<Formulas>(std::vector<std::string>{"x", "y", "z"});
  formulas->add(target);
  return formulas;
}

/// Linear interpolation of a dataset over the unit square or cube.
struct Dataset {
  std::array<Index, 3> n = {1, 1, 1};  ///< x first
  std::vector<double> values;

  double operator()(const Point& x) const {
    std::array<Index, 3> low{}, high{};
    std::array<double, 3> share{};
    for (std::size_t a = 0; a < 3; ++a) {
      const double at = std::clamp(x[a], 0.0, 1.0) * (n[a] - 1);
      low[a] = std::min(static_cast<Index>(at), n[a] - 1);
      high[a] = std::min(low[a] + 1, n[a] - 1);
      share[a] = at - low[a];
    }
    double sum = 0.0;
    for (int corner = 0; corner < 8; ++corner) {
      double weight = 1.0;
      GlobalIndex place = 0;
      for (int a = 2; a >= 0; --a) {
        const auto axis = static_cast<std::size_t>(a);
        const bool up = ((corner >> a) & 1) != 0;
        weight *= up ? share[axis] : 1.0 - share[axis];
        place = place * n[axis] + (up ? high[axis] : low[axis]);
      }
      if (weight > 0.0) sum += weight * values[static_cast<std::size_t>(place)];
    }
    return sum;
  }
};

Dataset read_dataset(const std::string& target, int dimension, const Context& context) {
  const std::size_t colon = colon_of(target);
  const std::string path = context.resolve_file(target.substr(0, colon));
  const std::string name = target.substr(colon + 1);
  const Hdf5File file = Hdf5File::open(path);
  const std::vector<GlobalIndex> shape = file.shape(name);
  if (shape.size() != static_cast<std::size_t>(dimension) ||
      std::any_of(shape.begin(), shape.end(), [](GlobalIndex n) { return n < 2 || n > 1 << 20; }))
    throw ShapeError("dataset '" + name + "' of " + path + " has " + std::to_string(shape.size()) +
                     " axes, or one of fewer than 2 values; a target needs " +
                     std::to_string(dimension) + " (slowest first)");
  Dataset data;
  for (std::size_t a = 0; a < shape.size(); ++a)
    data.n[a] = static_cast<Index>(shape[shape.size() - 1 - a]);
  data.values = file.numbers(name);
  return data;
}

std::function<double(const Point&)> make_function(const std::string& target, int dimension,
                                                  double alpha, const Context& context) {
  if (target == "rees") return [dimension](const Point& x) { return rees(x, dimension); };
  if (target == "sine")
    return [dimension, alpha](const Point& x) { return sine(x, dimension, alpha); };
  if (is_dataset(target)) {
    const auto data = std::make_shared<Dataset>(read_dataset(target, dimension, context));
    return [data](const Point& x) { return (*data)(x); };
  }
  const auto evaluator = std::make_shared<FormulaEvaluator>(parse(target), std::vector<Index>{0});
  return [evaluator](const Point& x) {
    double value = 0.0;
    evaluator->values(x, {&value, 1});
    return value;
  };
}

}  // namespace

bool is_dataset(const std::string& target) {
  return colon_of(target) != std::string::npos;
}

std::string fault_of(const std::string& target) {
  if (target == "rees" || target == "sine" || is_dataset(target)) return {};
  try {
    parse(target);
  } catch (const FormulaError& e) {
    return e.what();
  }
  return {};
}

std::vector<double> target_at_nodes(const std::string& target, const NodeGrid& grid, double alpha,
                                    const Context& context) {
  const Box& box = grid.padded_box();
  std::vector<double> values;
  together(grid.communicator(), [&] {
    const auto f = make_function(target, grid.dimension(), alpha, context);
    values.reserve(static_cast<std::size_t>(box.num_cells()));
    for (Index k = box.begin[2]; k < box.end[2]; ++k)
      for (Index j = box.begin[1]; j < box.end[1]; ++j)
        for (Index i = box.begin[0]; i < box.end[0]; ++i) {
          const Point x = {grid.coordinate(0, i),
                           grid.dimension() > 1 ? grid.coordinate(1, j) : 0.0,
                           grid.dimension() > 2 ? grid.coordinate(2, k) : 0.0};
          values.push_back(f(x));
          if (!std::isfinite(values.back()))
            throw DataError("the target '" + target + "' is not finite at (" +
                            std::to_string(x[0]) + ", " + std::to_string(x[1]) + ", " +
                            std::to_string(x[2]) + ")");
        }
  });
  return values;
}

}  // namespace poisson_control
