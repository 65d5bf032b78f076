#include "fields.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/random.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <numbers>

namespace poisson {

using libsolve::RandomStream;
using libsolve::Vector;

namespace {

/// An array over the box.
Vector cell_vector(const char* label, const Geometry& g) {
  return Vector(label, libsolve::Partition(g.num_cells()));
}

}  // namespace

/// value 10^(decades u) with one u for each block, layer or cell.
struct FillRandomCoefficient {
  Geometry g;
  RandomStream stream;
  double value, decades;
  Index blocks[3];  ///< along each axis; 0: one for each cell
  double* k;

  KOKKOS_INLINE_FUNCTION void operator()(Index c) const {
    Index at[3];
    g.locate(c, at);
    std::uint64_t index = 0;
    for (int a = 2; a >= 0; --a) {
      const Index count = blocks[a] == 0 ? g.n[a] : blocks[a];
      const auto block = static_cast<Index>(static_cast<GlobalIndex>(count) * at[a] / g.n[a]);
      index = index * static_cast<std::uint64_t>(count) + static_cast<std::uint64_t>(block);
    }
    k[c] = value * Kokkos::pow(10.0, decades * stream.uniform(index));
  }
};

/// Relative position of cell c.
KOKKOS_INLINE_FUNCTION void relative_position(const Geometry& g, Index c, double* xi) {
  Index at[3];
  g.locate(c, at);
  for (int a = 0; a < 3; ++a) xi[a] = g.position(a, at[a]) / g.length[a];
}

struct FillSmoothCoefficient {
  Geometry g;
  SmoothCoefficient smooth;
  double* k;
  KOKKOS_INLINE_FUNCTION void operator()(Index c) const {
    double xi[3];
    relative_position(g, c, xi);
    k[c] = smooth(xi);
  }
};

struct FirstBadCell {
  const double* v;
  bool positive;
  Index n;
  KOKKOS_INLINE_FUNCTION void operator()(Index c, Index& first) const {
    const bool good = Kokkos::isfinite(v[c]) && (!positive || v[c] > 0.0);
    if (!good && c < first) first = c;
  }
};

/// First cell that is not finite (or not positive); num_cells where all are good.
Index first_bad_cell(const Geometry& g, const Vector& v, bool positive) {
  Index first = g.num_cells();
  Kokkos::parallel_reduce("poisson::first_bad_cell", Policy(0, g.num_cells()),
                          FirstBadCell{v.data(), positive, g.num_cells()},
                          Kokkos::Min<Index>(first));
  return std::min(first, g.num_cells());
}

double value_at(const Vector& v, Index c) {
  double value = 0.0;
  Kokkos::deep_copy(value, Kokkos::subview(v.view(), c));
  return value;
}

std::string cell_name(const Geometry& g, Index c) {
  Index at[3];
  g.locate(c, at);
  std::string text = "cell (" + std::to_string(at[0]);
  for (int a = 1; a < g.dimension; ++a) text += ", " + std::to_string(at[a]);
  return text + ")";
}

SmoothCoefficient make_smooth(const PoissonOptions& options) {
  SmoothCoefficient s;
  s.value = options.value;
  s.rate = options.coefficient == "smooth" ? 0.5 * options.decades * std::numbers::ln10 : 0.0;
  s.dimension = options.dimension();
  return s;
}

Vector read_field(const std::string& file, const std::string& dataset, const Geometry& g,
                  const libsolve::Context& context) {
  const std::string path = context.resolve_file(file);
  const auto h5 = libsolve::Hdf5File::open(path);
  std::vector<GlobalIndex> expected;
  for (int a = g.dimension - 1; a >= 0; --a) expected.push_back(g.n[a]);
  const std::vector<GlobalIndex> found = h5.shape(dataset);
  if (found != expected) {
    const auto text = [](const std::vector<GlobalIndex>& shape) {
      std::string t = "[";
      for (size_t i = 0; i < shape.size(); ++i) t += (i ? ", " : "") + std::to_string(shape[i]);
      return t + "]";
    };
    throw libsolve::ShapeError("dataset '" + dataset + "' of " + path + " has shape " +
                               text(found) + ", but the grid needs " + text(expected) +
                               " (slowest axis first); change 'size' or the file");
  }
  Vector v = cell_vector("poisson::file", g);
  h5.read_box(dataset, make_grid(g), g.box(), v.view());
  const Index bad = first_bad_cell(g, v, false);
  if (bad < g.num_cells())
    throw libsolve::DataError("dataset '" + dataset + "' of " + path + " must be finite; " +
                              cell_name(g, bad) + " holds " + std::to_string(value_at(v, bad)));
  return v;
}

Vector make_coefficient(const PoissonOptions& options, const Geometry& g,
                        const libsolve::Context& context) {
  if (options.coefficient == "file") {
    Vector k = read_field(options.coefficient_file, options.coefficient_dataset, g, context);
    const Index bad = first_bad_cell(g, k, true);
    if (bad < g.num_cells())
      throw libsolve::DataError("the coefficient in dataset '" + options.coefficient_dataset +
                                "' of " + context.resolve_file(options.coefficient_file) +
                                " must be positive; " + cell_name(g, bad) + " holds " +
                                std::to_string(value_at(k, bad)) +
                                "; mark solid cells in a mask instead");
    libsolve::scale(options.value, k);
    return k;
  }
  Vector k = cell_vector("poisson::coefficient", g);
  if (options.coefficient == "constant") {
    libsolve::fill(k, options.value);
  } else if (options.coefficient == "smooth") {
    Kokkos::parallel_for("poisson::smooth_coefficient", Policy(0, g.num_cells()),
                         FillSmoothCoefficient{g, make_smooth(options), k.data()});
  } else {
    FillRandomCoefficient body{.g = g,
                               .stream = RandomStream(context.seed, "poisson::coefficient"),
                               .value = options.value,
                               .decades = options.decades,
                               .blocks = {1, 1, 1},
                               .k = k.data()};
    for (int a = 0; a < g.dimension; ++a) {
      if (options.coefficient == "blocks") body.blocks[a] = options.blocks;
      if (options.coefficient == "random") body.blocks[a] = 0;
    }
    if (options.coefficient == "layers") body.blocks[g.dimension - 1] = options.blocks;
    Kokkos::parallel_for("poisson::random_coefficient", Policy(0, g.num_cells()), body);
  }
  return k;
}

struct FillRandom {
  Geometry g;
  RandomStream stream;
  bool normal;
  double* v;
  KOKKOS_INLINE_FUNCTION void operator()(Index c) const {
    const std::uint64_t index = g.natural_index(c);
    v[c] = normal ? stream.normal(index) : stream.uniform(index, -1.0, 1.0);
  }
};

namespace {

void fill_random(const Geometry& g, const RandomStream& stream, bool normal, const Vector& v) {
  Kokkos::parallel_for("poisson::fill_random", Policy(0, g.num_cells()),
                       FillRandom{g, stream, normal, v.data()});
}

}  // namespace

Vector make_right_hand_side(const PoissonOptions& options, const Geometry& g,
                            const libsolve::Context& context) {
  if (options.right_hand_side == "file")
    return read_field(options.right_hand_side_file, options.right_hand_side_dataset, g, context);
  Vector f = cell_vector("poisson::right_hand_side", g);
  if (options.right_hand_side == "ones")
    libsolve::fill(f, 1.0);
  else
    fill_random(g, RandomStream(context.seed, "poisson::right_hand_side"),
                options.right_hand_side == "normal", f);
  return f;
}

Vector make_initial_guess(const PoissonOptions& options, const Geometry& g,
                          const libsolve::Context& context) {
  Vector x = cell_vector("poisson::x", g);
  if (options.initial_guess == "ones") libsolve::fill(x, 1.0);
  if (options.initial_guess == "random")
    fill_random(g, RandomStream(context.seed, "poisson::initial_guess"), false, x);
  return x;
}

/// u(xi) and its derivatives along the axes; see fields.hpp.
struct ExactSolution {
  int dimension;

