#include <algorithm>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/large_array.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/pde/cell_transfer.hpp>

namespace libsolve {

namespace {

/// A box as kernels see it: cell i of it, x fastest, and places in an array over another box.
struct BoxCells {
  Index n[3], begin[3];
  explicit BoxCells(const Box& box) {
    for (int a = 0; a < 3; ++a) {
      n[a] = std::max<Index>(1, box.cells(a));
      begin[a] = box.begin[a];
    }
  }
  KOKKOS_INLINE_FUNCTION void cell(Index i, Index* at) const {
    for (int a = 0; a < 3; ++a) {
      const Index next = i / n[a];
      at[a] = begin[a] + i - next * n[a];
      i = next;
    }
  }
  KOKKOS_INLINE_FUNCTION Index place(const Index* at) const {
    return at[0] - begin[0] + n[0] * (at[1] - begin[1] + n[1] * (at[2] - begin[2]));
  }
};

struct Interpolate {
  BoxCells fine_cells, coarse_cells;
  Index total[3];
  double factor;
  const double* coarse;
  double* fine;
  KOKKOS_FUNCTION void operator()(Index i) const {
    Index at[3], near[3], beside[3];
    fine_cells.cell(i, at);
    for (int a = 0; a < 3; ++a) {
      near[a] = total[a] == 1 ? at[a] : at[a] / 2;
      beside[a] = at[a] % 2 == 0 ? near[a] - 1 : near[a] + 1;
      if (beside[a] < 0 || beside[a] >= total[a]) beside[a] = near[a];
    }
    double sum = 0.0;
    for (int corner = 0; corner < 8; ++corner) {
      Index cell[3];
      double weight = 1.0;
      for (int a = 0; a < 3; ++a) {
        const bool is_far = ((corner >> a) & 1) != 0;
        cell[a] = is_far ? beside[a] : near[a];
        weight *= is_far ? (total[a] == 1 ? 0.0 : 0.25) : (total[a] == 1 ? 1.0 : 0.75);
      }
      if (weight != 0.0) sum += weight * coarse[coarse_cells.place(cell)];
    }
    fine[i] = factor * sum;
  }
};

struct Average {
  BoxCells coarse_cells, fine_cells;
  Index total[3];
  const double* fine;
  double* coarse;
  KOKKOS_FUNCTION void operator()(Index i) const {
    Index at[3];
    coarse_cells.cell(i, at);
    double sum = 0.0;
    int count = 0;
    for (int child = 0; child < 8; ++child) {
      Index cell[3];
      bool is_one = true;
      for (int a = 0; a < 3; ++a) {
        const Index side = (child >> a) & 1;
        is_one = is_one && (side == 0 || total[a] > 1);
        cell[a] = total[a] == 1 ? at[a] : 2 * at[a] + side;
      }
      if (!is_one) continue;
      sum += fine[fine_cells.place(cell)];
      ++count;
    }
    coarse[i] = sum / count;
  }
};

/// The cells of another grid that those of a box need: parents and those beside, or children.
Box parents_of(const Box& fine, const Grid& coarse) {
  Box box;
  for (int a = 0; a < 3; ++a) {
    if (coarse.cells[a] == 1) continue;
    box.begin[a] = std::max<Index>(0, fine.begin[a] / 2 - 1);
    box.end[a] = std::min<Index>(coarse.cells[a], (fine.end[a] - 1) / 2 + 2);
  }
  return fine.num_cells() == 0 ? fine : box;
}
Box children_of(const Box& coarse, const Grid& coarse_grid) {
  Box box = coarse;
  for (int a = 0; a < 3; ++a) {
    if (coarse_grid.cells[a] == 1) continue;
    box.begin[a] = 2 * coarse.begin[a];
    box.end[a] = 2 * coarse.end[a];
  }
  return box;
}

template <class View>
View function_of(const View& v, int s, std::int64_t size) {
  const auto n = static_cast<std::size_t>(size), begin = static_cast<std::size_t>(s) * n;
  return Kokkos::subview(v, std::make_pair(begin, begin + n));
}

}  // namespace

CellTransfer::CellTransfer(const GridPartition& fine, const GridPartition& coarse)
    : fine_(fine.own()),
      coarse_(coarse.own()),
      parents_(parents_of(fine.own(), coarse.grid())),
      children_(children_of(coarse.own(), coarse.grid())),
      total_(coarse.grid().cells),
      to_parents_(coarse, parents_),
      to_children_(fine, children_) {
  for (int a = 0; a < 3; ++a)
    if (fine.grid().cells[a] != (total_[a] == 1 ? 1 : 2 * total_[a]))
      throw ShapeError("a transfer of cells wants twice as many along each axis, got " +
                       std::to_string(fine.grid().cells[a]) + " and " + std::to_string(total_[a]));
}

void CellTransfer::interpolate(int functions, double factor, const ConstVectorView& coarse,
                               const VectorView& fine) const {
  const VectorView around =
      bare_array<double>("cell_transfer::parents", static_cast<std::size_t>(parents_.num_cells()));
  for (int s = 0; s < functions; ++s) {
    to_parents_.fetch<double>(function_of(coarse, s, coarse_.num_cells()), around);
    for_rows(default_space(), "cell_transfer::interpolate", static_cast<Index>(fine_.num_cells()),
             Interpolate{BoxCells(fine_),
                         BoxCells(parents_),
                         {total_[0], total_[1], total_[2]},
                         factor,
                         around.data(),
                         function_of(fine, s, fine_.num_cells()).data()});
    Kokkos::fence("cell_transfer::interpolate");
  }
}

void CellTransfer::average(int functions, const ConstVectorView& fine,
                           const VectorView& coarse) const {
  const VectorView around = bare_array<double>("cell_transfer::children",
                                               static_cast<std::size_t>(children_.num_cells()));
  for (int s = 0; s < functions; ++s) {
    to_children_.fetch<double>(function_of(fine, s, fine_.num_cells()), around);
    for_rows(default_space(), "cell_transfer::average", static_cast<Index>(coarse_.num_cells()),
             Average{BoxCells(coarse_),
                     BoxCells(children_),
                     {total_[0], total_[1], total_[2]},
                     around.data(),
                     function_of(coarse, s, coarse_.num_cells()).data()});
    Kokkos::fence("cell_transfer::average");
  }
}

}  // namespace libsolve
