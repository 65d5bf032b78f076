#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/pde/log_diffusion.hpp>

namespace libsolve {

namespace {

struct Decay {
  const double* m;
  double* E;
  KOKKOS_FUNCTION void operator()(Index i) const { E[i] = Kokkos::exp(-m[i]); }
};

struct Apply {
  CellNeighbours neighbours;
  Index n;
  int functions;
  double scale, wall;
  const double *E, *y;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const CellNeighbours::Around around = neighbours(i);
    double k[6];
    double diagonal = wall * around.walls / E[i];
    for (int f = 0; f < around.count; ++f) {
      k[f] = 2.0 * scale / (E[i] + E[around.cell[f]]);
      diagonal += k[f];
    }
    const double* u = y;
    double* v = out;
    for (int s = 0; s < functions; ++s, u += n, v += n) {
      double sum = diagonal * u[i];
      for (int f = 0; f < around.count; ++f) sum -= k[f] * u[around.cell[f]];
      v[i] = sum;
    }
  }
};

struct ApplyDerivative {
  CellNeighbours neighbours;
  Index n;
  int functions;
  double scale, wall;
  const double *E, *v, *y;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const CellNeighbours::Around around = neighbours(i);
    double change[6];
    const double at_walls = wall * around.walls / E[i] * v[i];
    for (int f = 0; f < around.count; ++f) {
      const Index j = around.cell[f];
      const FaceConductivity k(E[i], E[j]);
      change[f] = scale * (k.i * v[i] + k.j * v[j]);
    }
    const double* u = y;
    double* w = out;
    for (int s = 0; s < functions; ++s, u += n, w += n) {
      double sum = at_walls * u[i];
      for (int f = 0; f < around.count; ++f) sum += change[f] * (u[i] - u[around.cell[f]]);
      w[i] = sum;
    }
  }
};

struct Gradient {
  CellNeighbours neighbours;
  Index n;
  int functions;
  double scale, wall;
  const double *E, *y, *p;
  double* g;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const CellNeighbours::Around around = neighbours(i);
    double sum = 0.0;
    for (int s = 0; s < functions; ++s) sum += y[s * n + i] * p[s * n + i];
    double total = wall * around.walls / E[i] * sum;
    for (int f = 0; f < around.count; ++f) {
      const Index j = around.cell[f];
      sum = 0.0;
      for (int s = 0; s < functions; ++s)
        sum += (y[s * n + i] - y[s * n + j]) * (p[s * n + i] - p[s * n + j]);
      total += scale * FaceConductivity(E[i], E[j]).i * sum;
    }
    g[i] = total;
  }
};

struct SecondDerivative {
  CellNeighbours neighbours;
  Index n;
  int functions;
  double scale, wall;
  const double *E, *v, *y, *p;
  double* out;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const CellNeighbours::Around around = neighbours(i);
    double sum = 0.0;
    for (int s = 0; s < functions; ++s) sum += y[s * n + i] * p[s * n + i];
    double total = wall * around.walls / E[i] * v[i] * sum;
    for (int f = 0; f < around.count; ++f) {
      const Index j = around.cell[f];
      const FaceConductivity k(E[i], E[j]);
      sum = 0.0;
      for (int s = 0; s < functions; ++s)
        sum += (y[s * n + i] - y[s * n + j]) * (p[s * n + i] - p[s * n + j]);
      total += scale * (k.ii * v[i] + k.ij * v[j]) * sum;
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
    Index rest = i, stride = 1;
    for (int a = 0; a < 3; ++a) {
      if (neighbours.n[a] == 1) continue;
      const Index next = rest / neighbours.n[a], at = rest - next * neighbours.n[a];
      face[a][i] = at + 1 < neighbours.n[a] ? 2.0 * scale / (E[i] + E[i + stride]) : 0.0;
      stride *= neighbours.n[a];
      rest = next;
    }
    excess[i] = wall * neighbours(i).walls / E[i];
  }
};

}  // namespace

LogDiffusion::LogDiffusion(int dimension, Index cells, Walls walls) : walls_(walls) {
  if (cells < 2 || dimension < 2 || dimension > 3)
    throw ShapeError("LogDiffusion: wants 2 or 3 axes with 2 cells at least, got " +
                     std::to_string(dimension) + " with " + std::to_string(cells));
  const double h = 1.0 / cells;
  grid_.dimension = dimension;
  for (int a = 0; a < 3; ++a) {
    grid_.cells[a] = a < dimension ? cells : 1;
    grid_.spacing[a] = h;
    neighbours_.n[a] = grid_.cells[a];
  }
  num_cells_ = static_cast<Index>(grid_.num_cells());
  scale_ = 1.0 / (h * h);
  decay_ = zero_array<double>("log_diffusion::decay", static_cast<std::size_t>(num_cells_));
}