  KOKKOS_INLINE_FUNCTION double phase(const double* xi) const {
    double p = 0.0;
    for (int a = 0; a < dimension; ++a) p += (a + 1) * xi[a];
    return p;
  }
  /// u (order 0), or its first or second derivative along axis b.
  KOKKOS_INLINE_FUNCTION double operator()(const double* xi, int b, int order) const {
    constexpr double pi = 3.141592653589793238462643383280;
    double s = 1.0;
    for (int a = 0; a < dimension; ++a) {
      if (a != b || order == 0)
        s *= Kokkos::sin(pi * xi[a]);
      else
        s *= order == 1 ? pi * Kokkos::cos(pi * xi[a]) : -pi * pi * Kokkos::sin(pi * xi[a]);
    }
    const double m = b + 1;
    const double p = phase(xi);
    if (order == 0) return s + 0.5 * Kokkos::cos(p);
    if (order == 1) return s - 0.5 * m * Kokkos::sin(p);
    return s - 0.5 * m * m * Kokkos::cos(p);
  }
};

struct FillManufactured {
  Geometry g;
  SmoothCoefficient k;
  ExactSolution u;
  double reaction;
  double* solution;
  double* f;

  KOKKOS_INLINE_FUNCTION void operator()(Index c) const {
    Index at[3];
    g.locate(c, at);
    double xi[3];
    relative_position(g, c, xi);
    const double value = u(xi, 0, 0);
    double sum = reaction * value;
    for (int a = 0; a < g.dimension; ++a) {
      // -d/dx (A k du/dx), with d/dx = d/dxi / length.
      const double square = g.length[a] * g.length[a];
      sum -= g.anisotropy[a] / square * (k.derivative(xi, a) * u(xi, a, 1) + k(xi) * u(xi, a, 2));
      for (int s = 0; s < 2; ++s) {
        if (at[a] != (s == 0 ? 0 : g.n[a] - 1)) continue;
        double wall[3] = {xi[0], xi[1], xi[2]};
        wall[a] = s;
        if (g.dirichlet[a][s])  // the link to the wall holds u there
          sum += g.wall_scale(a, s) * k(xi) * u(wall, 0, 0);
        else  // the flux through the wall, along the outer normal
          sum += g.anisotropy[a] / (g.h[a] * g.length[a]) * k(wall) * (s == 0 ? -1.0 : 1.0) *
                 u(wall, a, 1);
      }
    }
    solution[c] = value;
    f[c] = sum;
  }
};

Manufactured make_manufactured(const PoissonOptions& options, const Geometry& g) {
  Manufactured m{cell_vector("poisson::exact_solution", g),
                 cell_vector("poisson::right_hand_side", g)};
  Kokkos::parallel_for("poisson::manufactured", Policy(0, g.num_cells()),
                       FillManufactured{.g = g,
                                        .k = make_smooth(options),
                                        .u = {g.dimension},
                                        .reaction = options.reaction,
                                        .solution = m.solution.data(),
                                        .f = m.right_hand_side.data()});
  return m;
}

}  // namespace poisson
