#include "heat_sequence.hpp"

#include <cmath>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <numbers>

namespace sequences {

namespace {
constexpr double pi = std::numbers::pi;
}  // namespace

void HeatOptions::describe(Fields<HeatOptions>& f) {
  using O = HeatOptions;
  f.add("size", &O::size, Range::closed(1, 1 << 16), "inner nodes along each axis, 2 or 3 numbers");
  f.add("systems", &O::systems, Range::at_least(1), "time steps");
  f.add("time_step", &O::time_step, Range::above(0.0), "dt; the published sequence has 5000 of 1e-3");
  f.add("bump_radius", &O::bump_radius, Range::closed(1e-3, 1.0),
        "radius of the moving source; edges of the domain are 1 long");
  f.add("storage", &O::storage, Choices{{"stencil", "csr"}}, "matrix-free, or assembled");
}

void HeatOptions::check(const HeatOptions& o, const std::string& prefix,
                        const SourceLocation& where, Diagnostics& problems) {
  if (o.size.size() != 2 && o.size.size() != 3)
    problems.add(where, prefix + "size", "must have 2 or 3 numbers");
}

double HeatSequence::diffusivity(double t) {
  const double s = std::sin(2.0 * pi * t);
  return std::max(0.1 * s, -10.0 * s);
}

/// b += scale exp(1 - 1 / (1 - |x - centre|^2 / radius^2)) inside the ball, at the nodes of a box.
struct AddBump {
  Box box;
  int dimension;
  double h[3];
  double centre[3];
  double radius;
  double scale;
  double* b;
  KOKKOS_FUNCTION void operator()(Index c) const {
    double r2 = 0.0;
    Index rest = c;
    for (int a = 0; a < dimension; ++a) {
      const Index n = box.end[a] - box.begin[a];
      const double away = (box.begin[a] + rest % n + 1) * h[a] - centre[a];
      r2 += away * away;
      rest /= n;
    }
    r2 /= radius * radius;
    if (r2 < 1.0) b[c] += scale * Kokkos::exp(1.0 - 1.0 / (1.0 - r2));
  }
};

namespace {

Grid grid_of(const HeatOptions& o) {
  Grid grid;
  grid.dimension = static_cast<int>(o.size.size());
  for (int a = 0; a < grid.dimension; ++a) {
    grid.cells[a] = o.size[static_cast<size_t>(a)];
    grid.spacing[a] = 1.0 / (grid.cells[a] + 1.0);
    grid.origin[a] = 0.5 * grid.spacing[a];
  }
  return grid;
}

}  // namespace

HeatSequence::HeatSequence(const HeatOptions& options, const Context& context)
    : LinearSystemSequence(options.systems),
      options_(options),
      parts_(context.communicator.size() > 1 ? GridPartition(grid_of(options), context.communicator)
                                             : GridPartition(grid_of(options))),
      b_("heat_sequence::b", parts_.partition()),
      x_("heat_sequence::x", parts_.partition()) {
  start();
}

std::string HeatSequence::description() const {
  std::string text = std::to_string(options_.size.size()) + "D heat equation, Crank-Nicolson, ";
  for (size_t a = 0; a < options_.size.size(); ++a)
    text += (a == 0 ? "" : " x ") + std::to_string(options_.size[a]);
  return text + " nodes, " + std::to_string(size()) + " systems";
}

std::shared_ptr<StencilOperator> HeatSequence::shifted_laplacian(double factor) const {
  StencilOperator::Constant c;
  c.shift = 1.0;
  const Grid& grid = parts_.grid();
  for (int a = 0; a < grid.dimension; ++a) {
    c.coupling[a] = factor / (grid.spacing[a] * grid.spacing[a]);
    c.wall[a] = {c.coupling[a], c.coupling[a]};
  }
  return std::make_shared<StencilOperator>(parts_, c);
}

LinearSystemSequence::System HeatSequence::make(std::int64_t t, const Vector* last) {
  const double dt = options_.time_step;
  const double middle = (static_cast<double>(t) + 0.5) * dt;
  const double kappa = diffusivity(middle);
  const auto A = shifted_laplacian(0.5 * dt * kappa);
  // b = (2 I - A) u + dt f = (I - dt kappa / 2 L) u + dt f
  if (last != nullptr) {
    if (last->data() != x_.data()) copy(*last, x_);
    A->apply(x_, b_);
    axpby(2.0, x_, -1.0, b_);
  } else {
    fill(x_, 0.0);
    fill(b_, 0.0);
  }
  const Grid& grid = parts_.grid();
  AddBump bump{.box = parts_.own(),
               .dimension = grid.dimension,
               .h = {grid.spacing[0], grid.spacing[1], grid.spacing[2]},
               .centre = {0.5 + 0.25 * std::cos(16.0 * pi * middle),
                          0.5 + 0.25 * std::sin(16.0 * pi * middle), 0.5},
               .radius = options_.bump_radius,
               .scale = dt,
               .b = b_.data()};
  for_rows(ExecSpace(), "heat_sequence::add_bump", b_.local_size(), bump);

  std::shared_ptr<const LinearOperator> op = A;
  if (options_.storage == "csr") op = A->assemble();
  System made{.system = std::make_unique<LinearSystem>(op, b_, x_), .context = kappa};
  made.system->grid = grid;
  made.system->box = parts_.own();
  made.system->text = description();
  return made;
}

}  // namespace sequences