int LogDiffusion::functions_in(const ConstVectorView& y) const {
  const auto size = static_cast<Index>(y.extent(0));
  if (size % num_cells_ != 0)
    throw ShapeError("LogDiffusion: " + std::to_string(size) + " values are no whole number of "
                     "functions with " + std::to_string(num_cells_));
  return static_cast<int>(size / num_cells_);
}

void LogDiffusion::set_parameter(const ConstVectorView& m) {
  for_rows(default_space(), "log_diffusion::decay", num_cells_, Decay{m.data(), decay_.data()});
  Kokkos::fence("log_diffusion::decay");
}

void LogDiffusion::add_mean(const ConstVectorView& y, const VectorView& out) const {
  if (walls_ != Walls::insulated) return;
  const int functions = functions_in(y);
  for (int s = 0; s < functions; ++s) {
    const double sum = reduce_rows<Sums<1>>(default_space(), "log_diffusion::mean", num_cells_,
                                            Sum{y.data() + s * num_cells_})
                           .value[0];
    for_rows(default_space(), "log_diffusion::add_mean", num_cells_,
             AddConstant{sum / num_cells_, out.data() + s * num_cells_});
  }
}

void LogDiffusion::apply(const ConstVectorView& y, const VectorView& out) const {
  const double wall = walls_ == Walls::fixed ? 2.0 * scale_ : 0.0;
  for_rows(default_space(), "log_diffusion::apply", num_cells_,
           Apply{neighbours_, num_cells_, functions_in(y), scale_, wall, decay_.data(), y.data(),
                 out.data()});
  add_mean(y, out);
  Kokkos::fence("log_diffusion::apply");
}

void LogDiffusion::apply_derivative(const ConstVectorView& v, const ConstVectorView& y,
                                    const VectorView& out) const {
  const double wall = walls_ == Walls::fixed ? 2.0 * scale_ : 0.0;
  for_rows(default_space(), "log_diffusion::derivative", num_cells_,
           ApplyDerivative{neighbours_, num_cells_, functions_in(y), scale_, wall, decay_.data(),
                           v.data(), y.data(), out.data()});
  Kokkos::fence("log_diffusion::derivative");
}

void LogDiffusion::gradient(const ConstVectorView& y, const ConstVectorView& p,
                            const VectorView& g) const {
  const double wall = walls_ == Walls::fixed ? 2.0 * scale_ : 0.0;
  for_rows(default_space(), "log_diffusion::gradient", num_cells_,
           Gradient{neighbours_, num_cells_, functions_in(y), scale_, wall, decay_.data(), y.data(),
                    p.data(), g.data()});
  Kokkos::fence("log_diffusion::gradient");
}

void LogDiffusion::second_derivative(const ConstVectorView& v, const ConstVectorView& y,
                                     const ConstVectorView& p, const VectorView& out) const {
  const double wall = walls_ == Walls::fixed ? 2.0 * scale_ : 0.0;
  for_rows(default_space(), "log_diffusion::second_derivative", num_cells_,
           SecondDerivative{neighbours_, num_cells_, functions_in(y), scale_, wall, decay_.data(),
                            v.data(), y.data(), p.data(), out.data()});
  Kokkos::fence("log_diffusion::second_derivative");
}

std::shared_ptr<const StencilOperator> LogDiffusion::stencil() const {
  StencilOperator::Variable variable;
  const auto n = static_cast<std::size_t>(num_cells_);
  for (int a = 0; a < grid_.dimension; ++a)
    variable.face[a] = bare_array<double>("log_diffusion::face", n);
  variable.excess = bare_array<double>("log_diffusion::excess", n);
  const double wall = walls_ == Walls::fixed ? 2.0 * scale_ : 0.0;
  for_rows(default_space(), "log_diffusion::faces", num_cells_,
           Faces{neighbours_, scale_, wall, decay_.data(), variable.face[0].data(),
                 variable.face[1].data(), variable.face[2].data(), variable.excess.data()});
  Kokkos::fence("log_diffusion::faces");
  return std::make_shared<StencilOperator>(grid_, variable);
}

}  // namespace libsolve
