#include <algorithm>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/pde/q1_operator.hpp>
#include <libsolve/pde/q1_rows.hpp>
#include <vector>

namespace libsolve {

namespace detail {

template <int D>
struct ApplyQ1 {
  Q1Stencil<D> A;
  const double* x;
  double* y;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const { y[entry] = A(x, place); }
};

template <int D>
struct Q1Parts {
  static constexpr int num_outputs = 1;
  Q1Stencil<D> A;
  double* out[1];
  Parts operator()(Index, const Column& x) const { return {weighted(A, 0, x), weighted(A, 1, x)}; }
};

/// Coefficients of a stencil on the nodes inside a mask; those outside are rows of their own.
struct MaskedStencil {
  NodeRows rows;
  double coupling[3];
  double shift, centre;
  const double* mask;
  double* face[3] = {nullptr, nullptr, nullptr};
  double* excess = nullptr;
  unsigned char* solid = nullptr;
  KOKKOS_FUNCTION void operator()(Index place, Index entry) const {
    const bool is_inside = mask[place] > 0.0;
    double sum = is_inside ? shift : centre;
    for (int a = 0; a < 3; ++a) {
      if (face[a] == nullptr) continue;
      const bool next = mask[place + rows.stride[a]] > 0.0;
      const bool before = mask[place - rows.stride[a]] > 0.0;
      face[a][entry] = is_inside && next ? coupling[a] : 0.0;
      if (is_inside) sum += coupling[a] * ((next ? 0.0 : 1.0) + (before ? 0.0 : 1.0));
    }
    excess[entry] = sum;
    solid[entry] = is_inside ? 0 : 1;
  }
};

/// Of products over the axes; factor a of term t is m, k or lumped of axis a.
struct Line {
  double centre, side;
};
Line mass_line(double h) {
  return {4.0 * h / 6.0, h / 6.0};
}
Line stiffness_line(double h) {
  return {2.0 / h, -1.0 / h};
}

Q1Weights product(int dimension, const Line* line) {
  Q1Weights weights;
  for (int r = 0; r < 1 << (dimension - 1); ++r)
    for (int x = 0; x < 2; ++x) {
      double w = x == 0 ? line[0].centre : line[0].side;
      if (dimension > 1) w *= (r & 1) == 0 ? line[1].centre : line[1].side;
      if (dimension > 2) w *= (r & 2) == 0 ? line[2].centre : line[2].side;
      weights.w[r][x] = w;
    }
  return weights;
}

}  // namespace detail

Q1Weights q1_mass(const NodeGrid& grid) {
  detail::Line line[3];
  for (int a = 0; a < 3; ++a) line[a] = detail::mass_line(grid.spacing(a));
  return detail::product(grid.dimension(), line);
}

Q1Weights q1_stiffness(const NodeGrid& grid) {
  Q1Weights sum;
  for (int s = 0; s < grid.dimension(); ++s) {
    detail::Line line[3];
    for (int a = 0; a < 3; ++a)
      line[a] =
          a == s ? detail::stiffness_line(grid.spacing(a)) : detail::mass_line(grid.spacing(a));
    sum = sum + detail::product(grid.dimension(), line);
  }
  return sum;
}

Q1Weights q1_lumped_mass(const NodeGrid& grid) {
  Q1Weights weights;
  weights.w[0][0] = grid.cell_volume();
  return weights;
}

Q1Operator::Q1Operator(const NodeGrid& grid, const Q1Weights& weights)
    : grid_(grid),
      weights_(weights),
      scratch_(zero_array<double>("q1_operator::scratch",
                                  static_cast<std::size_t>(grid.scratch_size()))) {
  if (grid.has_mask())
    inside_ = zero_array<double>("q1_operator::inside",
                                 static_cast<std::size_t>(grid.rows().num_nodes()));
}
Q1Operator::~Q1Operator() = default;

void Q1Operator::apply_padded(const ConstVectorView& x, const VectorView& y) const {
  with_dimension(grid_.dimension(), [&](auto d) {
    constexpr int D = decltype(d)::value;
    for_nodes(default_space(), "q1_operator::apply", grid_.rows(),
              detail::ApplyQ1<D>{Q1Stencil<D>(weights_, grid_.rows()), x.data(), y.data()});
  });
}

void Q1Operator::apply_to_all(const ConstVectorView& x, const VectorView& y) const {
  if constexpr (runs_on_host<ExecSpace>) {
    if (grid_.is_whole_on_host()) {
      with_dimension(grid_.dimension(), [&](auto d) {
        constexpr int D = decltype(d)::value;
        detail::for_stencils<D, 1>(
            "q1_operator::apply", grid_.rows(), {{x.data()}, scratch_.data()},
            detail::Q1Parts<D>{Q1Stencil<D>(weights_, grid_.rows()), {y.data()}});
      });
      return;
    }
  }
  grid_.pad(x, scratch_);
  grid_.fetch_neighbours(scratch_);
  apply_padded(scratch_, y);
}

void Q1Operator::apply(const ConstVectorView& x, const VectorView& y) const {
  if (!grid_.has_mask()) return apply_to_all(x, y);
  grid_.keep_inside(x, inside_);
  apply_to_all(inside_, y);
  grid_.set_outside(weights_.centre(), x, y);
}

void Q1Operator::apply(const Vector& x, const Vector& y) const {
  apply(ConstVectorView(x.view()), y.view());
}

bool Q1Operator::diagonal(const Vector& d) const {
  fill(d, weights_.centre());
  return true;
}

std::string Q1Operator::description() const {
  std::string text = "Q1 elements on ";
  for (int a = 0; a < grid_.dimension(); ++a)
    text += (a == 0 ? "" : " x ") + std::to_string(grid_.cells(a));
  return text + " cells";
}

double Q1Operator::bytes_per_apply() const {
  return 2.0 * sizeof(double) * static_cast<double>(grid_.rows().num_nodes());
}

double Q1Operator::memory_bytes() const {
  return sizeof(double) * static_cast<double>(scratch_.extent(0) + inside_.extent(0));
}

std::shared_ptr<const StencilOperator> Q1Operator::equivalent_stencil() const {
  const NodeRows& rows = grid_.rows();
  if (grid_.communicator().any(rows.num_nodes() == 0)) return nullptr;
  StencilOperator::Constant c;
  for (int r = 0; r < 1 << (grid_.dimension() - 1); ++r)
    for (int x = 0; x < 2; ++x) {
      const bool off[3] = {x != 0, (r & 1) != 0, (r & 2) != 0};
      // All neighbours at these distances, with either sign.
      double weight = weights_.w[r][x];
      for (const bool is_off : off) weight *= is_off ? 2.0 : 1.0;
      c.shift += weight;
      for (int a = 0; a < grid_.dimension(); ++a)
        if (off[a]) c.coupling[a] -= 0.5 * weight;
    }
  // Rows of a stiffness matrix sum to rounding.
  c.shift = c.shift > 1e-13 * weights_.centre() ? c.shift : 0.0;
  for (int a = 0; a < grid_.dimension(); ++a) {
    c.coupling[a] = std::max(c.coupling[a], 0.0);
    c.wall[a] = {c.coupling[a], c.coupling[a]};
  }
  if (!grid_.has_mask()) return std::make_shared<StencilOperator>(grid_.inner_nodes(), c);
  const auto n = static_cast<std::size_t>(rows.num_nodes());
  StencilOperator::Variable variable;
  detail::MaskedStencil fill{rows,
                             {c.coupling[0], c.coupling[1], c.coupling[2]},
                             c.shift,
                             weights_.centre(),
                             grid_.mask().data()};
  for (int a = 0; a < grid_.dimension(); ++a) {
    variable.face[a] = bare_array<double>("q1_operator::face", n);
    fill.face[a] = variable.face[a].data();
  }
  variable.excess = bare_array<double>("q1_operator::excess", n);
  fill.excess = variable.excess.data();
  const Kokkos::View<unsigned char*, MemSpace> solid("q1_operator::solid", n);
  fill.solid = solid.data();
  variable.solid = solid;
  for_nodes(default_space(), "q1_operator::masked_stencil", rows, fill);
  Kokkos::fence("q1_operator::masked_stencil");
  return std::make_shared<StencilOperator>(grid_.inner_nodes(), variable);
}

std::shared_ptr<CsrMatrix> Q1Operator::assemble() const {
  const NodeRows& rows = grid_.rows();
  // Numbers of inner nodes over all ranks: planes of the last axis lie one after the other.
  const int last = grid_.dimension() - 1;
  GlobalIndex plane = 1;
  for (int a = 0; a < last; ++a) plane *= grid_.cells(a) - 1;
  const auto number = [&](const Index* at) {
    GlobalIndex in_plane = 0;
    for (int a = last - 1; a >= 0; --a) in_plane = in_plane * (grid_.cells(a) - 1) + at[a] - 1;
    return plane * (at[last] - 1) + in_plane;
  };
  std::vector<GlobalIndex> first = {0}, columns;
  std::vector<double> values;
  const auto mask = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), grid_.mask());
  const Index reach[3] = {1, grid_.dimension() > 1 ? 1 : 0, grid_.dimension() > 2 ? 1 : 0};
  for (Index row = 0; row < rows.num_nodes(); ++row) {
    const Index line = row / rows.n[0], k = line / rows.n[1];
    const Index at[3] = {row - line * rows.n[0] + rows.begin[0],
                         line - k * rows.n[1] + rows.begin[1], k + rows.begin[2]};
    for (Index dz = -reach[2]; dz <= reach[2]; ++dz)
      for (Index dy = -reach[1]; dy <= reach[1]; ++dy)
        for (Index dx = -1; dx <= 1; ++dx) {
          const Index to[3] = {at[0] + dx, at[1] + dy, at[2] + dz};
          const double w = weights_.w[(dy != 0 ? 1 : 0) + (dz != 0 ? 2 : 0)][dx != 0 ? 1 : 0];
          bool inside = w != 0.0;
          for (int a = 0; a <= last; ++a) inside = inside && to[a] > 0 && to[a] < grid_.cells(a);
          if (mask.extent(0) > 0) {
            const auto place = static_cast<std::size_t>(
                rows.place(at[0] - rows.begin[0], at[1] - rows.begin[1], at[2] - rows.begin[2]));
            const auto other = static_cast<std::size_t>(
                static_cast<Index>(place) + dx + dy * rows.stride[1] + dz * rows.stride[2]);
            const bool is_own = dx == 0 && dy == 0 && dz == 0;
            inside = inside && (is_own || (mask(place) > 0.0 && mask(other) > 0.0));
          }
          if (!inside) continue;
          columns.push_back(number(to));
          values.push_back(w);
        }
    first.push_back(static_cast<GlobalIndex>(columns.size()));
  }
  const auto on_device = [](const auto& v, const char* label) {
    using T = typename std::decay_t<decltype(v)>::value_type;
    const Kokkos::View<T*, MemSpace> view(label, v.size());
    Kokkos::deep_copy(view, Kokkos::View<const T*, Kokkos::HostSpace>(v.data(), v.size()));
    return view;
  };
  return std::make_shared<CsrMatrix>(
      grid_.partition(), grid_.partition(), on_device(first, "q1_operator::rows"),
      on_device(columns, "q1_operator::columns"), on_device(values, "q1_operator::values"));
}

}  // namespace libsolve
