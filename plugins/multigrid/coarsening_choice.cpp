#include "coarsening_choice.hpp"

#include <algorithm>
#include <limits>

#include "box_hierarchy.hpp"

namespace multigrid {
namespace {

template <class Real>
struct Cells {
  int n[3];
  const Real* face[3];
  const Real* wall;
  const Real* mass;

  KOKKOS_INLINE_FUNCTION Real excess(std::ptrdiff_t cell) const {
    return (wall ? wall[cell] : Real(0)) + (mass ? mass[cell] : Real(0));
  }
  /// Is the cell coupled at all; is an inner face of it not.
  KOKKOS_INLINE_FUNCTION void look(std::ptrdiff_t cell, bool& coupled, bool& open) const {
    const std::ptrdiff_t step[3] = {1, n[0], std::ptrdiff_t(n[0]) * n[1]};
    const int at[3] = {int(cell % n[0]), int(cell / n[0] % n[1]), int(cell / step[2])};
    coupled = open = false;
    for (int d = 0; d < 3; ++d) {
      if (n[d] == 1) continue;
      if (at[d] + 1 < n[d]) (face[d][cell] > 0 ? coupled : open) = true;
      if (at[d] > 0) (face[d][cell - step[d]] > 0 ? coupled : open) = true;
    }
  }
};

template <class Real>
struct Extremes {
  Cells<Real> cells;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t cell, Real& largest, Real& smallest,
                                         Real& shift) const {
    bool coupled, open;
    cells.look(cell, coupled, open);
    if (!coupled) return;
    const Real e = cells.excess(cell);
    if (e < shift) shift = e;
    for (int d = 0; d < 3; ++d) {
      if (cells.n[d] == 1) continue;
      const Real t = cells.face[d][cell];
      if (t > largest) largest = t;
      if (t > 0 && t < smallest) smallest = t;
    }
  }
};

template <class Real>
struct FindNeumannWall {
  Cells<Real> cells;
  Real shift;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t cell, int& found) const {
    bool coupled, open;
    cells.look(cell, coupled, open);
    if (coupled && open && cells.excess(cell) <= shift * Real(1.0001)) found = 1;
  }
};

}  // namespace

const char* to_text(Coarsening coarsening) {
  switch (coarsening) {
    case Coarsening::piecewise_constant:
      return "piecewise-constant";
    case Coarsening::operator_dependent:
      return "operator-dependent";
    default:
      return "connected-pieces";
  }
}

template <class Real>
Coarsening choose_coarsening(const LevelOperator<Real>& op) {
  const LevelOperator<Real> a = squeezed(op);
  const auto& n = a.shape.n;
  if (a.is_constant) {
    double largest = 0;
    double smallest = std::numeric_limits<double>::max();
    for (int d = 0; d < 3; ++d) {
      if (n[d] == 1) continue;
      largest = std::max(largest, a.coupling[d]);
      smallest = std::min(smallest, a.coupling[d]);
    }
    return smallest < 0.5 * largest ? Coarsening::operator_dependent
                                    : Coarsening::piecewise_constant;
  }
  Cells<Real> cells{{n[0], n[1], n[2]},
                    {a.face[0].data(), a.face[1].data(), a.face[2].data()},
                    a.wall.data(),
                    a.mass.data()};
  const Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<std::ptrdiff_t>> all(0, a.shape.size());
  Real largest = 0, smallest = 0, shift = 0;
  Kokkos::parallel_reduce("multigrid::coefficient_range", all, Extremes<Real>{cells},
                          Kokkos::Max<Real>(largest), Kokkos::Min<Real>(smallest),
                          Kokkos::Min<Real>(shift));
  int neumann = 0;
  Kokkos::parallel_reduce("multigrid::neumann_walls", all, FindNeumannWall<Real>{cells, shift},
                          Kokkos::Max<int>(neumann));
  if (neumann > 0) return Coarsening::connected_pieces;
  if (largest > 10 * smallest) return Coarsening::operator_dependent;
  const auto strong = choose_axes(a);
  for (int d = 0; d < 3; ++d)
    if (n[d] > 1 && !strong[d]) return Coarsening::operator_dependent;
  return Coarsening::piecewise_constant;
}

template Coarsening choose_coarsening(const LevelOperator<float>&);
template Coarsening choose_coarsening(const LevelOperator<double>&);

}  // namespace multigrid
