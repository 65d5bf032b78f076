#include <algorithm>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/pde/q1_diffusion.hpp>

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
struct ApplyDiffusion {
  Corners corners;
  double element[8];
  const double *a, *x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const {
    double sum = 0.0;
    for (int b = 0; b < 1 << D; ++b) {
      const Index cell = place - corners.offset(b);
      double part = 0.0;
      for (int c = 0; c < 1 << D; ++c) part += element[b ^ c] * x[cell + corners.offset(c)];
      sum += a[cell] * part;
    }
    y[entry] = sum;
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

/// The cells of a rank: entry of vectors and place of the lower corner in padded arrays.
struct CellPlaces {
  Index n[3];
  Index first, stride[3];
  KOKKOS_INLINE_FUNCTION Index place(Index entry) const {
    const Index row = entry / n[0], k = row / n[1];
    return first + entry - row * n[0] + (row - k * n[1]) * stride[1] + k * stride[2];
  }
};

CellPlaces cell_places(const NodeGrid& grid) {
  CellPlaces c{{1, 1, 1}, 0, {1, grid.rows().stride[1], grid.rows().stride[2]}};
  const Box own = grid.all_nodes().own();
  for (int a = 0; a < grid.dimension(); ++a) {
    const Index end = std::min(own.end[a], grid.cells(a));
    c.n[a] = std::max<Index>(0, end - own.begin[a]);
    c.first += grid.rows().stride[a] * (own.begin[a] - grid.padded_box().begin[a]);
  }
  return c;
}

struct PadCells {
  CellPlaces cells;
  const double* v;
  double* padded;
  KOKKOS_FUNCTION void operator()(Index entry) const { padded[cells.place(entry)] = v[entry]; }
};

template <int D>
struct CoefficientGradient {
  CellPlaces cells;
  Corners corners;
  double element[8];
  const double *y, *w;
  double* g;
  KOKKOS_FUNCTION void operator()(Index entry) const {
    const Index cell = cells.place(entry);
    double sum = 0.0;
    for (int b = 0; b < 1 << D; ++b)
      for (int c = 0; c < 1 << D; ++c)
        sum += w[cell + corners.offset(b)] * element[b ^ c] * y[cell + corners.offset(c)];
    g[entry] = sum;
  }
};

}  // namespace detail

Partition Q1Diffusion::cell_partition(const NodeGrid& grid) {
  const detail::CellPlaces c = detail::cell_places(grid);
  const Index n = c.n[0] * c.n[1] * c.n[2];
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
      element_[pair] += term;
    }
  const auto size = static_cast<std::size_t>(grid.rows().padded_size);
  coefficient_ = zero_array<double>("q1_diffusion::coefficient", size);
  scratch_ = zero_array<double>("q1_diffusion::scratch", size);
  second_scratch_ = zero_array<double>("q1_diffusion::scratch", size);
  if (grid.has_mask())
    inside_ = zero_array<double>("q1_diffusion::inside",
                                 static_cast<std::size_t>(grid.rows().num_nodes()));
  set_coefficient(coefficient);
}
Q1Diffusion::~Q1Diffusion() = default;

void Q1Diffusion::set_coefficient(const Vector& coefficient) {
  const detail::CellPlaces cells = detail::cell_places(grid_);
  const Index n = cells.n[0] * cells.n[1] * cells.n[2];
  if (coefficient.local_size() != n)
    throw ShapeError("a coefficient of " + std::to_string(coefficient.local_size()) +
                     " entries for " + std::to_string(n) + " cells");
  for_rows(default_space(), "q1_diffusion::coefficient", n,
           detail::PadCells{cells, coefficient.data(), coefficient_.data()});
  grid_.fetch_neighbours(coefficient_);
}

void Q1Diffusion::apply(const Vector& x, const Vector& y) const {
  pad_inside(x, scratch_);
  grid_.fetch_neighbours(scratch_);
  with_dimension(grid_.dimension(), [&](auto d) {
    constexpr int D = decltype(d)::value;
    detail::ApplyDiffusion<D> body{
        detail::Corners(grid_.rows()), {}, coefficient_.data(), scratch_.data(), y.data()};
    std::copy(element_, element_ + 8, body.element);
    for_nodes(default_space(), "q1_diffusion::apply", grid_.rows(), body);
  });
  grid_.set_outside(outside(), x.view(), y.view());
}

/// The diagonal entry of a = 1.
double Q1Diffusion::outside() const {
  return element_[0] * (1 << grid_.dimension());
}

void Q1Diffusion::pad_inside(const Vector& v, const VectorView& padded) const {
  if (!grid_.has_mask()) return grid_.pad(v.view(), padded);
  grid_.keep_inside(v.view(), inside_);
  grid_.pad(inside_, padded);
}

bool Q1Diffusion::diagonal(const Vector& diagonal) const {
  with_dimension(grid_.dimension(), [&](auto d) {
    constexpr int D = decltype(d)::value;
    for_nodes(default_space(), "q1_diffusion::diagonal", grid_.rows(),
              detail::DiffusionDiagonal<D>{detail::Corners(grid_.rows()), element_[0],
                                           coefficient_.data(), diagonal.data()});
  });
  if (grid_.has_mask()) {
    Kokkos::deep_copy(inside_, outside());
    grid_.set_outside(1.0, inside_, diagonal.view());
  }
  return true;
}

void Q1Diffusion::coefficient_gradient(const Vector& y, const Vector& w, const Vector& g) const {
  const detail::CellPlaces cells = detail::cell_places(grid_);
  pad_inside(y, scratch_);
  pad_inside(w, second_scratch_);
  grid_.fetch_neighbours(scratch_);
  grid_.fetch_neighbours(second_scratch_);
  with_dimension(grid_.dimension(), [&](auto d) {
    constexpr int D = decltype(d)::value;
    detail::CoefficientGradient<D> body{cells,           detail::Corners(grid_.rows()), {},
                                        scratch_.data(), second_scratch_.data(),        g.data()};
    std::copy(element_, element_ + 8, body.element);
    for_rows(default_space(), "q1_diffusion::coefficient_gradient",
             cells.n[0] * cells.n[1] * cells.n[2], body);
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
  return 3.0 * sizeof(double) * static_cast<double>(scratch_.extent(0));
}

}  // namespace libsolve
