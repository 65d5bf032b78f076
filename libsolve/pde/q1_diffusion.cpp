#include <algorithm>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/pde/q1_diffusion.hpp>
#include <libsolve/pde/q1_diffusion_rows.hpp>

namespace libsolve {

namespace detail {

/// Corners of a cell: bit a of b is set at the upper end of axis a.
struct Corners {
  Index stride[3];
  explicit Corners(const NodeRows& rows) : stride{1, rows.stride[1], rows.stride[2]} {}
  KOKKOS_INLINE_FUNCTION Index offset(int b) const {
    return (b & 1) * stride[0] + ((b >> 1) & 1) * stride[1] + ((b >> 2) & 1) * stride[2];
  }
};

template <int D>
struct DiffusionDiagonal {
  Corners corners;
  double centre;
  const double* a;
  double* d;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const {
    double sum = 0.0;
    for (int b = 0; b < 1 << D; ++b) sum += a[place - corners.offset(b)];
    d[entry] = centre * sum;
  }
};

/// The cells of a rank, at the places of their lower corners.
NodeRows cell_rows(const NodeGrid& grid) {
  NodeRows c = grid.rows();
  const Box own = grid.all_nodes().own();
  c.first = 0;
  for (int a = 0; a < grid.dimension(); ++a) {
    c.begin[a] = own.begin[a];
    c.n[a] = std::max<Index>(0, std::min(own.end[a], grid.cells(a)) - own.begin[a]);
    c.first += c.stride[a] * (own.begin[a] - grid.padded_box().begin[a]);
  }
  return c;
}

struct PadCells {
  const double* v;
  double* padded;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const { padded[place] = v[entry]; }
};

}  // namespace detail

Partition Q1Diffusion::cell_partition(const NodeGrid& grid) {
  const Index n = detail::cell_rows(grid).num_nodes();
  return grid.communicator().size() == 1 ? Partition(n) : Partition(grid.communicator(), n);
}

Q1Diffusion::Q1Diffusion(const NodeGrid& grid, const Vector& coefficient) : grid_(grid) {
  const int D = grid.dimension();
  for (int pair = 0; pair < 1 << D; ++pair)
    for (int s = 0; s < D; ++s) {
      double term = 1.0;
      for (int a = 0; a < D; ++a) {
        const double h = grid.spacing(a);
        const bool other = ((pair >> a) & 1) != 0;
        term *= a == s ? (other ? -1.0 : 1.0) / h : (other ? h / 6.0 : h / 3.0);
      }
      element_.pair[pair] += term;
    }
  const auto size = static_cast<std::size_t>(grid.scratch_size());
  coefficient_ = zero_array<double>("q1_diffusion::coefficient",
                                    static_cast<std::size_t>(grid.rows().padded_size));
  scratch_ = zero_array<double>("q1_diffusion::scratch", size);
  if (!grid.is_whole_on_host()) second_scratch_ = zero_array<double>("q1_diffusion::scratch", size);
  set_coefficient(coefficient);
}
Q1Diffusion::~Q1Diffusion() = default;

void Q1Diffusion::set_coefficient(const Vector& coefficient) {
  const NodeRows cells = detail::cell_rows(grid_);
  if (coefficient.local_size() != cells.num_nodes())
    throw ShapeError("a coefficient of " + std::to_string(coefficient.local_size()) +
                     " entries for " + std::to_string(cells.num_nodes()) + " cells");
  for_nodes(default_space(), "q1_diffusion::coefficient", cells,
            detail::PadCells{coefficient.data(), coefficient_.data()});
  grid_.fetch_neighbours(coefficient_);
}

ConstVectorView Q1Diffusion::inside(const Vector& v, VectorView& room) const {
  if (!grid_.has_mask()) return v.view();
  const auto n = static_cast<std::size_t>(grid_.rows().num_nodes());
  if (room.extent(0) < n) room = bare_array<double>("q1_diffusion::inside", n);
  grid_.keep_inside(v.view(), room);
  return room;
}

void Q1Diffusion::apply(const Vector& x, const Vector& y) const {
  const ConstVectorView v = inside(x, inside_);
  const NodeRows& rows = grid_.rows();
  with_dimension(grid_.dimension(), [&](auto d) {
    constexpr int D = decltype(d)::value;
    if constexpr (runs_on_host<ExecSpace>) {
      if (grid_.is_whole_on_host()) {
        const detail::TiledRows order(rows, 2);
        detail::for_each_row("q1_diffusion::apply", rows,
                             detail::DiffusionRow<D>{rows, order, element_, coefficient_.data(),
                                                     v.data(), scratch_.data(), y.data()});
        return;
      }
    }
    grid_.pad(v, scratch_);
    grid_.fetch_neighbours(scratch_);
    for_nodes(default_space(), "q1_diffusion::apply", rows,
              detail::ApplyDiffusion<D>{element_, rows.stride[1], rows.stride[2],
                                        coefficient_.data(), scratch_.data(), y.data()});
  });
  grid_.set_outside(outside(), x.view(), y.view());
}

/// The diagonal entry of a = 1.
double Q1Diffusion::outside() const {
  return element_.pair[0] * (1 << grid_.dimension());
}

bool Q1Diffusion::diagonal(const Vector& diagonal) const {
  with_dimension(grid_.dimension(), [&](auto d) {
    constexpr int D = decltype(d)::value;
    for_nodes(default_space(), "q1_diffusion::diagonal", grid_.rows(),
              detail::DiffusionDiagonal<D>{detail::Corners(grid_.rows()), element_.pair[0],
                                           coefficient_.data(), diagonal.data()});
  });
  if (grid_.has_mask()) {
    const VectorView value = bare_array<double>("q1_diffusion::outside", diagonal.view().extent(0));
    Kokkos::deep_copy(value, outside());
    grid_.set_outside(1.0, value, diagonal.view());
  }
  return true;
}

void Q1Diffusion::coefficient_gradient(const Vector& y, const Vector& w, const Vector& g) const {
  const ConstVectorView v = inside(y, inside_), u = inside(w, second_inside_);
  const NodeRows& rows = grid_.rows();
  const NodeRows cells = detail::cell_rows(grid_);
  const detail::ElementEigenvalues eigenvalues(element_, grid_.dimension());
  with_dimension(grid_.dimension(), [&](auto d) {
    constexpr int D = decltype(d)::value;
    if constexpr (runs_on_host<ExecSpace>) {
      if (grid_.is_whole_on_host()) {
        const detail::CoefficientGradientRow<D> row{rows,     eigenvalues,     v.data(),
                                                    u.data(), scratch_.data(), g.data()};
        detail::for_each_row("q1_diffusion::coefficient_gradient", cells, row);
        return;
      }
    }
    grid_.pad(v, scratch_);
    grid_.pad(u, second_scratch_);
    grid_.fetch_neighbours(scratch_);
    grid_.fetch_neighbours(second_scratch_);
    for_nodes(default_space(), "q1_diffusion::coefficient_gradient", cells,
              detail::CoefficientGradient<D>{eigenvalues, rows.stride[1], rows.stride[2],
                                             scratch_.data(), second_scratch_.data(), g.data()});
  });
}

std::string Q1Diffusion::description() const {
  std::string text = "Q1 diffusion with a coefficient a cell on ";
  for (int a = 0; a < grid_.dimension(); ++a)
    text += (a == 0 ? "" : " x ") + std::to_string(grid_.cells(a));
  return text + " cells";
}

double Q1Diffusion::bytes_per_apply() const {
  return 3.0 * sizeof(double) * static_cast<double>(grid_.rows().num_nodes());
}

double Q1Diffusion::memory_bytes() const {
  return sizeof(double) * static_cast<double>(coefficient_.extent(0) + scratch_.extent(0) +
                                              second_scratch_.extent(0) + inside_.extent(0) +
                                              second_inside_.extent(0));
}

}  // namespace libsolve
