#include <algorithm>
#include <cctype>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/together.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/io/image.hpp>
#include <libsolve/io/spatial_function.hpp>
#include <libsolve/optimize/formula.hpp>

namespace libsolve {

namespace {

/// Place of the ":" after the name of an HDF5 file.
std::size_t colon_of(const std::string& text) {
  for (const char* ending : {".h5:", ".hdf5:"}) {
    const std::size_t at = text.find(ending);
    if (at != std::string::npos) return at + std::string(ending).size() - 1;
  }
  return std::string::npos;
}

bool names_image(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto is = [&](const char* ending) { return text.ends_with(ending); };
  return is(".png") || is(".pgm") || is(".ppm") || is(".pnm");
}

std::shared_ptr<const Formulas> parse(const std::string& text) {
  auto formulas = std::make_shared<Formulas>(std::vector<std::string>{"x", "y", "z"});
  formulas->add(text);
  return formulas;
}

/// Linear interpolation along each axis of values on a grid.
struct Samples {
  std::array<Index, 3> n = {1, 1, 1};  ///< x first
  std::vector<double> values;          ///< x fastest

  double operator()(const std::array<double, 3>& x) const {
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

Samples read_dataset(const std::string& path, const std::string& name, int dimension) {
  const Hdf5File file = Hdf5File::open(path);
  const std::vector<GlobalIndex> shape = file.shape(name);
  if (shape.size() != static_cast<std::size_t>(dimension) ||
      std::any_of(shape.begin(), shape.end(), [](GlobalIndex n) { return n < 2 || n > 1 << 20; }))
    throw ShapeError("dataset '" + name + "' of " + path + " has " + std::to_string(shape.size()) +
                     " axes, or one of fewer than 2 values; needed are " +
                     std::to_string(dimension) + " (slowest first)");
  Samples data;
  for (std::size_t a = 0; a < shape.size(); ++a)
    data.n[a] = static_cast<Index>(shape[shape.size() - 1 - a]);
  data.values = file.numbers(name);
  return data;
}

Samples read_picture(const std::string& path) {
  const Image image = grey(read_image(path));
  Samples data;
  data.n = {image.width, image.height, 1};
  for (int row = image.height - 1; row >= 0; --row)
    for (int column = 0; column < image.width; ++column)
      data.values.push_back(image.at(row, column));
  return data;
}

}  // namespace

std::string fault_of_spatial_function(const std::string& text, int dimension) {
  if (colon_of(text) != std::string::npos) return {};
  if (names_image(text))
    return dimension == 2 ? "" : "is a picture, and the domain has " + std::to_string(dimension) +
                                     (dimension == 1 ? " axis" : " axes");
  try {
    parse(text);
  } catch (const FormulaError& e) {
    return std::string("is no FILE.h5:/DATASET, no FILE.png, and no formula: ") + e.what();
  }
  return {};
}

SpatialFunction make_spatial_function(const std::string& text, int dimension,
                                      const FileResolver& resolve) {
  const std::size_t colon = colon_of(text);
  if (colon != std::string::npos)
    return read_dataset(resolve(text.substr(0, colon)), text.substr(colon + 1), dimension);
  if (names_image(text)) {
    if (dimension != 2) throw ShapeError("'" + text + "' " + fault_of_spatial_function(text, dimension));
    return read_picture(resolve(text));
  }
  const auto evaluator = std::make_shared<FormulaEvaluator>(parse(text), std::vector<Index>{0});
  return [evaluator](const std::array<double, 3>& x) {
    double value = 0.0;
    evaluator->values(x, {&value, 1});
    return value;
  };
}

std::vector<double> values_at_places(const Communicator& comm, const Box& box, int dimension,
                                     const std::function<double(int, Index)>& coordinate,
                                     const std::function<SpatialFunction()>& make,
                                     const std::string& what) {
  std::vector<double> values;
  together(comm, [&] {
    const SpatialFunction f = make();
    const auto at = [&](int axis, Index i) { return axis < dimension ? coordinate(axis, i) : 0.0; };
    values.reserve(static_cast<std::size_t>(box.num_cells()));
    for (Index k = box.begin[2]; k < box.end[2]; ++k)
      for (Index j = box.begin[1]; j < box.end[1]; ++j)
        for (Index i = box.begin[0]; i < box.end[0]; ++i) {
          const std::array<double, 3> x = {at(0, i), at(1, j), at(2, k)};
          values.push_back(f(x));
          if (!std::isfinite(values.back()))
            throw DataError(what + " is not finite at (" + format_number(x[0]) + ", " +
                            format_number(x[1]) + ", " + format_number(x[2]) + ")");
        }
  });
  return values;
}

}  // namespace libsolve
