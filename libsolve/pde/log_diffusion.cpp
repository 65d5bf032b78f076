#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/pde/log_diffusion.hpp>
#include <vector>

namespace libsolve {

namespace {

struct Decay {
  const double* m;
  double* E;
  KOKKOS_FUNCTION void operator()(Index i) const { E[i] = Kokkos::exp(-m[i]); }
};

struct Apply {
  CellNeighbours neighbours;
  Index n, padded;
  int functions;
  double scale, wall;
  const double *E, *y;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const CellNeighbours::Around around = neighbours(i);
    const Index c = around.place;
    double k[6];
    double diagonal = wall * around.walls / E[c];
    for (int f = 0; f < around.count; ++f) {
      k[f] = 2.0 * scale / (E[c] + E[around.cell[f]]);
      diagonal += k[f];
    }
    const double* u = y;
    double* v = out;
    for (int s = 0; s < functions; ++s, u += padded, v += n) {
      double sum = diagonal * u[c];
      for (int f = 0; f < around.count; ++f) sum -= k[f] * u[around.cell[f]];
      v[i] = sum;
    }
  }
};

struct ApplyDerivative {
  CellNeighbours neighbours;
  Index n, padded;
  int functions;
  double scale, wall;
  const double *E, *v, *y;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const CellNeighbours::Around around = neighbours(i);
    const Index c = around.place;
    double change[6];
    const double at_walls = wall * around.walls / E[c] * v[c];
    for (int f = 0; f < around.count; ++f) {
      const Index j = around.cell[f];
      const FaceConductivity k(E[c], E[j]);
      change[f] = scale * (k.i * v[c] + k.j * v[j]);
    }
    const double* u = y;
    double* w = out;
    for (int s = 0; s < functions; ++s, u += padded, w += n) {
      double sum = at_walls * u[c];
      for (int f = 0; f < around.count; ++f) sum += change[f] * (u[c] - u[around.cell[f]]);
      w[i] = sum;
    }
  }
};

struct Gradient {
  CellNeighbours neighbours;
  Index n, padded;
  int functions;
  double scale, wall;
  const double *E, *y, *p;
  double* g;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const CellNeighbours::Around around = neighbours(i);
    const Index c = around.place;
    double sum = 0.0;
    for (int s = 0; s < functions; ++s) sum += y[s * padded + c] * p[s * padded + c];
    double total = wall * around.walls / E[c] * sum;
    for (int f = 0; f < around.count; ++f) {
      const Index j = around.cell[f];
      sum = 0.0;
      for (int s = 0; s < functions; ++s)
        sum += (y[s * padded + c] - y[s * padded + j]) * (p[s * padded + c] - p[s * padded + j]);
      total += scale * FaceConductivity(E[c], E[j]).i * sum;
    }
    g[i] = total;
  }
};

struct SecondDerivative {
  CellNeighbours neighbours;
  Index n, padded;
  int functions;
  double scale, wall;
  const double *E, *v, *y, *p;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const CellNeighbours::Around around = neighbours(i);
    const Index c = around.place;
    double sum = 0.0;
    for (int s = 0; s < functions; ++s) sum += y[s * padded + c] * p[s * padded + c];
    double total = wall * around.walls / E[c] * v[c] * sum;
    for (int f = 0; f < around.count; ++f) {
      const Index j = around.cell[f];
      const FaceConductivity k(E[c], E[j]);
      sum = 0.0;
      for (int s = 0; s < functions; ++s)
        sum += (y[s * padded + c] - y[s * padded + j]) * (p[s * padded + c] - p[s * padded + j]);
      total += scale * (k.ii * v[c] + k.ij * v[j]) * sum;
    }
    out[i] = total;
  }
};

struct Sum {
  const double* y;
  KOKKOS_FUNCTION void operator()(Index i, double& sum) const { sum += y[i]; }
};
struct AddConstant {
  double constant;
  double* y;
  KOKKOS_FUNCTION void operator()(Index i) const { y[i] += constant; }
};

struct Faces {
  CellNeighbours neighbours;
  double scale, wall;
  const double* E;
  double *face0, *face1, *face2, *excess;
  KOKKOS_FUNCTION void operator()(Index i) const {
    double* const face[3] = {face0, face1, face2};
    const CellNeighbours::Around around = neighbours(i);
    const Index c = around.place;
    Index rest = i;
    for (int a = 0; a < 3; ++a) {
      if (neighbours.total[a] == 1) continue;
      const Index next = rest / neighbours.n[a];
      const Index at = neighbours.begin[a] + rest - next * neighbours.n[a];
      face[a][i] =
          at + 1 < neighbours.total[a] ? 2.0 * scale / (E[c] + E[c + neighbours.stride[a]]) : 0.0;
      rest = next;
    }
    excess[i] = wall * around.walls / E[c];
  }
};

}  // namespace

namespace {

GridPartition cut(int dimension, Index cells, const Communicator& comm) {
  if (cells < 2 || dimension < 2 || dimension > 3)
    throw ShapeError("LogDiffusion: wants 2 or 3 axes with 2 cells at least, got " +
                     std::to_string(dimension) + " with " + std::to_string(cells));
  Grid grid;
  grid.dimension = dimension;
  for (int a = 0; a < 3; ++a) {
    grid.cells[a] = a < dimension ? cells : 1;
    grid.spacing[a] = 1.0 / cells;
  }
  return comm.size() > 1 ? GridPartition(grid, comm) : GridPartition(grid);
}

}  // namespace

