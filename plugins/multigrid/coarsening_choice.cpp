#include "coarsening_choice.hpp"

#include <algorithm>

#include "box_hierarchy.hpp"

namespace multigrid {
namespace {

/// What the choice is made from, over coupled cells: the extremes of their faces (0 left out of the
/// smallest), the smallest excess, and that of cells with an inner face without coupling.
template <class From>
struct Extremes {
  NaturalOperator<From> op;
  const From* zero;

  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t r, From& largest, From& smallest,
                                         From& shift, From& open_excess) const {
    constexpr From none = Kokkos::Experimental::finite_max_v<From>;
    const auto f = op.row(r, zero);
    // A neighbour that is not there must not count as a face without coupling: the opposite face
    // stands in, or, for an axis of one cell, the face along x.
    const bool has_y = op.n[1] > 1;
    const bool has_z = op.n[2] > 1;
    const From* y_before = f.y_before != zero ? f.y_before : f.y;
    const From* y = f.y != zero ? f.y : f.y_before;
    const From* z_before = f.z_before != zero ? f.z_before : f.z;
    const From* z = f.z != zero ? f.z : f.z_before;
    const int last = op.n[0] - 1;
    From hi = 0, lo = none, e_min = none, e_open = none;
    const auto cell = [&](int i, int before, int after, From& h, From& l, From& e, From& o) {
      const From x = f.x[after];
      const From t[6] = {
          f.x[before],     x, has_y ? y_before[i] : x, has_y ? y[i] : x, has_z ? z_before[i] : x,
          has_z ? z[i] : x};
      From most = 0, least = none;
      for (int q = 0; q < 6; ++q) {
        most = t[q] > most ? t[q] : most;
        const From positive = t[q] > 0 ? t[q] : none;
        l = positive < l ? positive : l;
        least = t[q] < least ? t[q] : least;
      }
      h = most > h ? most : h;
      const From excess = f.wall[i] + f.mass[i];
      const From of_coupled = most > 0 ? excess : none;
      e = of_coupled < e ? of_coupled : e;
      const From of_open = most > 0 && !(least > 0) ? excess : none;
      o = of_open < o ? of_open : o;
    };
    // at the ends of x there is one face
    cell(0, 0, 0, hi, lo, e_min, e_open);
    if (last > 0) cell(last, last - 1, last - 1, hi, lo, e_min, e_open);
#pragma omp simd reduction(max : hi) reduction(min : lo, e_min, e_open)
    for (int i = 1; i < last; ++i) cell(i, i - 1, i, hi, lo, e_min, e_open);
    if (hi > largest) largest = hi;
    if (lo < smallest) smallest = lo;
    if (e_min < shift) shift = e_min;
    if (e_open < open_excess) open_excess = e_open;
  }
};

}  // namespace

const char* to_text(Coarsening coarsening) {
  switch (coarsening) {
    case Coarsening::piecewise_constant:
      return "piecewise-constant";
    case Coarsening::operator_dependent:
      return "operator-dependent";
    case Coarsening::aligned:
      return "aligned";
    default:
      return "connected-pieces";
  }
}

namespace {

/// What Extremes finds; smallest, shift and open_excess are large where there is nothing.
struct Found {
  double largest = 0, smallest = 0, shift = 0, open_excess = 0;
};

template <class From>
Found find_extremes(const NaturalOperator<From>& op) {
  const Kokkos::View<From*, MemSpace> zero("multigrid::zero", std::size_t(op.n[0]));
  From largest = 0, smallest = 0, shift = 0, open_excess = 0;
  Kokkos::parallel_reduce(
      "multigrid::coefficient_range",
      Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::ptrdiff_t>>(0, op.num_rows()),
      Extremes<From>{op, zero.data()}, Kokkos::Max<From>(largest), Kokkos::Min<From>(smallest),
      Kokkos::Min<From>(shift), Kokkos::Min<From>(open_excess));
  return {double(largest), double(smallest), double(shift), double(open_excess)};
}

CoarseningChoice choose(const Found& found, const std::array<int, 3>& n,
                        const std::array<bool, 3>& strong) {
  CoarseningChoice choice{Coarsening::piecewise_constant, found.largest,
                          found.largest > 0 ? found.smallest : 0.0};
  if (found.largest > 0 && found.open_excess <= found.shift * 1.0001) {
    choice.coarsening = Coarsening::connected_pieces;
  } else if (found.largest > 10 * found.smallest) {
    choice.coarsening = Coarsening::operator_dependent;
  } else {
    for (int d = 0; d < 3; ++d)
      if (n[d] > 1 && !strong[d]) choice.coarsening = Coarsening::operator_dependent;
  }
  return choice;
}

/// Over all ranks; each looks at its box and one cell around it.
CoarseningChoice choose_over_ranks(const libsolve::StencilOperator& A) {
  const auto part = A.extended(1);
  const NaturalOperator<double> op = natural_operator(*part);
  const Found here = find_extremes(op);
  std::array<double, 3> strength = axis_strengths(op);
  const libsolve::Communicator& comm = A.row_partition().communicator();
  std::array<double, 3> least = {here.smallest, here.shift, here.open_excess};
  comm.min(least);
  comm.sum(strength);
  const Found all{comm.max(here.largest), least[0], least[1], least[2]};
  return choose(all, op.n, strong_axes(op.n, strength, 0.5));
}

}  // namespace

template <class From>
CoarseningChoice choose_coarsening(const NaturalOperator<From>& op) {
  return choose(find_extremes(op), op.n, choose_axes(op));
}

namespace {

CoarseningChoice choose_constant(const std::array<double, 3>& coupling,
                                 const std::array<int, 3>& n) {
  CoarseningChoice choice;
  for (int d = 0; d < 3; ++d) {
    if (n[d] == 1 || coupling[d] == 0) continue;
    choice.smallest_coupling =
        choice.largest_coupling > 0 ? std::min(choice.smallest_coupling, coupling[d]) : coupling[d];
    choice.largest_coupling = std::max(choice.largest_coupling, coupling[d]);
  }
  int axes = 0, strong = 0;
  for (int d = 0; d < 3; ++d) {
    if (n[d] > 1) ++axes;
    if (n[d] > 1 && coupling[d] >= 0.5 * choice.largest_coupling) ++strong;
  }
  if (strong < axes && strong < 2) choice.coarsening = Coarsening::operator_dependent;
  return choice;
}

}  // namespace

CoarseningChoice choose_coarsening(const libsolve::StencilOperator& A) {
  if (!A.is_constant())
    return A.row_partition().communicator().size() > 1 ? choose_over_ranks(A)
                                                       : choose_coarsening(natural_operator(A));
  const auto& cells = A.grid().cells;
  return choose_constant(A.constant().coupling, {cells[0], cells[1], cells[2]});
}

template <class Real>
Coarsening choose_coarsening(const LevelOperator<Real>& op) {
  return op.is_constant ? choose_constant(op.coupling, op.shape.n).coarsening
                        : choose_coarsening(natural_operator(op)).coarsening;
}

template CoarseningChoice choose_coarsening(const NaturalOperator<float>&);
template CoarseningChoice choose_coarsening(const NaturalOperator<double>&);
template Coarsening choose_coarsening(const LevelOperator<float>&);
template Coarsening choose_coarsening(const LevelOperator<double>&);

}  // namespace multigrid
