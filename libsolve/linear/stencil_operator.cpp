#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/detail/stencil_interface.hpp>
#include <libsolve/linear/detail/stencil_kernels.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <limits>

namespace libsolve {

namespace detail {

ConstantStencil make_stencil(const Grid& grid, const StencilOperator::Constant& c) {
  ConstantStencil s;
  s.shift = c.shift;
  for (int a = 0; a < 3; ++a) {
    s.n[a] = grid.cells[a];
    s.T[a] = c.coupling[a];
    s.wall[a][0] = c.wall[a][0];
    s.wall[a][1] = c.wall[a][1];
  }
  return s;
}

VariableStencil make_stencil(const Grid& grid, const StencilOperator::Variable& v) {
  VariableStencil s;
  s.excess = v.excess.data();
  for (int a = 0; a < 3; ++a) {
    s.n[a] = grid.cells[a];
    s.face[a] = grid.cells[a] > 1 ? v.face[a].data() : nullptr;
  }
  return s;
}

template <class Stencil>
Index num_cells(const Stencil& s) {
  return s.n[0] * s.n[1] * s.n[2];
}

/// Coefficient of the face between cell c, at `at` along axis a, and the next; 0 at the end.
KOKKOS_INLINE_FUNCTION double face_of(const ConstantStencil& s, int a, Index at, Index) {
  return at + 1 < s.n[a] ? s.T[a] : 0.0;
}
KOKKOS_INLINE_FUNCTION double face_of(const VariableStencil& s, int a, Index at, Index c) {
  return at + 1 < s.n[a] ? s.face[a][c] : 0.0;
}

/// e_c.
KOKKOS_INLINE_FUNCTION double excess_of(const ConstantStencil& s, const Index* at, Index) {
  double e = s.shift;
  for (int a = 0; a < 3; ++a) {
    if (at[a] == 0) e += s.wall[a][0];
    if (at[a] + 1 == s.n[a]) e += s.wall[a][1];
  }
  return e;
}
KOKKOS_INLINE_FUNCTION double excess_of(const VariableStencil& s, const Index*, Index c) {
  return s.excess[c];
}

/// Position of cell c along the axes.
template <class Stencil>
KOKKOS_INLINE_FUNCTION void locate(const Stencil& s, Index c, Index* at) {
  const Index row = c / s.n[0];
  at[0] = c - row * s.n[0];
  at[1] = row % s.n[1];
  at[2] = row / s.n[1];
}

template <class Stencil>
KOKKOS_INLINE_FUNCTION double diagonal_of(const Stencil& s, const Index* at, Index c) {
  double d = excess_of(s, at, c);
  Index stride = 1;
  for (int a = 0; a < 3; ++a) {
    if (at[a] > 0) d += face_of(s, a, at[a] - 1, c - stride);
    d += face_of(s, a, at[a], c);
    stride *= s.n[a];
  }
  return d;
}

template <class Stencil>
struct StencilDiagonal {
  Stencil s;
  VectorView d;
  KOKKOS_INLINE_FUNCTION void operator()(Index c) const {
    Index at[3];
    locate(s, c, at);
    d(c) = diagonal_of(s, at, c);
  }
};

/// Entries of row c in the order of their columns: calls visit(column, value) for each.
template <class Stencil, class Visit>
KOKKOS_INLINE_FUNCTION void visit_row(const Stencil& s, Index c, const Visit& visit) {
  Index at[3];
  locate(s, c, at);
  const Index stride[3] = {1, s.n[0], s.n[0] * s.n[1]};
  for (int a = 2; a >= 0; --a) {
    if (at[a] == 0) continue;
    const double t = face_of(s, a, at[a] - 1, c - stride[a]);
    if (t != 0.0) visit(c - stride[a], -t);
  }
  visit(c, diagonal_of(s, at, c));
  for (int a = 0; a < 3; ++a) {
    const double t = face_of(s, a, at[a], c);
    if (t != 0.0) visit(c + stride[a], -t);
  }
}

struct CountEntries {
  GlobalIndex* count;
  KOKKOS_INLINE_FUNCTION void operator()(Index, double) const { ++*count; }
};

template <class Stencil>
struct CountRows {
  Stencil s;
  Index num_rows;
  Kokkos::View<GlobalIndex*, MemSpace> first;  ///< num_rows + 1
  KOKKOS_INLINE_FUNCTION void operator()(Index c, GlobalIndex& sum, bool final) const {
    GlobalIndex count = 0;
    if (c < num_rows) visit_row(s, c, CountEntries{&count});
    if (final) first(c) = sum;
    sum += count;
  }
};

struct WriteEntries {
  GlobalIndex* at;
  Index* columns;
  double* values;
  KOKKOS_INLINE_FUNCTION void operator()(Index column, double value) const {
    columns[*at] = column;
    values[*at] = value;
    ++*at;
  }
};

template <class Stencil>
struct FillRows {
  Stencil s;
  Kokkos::View<const GlobalIndex*, MemSpace> first;
  Kokkos::View<Index*, MemSpace> columns;
  VectorView values;
  KOKKOS_INLINE_FUNCTION void operator()(Index c) const {
    GlobalIndex at = first(c);
    visit_row(s, c, WriteEntries{&at, columns.data(), values.data()});
  }
};

template <class Stencil>
std::shared_ptr<CsrMatrix> assemble_stencil(const Stencil& s) {
  using Policy = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>;
  const Index n = num_cells(s);
  Kokkos::View<GlobalIndex*, MemSpace> first(
      Kokkos::view_alloc("stencil::row_pointers", Kokkos::WithoutInitializing), size_t(n) + 1);
  GlobalIndex num_nonzeros = 0;
  Kokkos::parallel_scan("stencil::count_rows", Policy(0, n + 1), CountRows<Stencil>{s, n, first},
                        num_nonzeros);
  Kokkos::View<Index*, MemSpace> columns(
      Kokkos::view_alloc("stencil::columns", Kokkos::WithoutInitializing), num_nonzeros);
  VectorView values(Kokkos::view_alloc("stencil::values", Kokkos::WithoutInitializing),
                    num_nonzeros);
  Kokkos::parallel_for("stencil::fill_rows", Policy(0, n),
                       FillRows<Stencil>{s, first, columns, values});
  Kokkos::fence("stencil::assemble");
  return std::make_shared<CsrMatrix>(n, n, first, columns, values);
}

/// Counts faces on the last cells along axis `a` that are not 0.
struct OpenEndFaces {
  VectorView face;
  Index n, inner;  ///< cells along the axis; cells before it
  KOKKOS_INLINE_FUNCTION void operator()(Index line, GlobalIndex& count) const {
    const GlobalIndex c =
        line % inner + GlobalIndex{inner} * (n - 1) + GlobalIndex{inner} * n * (line / inner);
    if (face(c) != 0.0) ++count;
  }
};

const Grid& checked(const Grid& grid) {
  GlobalIndex cells = 1;
  for (const Index n : grid.cells) {
    if (n < 1)
      throw ShapeError("a grid needs at least one cell along each axis, got " +
                       std::to_string(grid.cells[0]) + " x " + std::to_string(grid.cells[1]) +
                       " x " + std::to_string(grid.cells[2]));
    cells *= n;
    if (cells > std::numeric_limits<Index>::max())
      throw ShapeError("a grid of " + std::to_string(grid.cells[0]) + " x " +
                       std::to_string(grid.cells[1]) + " x " + std::to_string(grid.cells[2]) +
                       " cells is beyond the 2147483647 that one rank can hold");
  }
  return grid;
}

}  // namespace detail

namespace detail {

const GridPartition& checked(const GridPartition& parts) {
  if (parts.communicator().any(parts.own().num_cells() == 0))
    throw ShapeError("a stencil needs at least one cell on each of " +
                     std::to_string(parts.communicator().size()) + " ranks");
  return parts;
}

void check_length(size_t length, const Box& own, const std::string& what) {
  if (length != static_cast<size_t>(own.num_cells()))
    throw ShapeError("a stencil on " + std::to_string(own.num_cells()) +
                     " cells needs as many entries of " + what + ", got " + std::to_string(length));
}

}  // namespace detail

StencilOperator::StencilOperator(Grid grid, Constant coefficients)
    : StencilOperator(GridPartition(detail::checked(grid)), coefficients) {}

StencilOperator::StencilOperator(Grid grid, Variable coefficients)
    : StencilOperator(GridPartition(detail::checked(grid)), std::move(coefficients)) {}

void StencilOperator::check_constant() const {
  const auto check = [](double v, const char* what, int axis) {
    if (!(v >= 0.0) || !std::isfinite(v))
      throw DataError("a stencil needs finite coefficients that are not negative; the " +
                      std::string(what) + (axis < 0 ? "" : " of axis " + std::to_string(axis)) +
                      " is " + std::to_string(v));
  };
  for (int a = 0; a < 3; ++a) {
    check(constant_.coupling[a], "coupling", a);
    check(constant_.wall[a][0], "low wall", a);
    check(constant_.wall[a][1], "high wall", a);
  }
  check(constant_.shift, "shift", -1);
}

void StencilOperator::check_lengths() const {
  const Box& own = parts_.own();
  detail::check_length(variable_.excess.extent(0), own, "'excess'");
  if (variable_.solid.extent(0) != 0)
    detail::check_length(variable_.solid.extent(0), own, "'solid'");
  for (int a = 0; a < 3; ++a)
    if (parts_.grid().cells[a] > 1)
      detail::check_length(variable_.face[a].extent(0), own,
                           "'face' along axis " + std::to_string(a));
}

void StencilOperator::check_end_faces() const {
  const Box& own = parts_.own();
  Index inner = 1;
  for (int a = 0; a < 3; ++a) {
    const Index cells = own.cells(a);
    if (parts_.grid().cells[a] > 1) {
      GlobalIndex open = 0;
      Kokkos::parallel_reduce("stencil::check_end_faces",
                              Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>(
                                  0, static_cast<Index>(own.num_cells() / cells)),
                              detail::OpenEndFaces{variable_.face[a], cells, inner}, open);
      if (open != 0)
        throw DataError("the last faces along axis " + std::to_string(a) +
                        " lie on the wall and must be 0, but " + std::to_string(open) +
                        " are not; put the links to the wall into 'excess'");
    }
    inner *= cells;
  }
}

StencilOperator::~StencilOperator() = default;

namespace detail {

void check_length(const StencilOperator& A, const Vector& v, const char* name) {
  if (v.local_size() != A.row_partition().local_size())
    throw ShapeError("the operator (" + A.description() + ") needs " + name + " of " +
                     std::to_string(A.row_partition().local_size()) + " entries, got " +
                     std::to_string(v.local_size()));
}

}  // namespace detail

template <class Use>
auto StencilOperator::with_local_stencil(const Use& use) const {
  if (is_constant_) return use(detail::make_stencil(local_grid_, local_constant_));
  return use(detail::make_stencil(local_grid_, local_variable_));
}

std::shared_ptr<CsrMatrix> StencilOperator::assemble() const {
  if (interface_) return assemble_with_ghosts();
  return with_local_stencil([](const auto& s) { return detail::assemble_stencil(s); });
}

void StencilOperator::begin_exchange(const Vector& x) const {
  if (interface_) interface_->halo.begin<double>(x.view(), interface_->ghosts);
}

double StencilOperator::finish_exchange(const double* x, const Vector& y) const {
  if (!interface_) return 0.0;
  interface_->halo.end<double>(interface_->ghosts);
  return detail::subtract_ghosts(*interface_, x, y.data());
}

void StencilOperator::apply(const Vector& x, const Vector& y) const {
  detail::check_length(*this, x, "x");
  detail::check_length(*this, y, "y");
  begin_exchange(x);
  with_local_stencil(
      [&](const auto& s) { detail::stencil_apply(default_space(), s, x.data(), y.data()); });
  finish_exchange(nullptr, y);
}

bool StencilOperator::diagonal(const Vector& d) const {
  detail::check_length(*this, d, "d");
  with_local_stencil([&](const auto& s) {
    using Stencil = std::decay_t<decltype(s)>;
    Kokkos::parallel_for(
        "stencil::diagonal",
        Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>(0, detail::num_cells(s)),
        detail::StencilDiagonal<Stencil>{s, d.view()});
  });
  return true;
}

double StencilOperator::apply_dot(const Vector& x, const Vector& y) const {
  detail::check_length(*this, x, "x");
  detail::check_length(*this, y, "y");
  begin_exchange(x);
  double dot = with_local_stencil([&](const auto& s) {
    return detail::stencil_apply_dot(default_space(), s, x.data(), y.data());
  });
  dot += finish_exchange(x.data(), y);
  return x.communicator().sum(dot);
}

double StencilOperator::update_direction_and_apply(const Vector& z, double beta, const Vector& p,
                                                   const Vector& q) const {
  detail::check_length(*this, z, "z");
  detail::check_length(*this, p, "p");
  detail::check_length(*this, q, "q");
  double dot = with_local_stencil([&](const auto& s) {
    return detail::stencil_update_apply_dot(default_space(), s, z.data(), beta, p.data(), q.data());
  });
  if (!interface_) return dot;
  begin_exchange(p);  // neighbours beyond a cut want the new p
  dot += finish_exchange(p.data(), q);
  return p.communicator().sum(dot);
}

double StencilOperator::residual(const Vector& b, const Vector& x, const Vector& r) const {
  // A sum formed before the neighbours' part is subtracted would lose the digits of a small one.
  if (interface_) return LinearOperator::residual(b, x, r);
  detail::check_length(*this, b, "b");
  detail::check_length(*this, x, "x");
  detail::check_length(*this, r, "r");
  return with_local_stencil([&](const auto& s) {
    return detail::stencil_residual(default_space(), s, b.data(), x.data(), r.data());
  });
}

std::string StencilOperator::description() const {
  const Grid& whole = grid();
  int points = 1;
  std::string size;
  for (int a = 0; a < 3; ++a) {
    if (whole.cells[a] > 1) points += 2;
    if (a < whole.dimension || whole.cells[a] > 1)
      size += (a == 0 ? "" : " x ") + std::to_string(whole.cells[a]);
  }
  return std::to_string(points) + "-point stencil, " + size + ", " +
         (is_constant_ ? "constant coefficients" : "variable coefficients");
}

double StencilOperator::bytes_per_apply() const {
  double doubles = 2.0;
  if (!is_constant_) {
    doubles += 1.0;
    for (const Index n : grid().cells) doubles += n > 1 ? 1.0 : 0.0;
  }
  return 8.0 * doubles * static_cast<double>(grid().num_cells());
}

double StencilOperator::memory_bytes() const {
  if (is_constant_) return 0.0;
  double bytes = 8.0 * static_cast<double>(variable_.excess.extent(0)) +
                 static_cast<double>(variable_.solid.extent(0));
  for (const VectorView& face : variable_.face) bytes += 8.0 * static_cast<double>(face.extent(0));
  if (interface_)
    bytes += 8.0 * static_cast<double>(local_variable_.excess.extent(0) +
                                       2 * interface_->ghosts.extent(0)) +
             interface_->halo.memory_bytes();
  return bytes;
}

}  // namespace libsolve