LogDiffusion::LogDiffusion(int dimension, Index cells, Walls walls, const Communicator& comm)
    : parts_(cut(dimension, cells, comm)),
      layers_(parts_),
      num_cells_(layers_.num_cells()),
      walls_(walls),
      scale_(1.0 / (spacing() * spacing())),
      decay_(zero_array<double>("log_diffusion::decay",
                                static_cast<std::size_t>(layers_.num_padded()))) {}

Partition LogDiffusion::block_partition(int functions) const {
  return parts_.communicator().size() > 1
             ? Partition(parts_.communicator(), functions * num_cells_)
             : Partition(static_cast<GlobalIndex>(functions) * num_cells_);
}

void LogDiffusion::set_parameter(const ConstVectorView& m) {
  const ConstVectorView around = layers_.with_neighbours(m, room_v_);
  for_rows(default_space(), "log_diffusion::decay", layers_.num_padded(),
           Decay{around.data(), decay_.data()});
  Kokkos::fence("log_diffusion::decay");
}

void LogDiffusion::add_mean(const ConstVectorView& y, const VectorView& out) const {
  if (walls_ != Walls::insulated) return;
  const int functions = layers_.functions_in(y);
  std::vector<double> sums;
  for (int s = 0; s < functions; ++s)
    sums.push_back(reduce_rows<Sums<1>>(default_space(), "log_diffusion::mean", num_cells_,
                                        Sum{y.data() + s * num_cells_})
                       .value[0]);
  parts_.communicator().sum(sums);
  const auto all = static_cast<double>(grid().num_cells());
  for (int s = 0; s < functions; ++s)
    for_rows(default_space(), "log_diffusion::add_mean", num_cells_,
             AddConstant{sums[static_cast<std::size_t>(s)] / all, out.data() + s * num_cells_});
}

void LogDiffusion::apply(const ConstVectorView& y, const VectorView& out) const {
  const double wall = walls_ == Walls::fixed ? 2.0 * scale_ : 0.0;
  const ConstVectorView u = layers_.with_neighbours(y, room_y_);
  for_rows(default_space(), "log_diffusion::apply", num_cells_,
           Apply{neighbours(), num_cells_, layers_.num_padded(), layers_.functions_in(y), scale_,
                 wall, decay_.data(), u.data(), out.data()});
  add_mean(y, out);
  Kokkos::fence("log_diffusion::apply");
}

void LogDiffusion::apply_derivative(const ConstVectorView& v, const ConstVectorView& y,
                                    const VectorView& out) const {
  const double wall = walls_ == Walls::fixed ? 2.0 * scale_ : 0.0;
  const ConstVectorView change = layers_.with_neighbours(v, room_v_);
  const ConstVectorView u = layers_.with_neighbours(y, room_y_);
  for_rows(default_space(), "log_diffusion::derivative", num_cells_,
           ApplyDerivative{neighbours(), num_cells_, layers_.num_padded(), layers_.functions_in(y),
                           scale_, wall, decay_.data(), change.data(), u.data(), out.data()});
  Kokkos::fence("log_diffusion::derivative");
}

void LogDiffusion::gradient(const ConstVectorView& y, const ConstVectorView& p,
                            const VectorView& g) const {
  const double wall = walls_ == Walls::fixed ? 2.0 * scale_ : 0.0;
  const ConstVectorView u = layers_.with_neighbours(y, room_y_);
  const ConstVectorView q = layers_.with_neighbours(p, room_p_);
  for_rows(default_space(), "log_diffusion::gradient", num_cells_,
           Gradient{neighbours(), num_cells_, layers_.num_padded(), layers_.functions_in(y), scale_,
                    wall, decay_.data(), u.data(), q.data(), g.data()});
  Kokkos::fence("log_diffusion::gradient");
}

void LogDiffusion::second_derivative(const ConstVectorView& v, const ConstVectorView& y,
                                     const ConstVectorView& p, const VectorView& out) const {
  const double wall = walls_ == Walls::fixed ? 2.0 * scale_ : 0.0;
  const ConstVectorView change = layers_.with_neighbours(v, room_v_);
  const ConstVectorView u = layers_.with_neighbours(y, room_y_);
  const ConstVectorView q = layers_.with_neighbours(p, room_p_);
  for_rows(
      default_space(), "log_diffusion::second_derivative", num_cells_,
      SecondDerivative{neighbours(), num_cells_, layers_.num_padded(), layers_.functions_in(y),
                       scale_, wall, decay_.data(), change.data(), u.data(), q.data(), out.data()});
  Kokkos::fence("log_diffusion::second_derivative");
}

std::shared_ptr<const StencilOperator> LogDiffusion::stencil() const {
  StencilOperator::Variable variable;
  const auto n = static_cast<std::size_t>(num_cells_);
  for (int a = 0; a < grid().dimension; ++a)
    variable.face[a] = bare_array<double>("log_diffusion::face", n);
  variable.excess = bare_array<double>("log_diffusion::excess", n);
  const double wall = walls_ == Walls::fixed ? 2.0 * scale_ : 0.0;
  for_rows(default_space(), "log_diffusion::faces", num_cells_,
           Faces{neighbours(), scale_, wall, decay_.data(), variable.face[0].data(),
                 variable.face[1].data(), variable.face[2].data(), variable.excess.data()});
  Kokkos::fence("log_diffusion::faces");
  return std::make_shared<StencilOperator>(parts_, variable);
}

}  // namespace libsolve
