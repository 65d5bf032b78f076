#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/pde/log_diffusion.hpp>
#include <libsolve/pde/log_diffusion_kernels.hpp>
#include <libsolve/pde/node_grid.hpp>
#include <vector>

namespace libsolve {

namespace {

struct Decay {
  const double* m;
  double* E;
  KOKKOS_FUNCTION void operator()(Index i) const { E[i] = Kokkos::exp(-m[i]); }
};

/// The walls of one side of the box: e += 2 / (h^2 E).
struct AddWall {
  double wall;
  const double* E;
  double* excess;
  KOKKOS_FUNCTION void operator()(Index place, Index) const { excess[place] += wall / E[place]; }
};

/// Between a place and the next along an axis.
struct SetFace {
  double scale;
  Index stride;
  const double* E;
  double* face;
  KOKKOS_FUNCTION void operator()(Index place, Index) const {
    face[place] = 2.0 * scale / (E[place] + E[place + stride]);
  }
};

struct Sum {
  const double* y;
  KOKKOS_FUNCTION void operator()(Index i, double& sum) const { sum += y[i]; }
};
/// The rank's cells out of a padded array.
struct TakeCells {
  CellNeighbours cells;
  const double* padded;
  double* v;
  KOKKOS_FUNCTION void operator()(Index i) const { v[i] = padded[cells.place(i)]; }
};

/// A box of places in padded arrays, for for_nodes.
NodeRows places(const Box& box, const Box& padded) {
  NodeRows rows;
  Index stride = 1;
  for (int a = 0; a < 3; ++a) {
    rows.n[a] = box.cells(a);
    rows.stride[a] = stride;
    rows.first += (box.begin[a] - padded.begin[a]) * stride;
    stride *= padded.cells(a);
  }
  rows.padded_size = stride;
  return rows;
}

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
      scale_(1.0 / (spacing() * spacing())) {
  const auto padded = static_cast<std::size_t>(layers_.num_padded());
  decay_ = zero_array<double>("log_diffusion::decay", padded);
  // A plane of zeros before the first: cells there have no faces on their lower side.
  before_ = neighbours().stride[dimension - 1];
  for (int a = 0; a < dimension; ++a)
    face_[a] =
        zero_array<double>("log_diffusion::face", static_cast<std::size_t>(before_) + padded);
  if (walls == Walls::fixed) excess_ = zero_array<double>("log_diffusion::excess", padded);
}

Partition LogDiffusion::block_partition(int functions) const {
  return parts_.communicator().size() > 1
             ? Partition(parts_.communicator(), functions * num_cells_)
             : Partition(static_cast<GlobalIndex>(functions) * num_cells_);
}

void LogDiffusion::set_parameter(const ConstVectorView& m) {
  const ConstVectorView around = layers_.with_neighbours(m, room_v_);
  const auto& exec = default_space();
  for_rows(exec, "log_diffusion::decay", layers_.num_padded(), Decay{around.data(), decay_.data()});
  const Box padded = layers_.padded_box();
  for (int a = 0; a < grid().dimension; ++a) {
    Box with_next = padded;
    --with_next.end[a];
    for_nodes(exec, "log_diffusion::faces", places(with_next, padded),
              SetFace{scale_, neighbours().stride[a], decay_.data(), face_[a].data() + before_});
  }
  if (walls_ == Walls::fixed) {
    Kokkos::deep_copy(excess_, 0.0);
    for (int a = 0; a < grid().dimension; ++a)
      for (const bool low : {true, false}) {
        Box layer = layers_.own();
        if (low ? layer.begin[a] > 0 : layer.end[a] < grid().cells[a]) continue;
        (low ? layer.end[a] : layer.begin[a]) = low ? layer.begin[a] + 1 : layer.end[a] - 1;
        for_nodes(exec, "log_diffusion::walls", places(layer, padded),
                  AddWall{2.0 * scale_, decay_.data(), excess_.data()});
      }
  }
  Kokkos::fence("log_diffusion::set_parameter");
}

detail::Conductivities LogDiffusion::conductivities() const {
  detail::Conductivities k = {
      {nullptr, nullptr, nullptr}, decay_.data(), excess_.data(), 0.5 / scale_};
  for (int a = 0; a < grid().dimension; ++a) k.face[a] = face_[a].data() + before_;
  return k;
}

/// The means of the functions in y over the grid: what insulated walls add to A's rows. Null where
/// walls are fixed.
const double* LogDiffusion::means(const ConstVectorView& y) const {
  if (walls_ != Walls::insulated) return nullptr;
  const auto functions = static_cast<std::size_t>(layers_.functions_in(y));
  std::vector<double> sums(functions);
  for (std::size_t s = 0; s < functions; ++s)
    sums[s] = reduce_rows<Sums<1>>(default_space(), "log_diffusion::mean", num_cells_,
                                   Sum{y.data() + static_cast<Index>(s) * num_cells_})
                  .value[0];
  parts_.communicator().sum(sums);
  if (means_.extent(0) < functions) means_ = VectorView("log_diffusion::means", functions);
  const auto host = Kokkos::create_mirror_view(means_);
  for (std::size_t s = 0; s < functions; ++s)
    host(s) = sums[s] / static_cast<double>(grid().num_cells());
  Kokkos::deep_copy(means_, host);
  return means_.data();
}

template <class Kind>
void LogDiffusion::flux(const char* label, const Kind& kind, const ConstVectorView& y,
                        const double* shift, const VectorView& out) const {
  const ConstVectorView u = layers_.with_neighbours(y, room_y_);
  with_dimension(grid().dimension, [&](auto d) {
    constexpr int D = decltype(d)::value;
    if constexpr (D > 1)
      for_cell_spans(default_space(), label, neighbours(), layers_.num_padded(),
                     layers_.functions_in(y),
                     detail::Flux<D, Kind>{face_sums<D>(kind, y), u.data(), shift, out.data()});
  });
  Kokkos::fence(label);
}

template <class Kind>
void LogDiffusion::products(const char* label, const Kind& kind, const ConstVectorView& y,
                            const ConstVectorView& p, const VectorView& out) const {
  const ConstVectorView u = layers_.with_neighbours(y, room_y_);
  const ConstVectorView q = layers_.with_neighbours(p, room_p_);
  with_dimension(grid().dimension, [&](auto d) {
    constexpr int D = decltype(d)::value;
    if constexpr (D > 1)
      for_cell_spans(
          default_space(), label, neighbours(), layers_.num_padded(), 2 * layers_.functions_in(y),
          detail::Products<D, Kind>{face_sums<D>(kind, y), u.data(), q.data(), out.data()});
  });
  Kokkos::fence(label);
}

template <int D, class Kind>
detail::FaceSums<D, Kind> LogDiffusion::face_sums(const Kind& kind,
                                                  const ConstVectorView& y) const {
  const Index(&stride)[3] = neighbours().stride;
  return {kind,
          {stride[0], stride[1], stride[2]},
          num_cells_,
          layers_.num_padded(),
          layers_.functions_in(y)};
}

void LogDiffusion::apply(const ConstVectorView& y, const VectorView& out) const {
  flux("log_diffusion::apply", detail::Conductance{conductivities()}, y, means(y), out);
}

void LogDiffusion::apply_derivative(const ConstVectorView& v, const ConstVectorView& y,
                                    const VectorView& out) const {
  const ConstVectorView change = layers_.with_neighbours(v, room_v_);
  flux("log_diffusion::derivative", detail::ConductanceChange{conductivities(), change.data()}, y,
       nullptr, out);
}

void LogDiffusion::gradient(const ConstVectorView& y, const ConstVectorView& p,
                            const VectorView& g) const {
  products("log_diffusion::gradient", detail::ConductanceDerivative{conductivities()}, y, p, g);
}

void LogDiffusion::second_derivative(const ConstVectorView& v, const ConstVectorView& y,
                                     const ConstVectorView& p, const VectorView& out) const {
  const ConstVectorView change = layers_.with_neighbours(v, room_v_);
  products("log_diffusion::second_derivative",
           detail::ConductanceSecondDerivative{conductivities(), change.data()}, y, p, out);
}

std::shared_ptr<const StencilOperator> LogDiffusion::stencil() const {
  const auto n = static_cast<std::size_t>(num_cells_);
  const auto of_cells = [&](const char* label, const double* padded) {
    const VectorView v = bare_array<double>(label, n);
    for_rows(default_space(), label, num_cells_, TakeCells{neighbours(), padded, v.data()});
    return v;
  };
  StencilOperator::Variable variable;
  for (int a = 0; a < grid().dimension; ++a)
    variable.face[a] = of_cells("log_diffusion::face", conductivities().face[a]);
  variable.excess = walls_ == Walls::fixed ? of_cells("log_diffusion::excess", excess_.data())
                                           : zero_array<double>("log_diffusion::excess", n);
  Kokkos::fence("log_diffusion::stencil");
  return std::make_shared<StencilOperator>(parts_, variable);
}

}  // namespace libsolve
