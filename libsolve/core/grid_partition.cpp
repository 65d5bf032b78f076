#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/grid_partition.hpp>
#include <limits>
#include <string>

namespace libsolve {

namespace {

std::string text_of(const Grid& grid) {
  return std::to_string(grid.cells[0]) + " x " + std::to_string(grid.cells[1]) + " x " +
         std::to_string(grid.cells[2]);
}

/// Factors of `count` along the axes with the smallest surface between boxes; no axis gets more
/// than it has cells.
std::array<int, 3> choose_processes(const Grid& grid, int count) {
  std::array<int, 3> best = {0, 0, 0};
  double least = std::numeric_limits<double>::infinity();
  for (int p = 1; p <= count; ++p) {
    if (count % p != 0 || p > grid.cells[0]) continue;
    for (int q = 1; q <= count / p; ++q) {
      const int r = count / p / q;
      if (p * q * r != count || q > grid.cells[1] || r > grid.cells[2]) continue;
      const double n[3] = {double(grid.cells[0]), double(grid.cells[1]), double(grid.cells[2])};
      // Cuts across the slow axes are contiguous in memory: at equal surfaces they are the better.
      const double surface = 1.0002 * (p - 1) * n[1] * n[2] + 1.0001 * (q - 1) * n[0] * n[2] +
                             (r - 1) * n[0] * n[1];
      if (surface < least) {
        least = surface;
        best = {p, q, r};
      }
    }
  }
  if (best[0] == 0)
    throw ShapeError("a grid of " + text_of(grid) + " cells cannot be cut into " +
                     std::to_string(count) + " boxes, one for each rank; use fewer ranks");
  return best;
}

std::vector<Index> choose_cuts(Index n, int parts, Index multiple = 1) {
  while (GlobalIndex{multiple} * 16 * parts <= n && multiple < 64) multiple *= 2;
  std::vector<Index> cuts = {0};
  for (int p = 1; p < parts; ++p) {
    const double even = static_cast<double>(n) * p / parts / multiple;
    cuts.push_back(static_cast<Index>(std::lround(even)) * multiple);
  }
  cuts.push_back(n);
  return cuts;
}

}  // namespace

GridPartition::GridPartition(const Grid& grid) : grid_(grid) {
  for (int a = 0; a < 3; ++a) cuts_[a] = {0, grid.cells[a]};
  finish(Communicator::self());
}

GridPartition::GridPartition(const Grid& grid, const Communicator& comm) : grid_(grid) {
  const auto processes = choose_processes(grid, comm.size());
  for (int a = 0; a < 3; ++a) cuts_[a] = choose_cuts(grid.cells[a], processes[a]);
  finish(comm);
}

GridPartition::GridPartition(const Grid& grid, const Communicator& comm,
                             const std::array<std::vector<Index>, 3>& cuts, int stride)
    : grid_(grid), cuts_(cuts), stride_(stride) {
  for (int a = 0; a < 3; ++a)
    if (cuts_[a].size() < 2 || cuts_[a].front() != 0 || cuts_[a].back() != grid.cells[a] ||
        !std::is_sorted(cuts_[a].begin(), cuts_[a].end()))
      throw ShapeError("the cuts of a grid of " + text_of(grid) + " along axis " +
                       std::to_string(a) + " must go up from 0 to its number of cells");
  const auto p = processes();
  if (stride_ < 1 || (p[0] * p[1] * p[2] - 1) * stride_ >= comm.size())
    throw ShapeError("a grid cut into " + std::to_string(p[0] * p[1] * p[2]) + " boxes, on every " +
                     std::to_string(stride_) + ". rank, needs more ranks than " +
                     std::to_string(comm.size()));
  finish(comm);
}

std::vector<Index> GridPartition::even_cuts(Index n, int parts) {
  return choose_cuts(n, parts, 2);
}

void GridPartition::finish(const Communicator& comm) {
  const auto p = processes();
  const int process = comm.rank() / stride_;
  own_ = Box{{0, 0, 0}, {0, 0, 0}};
  if (comm.rank() % stride_ == 0 && process < p[0] * p[1] * p[2]) {
    const int at[3] = {process % p[0], process / p[0] % p[1], process / p[0] / p[1]};
    for (int a = 0; a < 3; ++a) {
      own_.begin[a] = cuts_[a][static_cast<size_t>(at[a])];
      own_.end[a] = cuts_[a][static_cast<size_t>(at[a]) + 1];
    }
  }
  partition_ = Partition(comm, own_.num_cells());
}

std::array<int, 3> GridPartition::processes() const {
  return {static_cast<int>(cuts_[0].size()) - 1, static_cast<int>(cuts_[1].size()) - 1,
          static_cast<int>(cuts_[2].size()) - 1};
}

Box GridPartition::extended(Index width) const {
  Box box = own_;
  if (box.num_cells() == 0) return box;
  for (int a = 0; a < 3; ++a) {
    box.begin[a] = std::max(0, own_.begin[a] - width);
    box.end[a] = std::min(grid_.cells[a], own_.end[a] + width);
  }
  return box;
}

GlobalIndex GridPartition::row(Index i, Index j, Index k) const {
  const Index cell[3] = {i, j, k};
  GlobalIndex begin[3], extent[3];
  for (int a = 0; a < 3; ++a) {
    const auto above = std::upper_bound(cuts_[a].begin(), cuts_[a].end(), cell[a]);
    begin[a] = *(above - 1);
    extent[a] = *above - begin[a];
  }
  // Boxes before this one: whole layers, then rows of boxes of this layer, then boxes of this row.
  const GlobalIndex first = begin[2] * grid_.cells[0] * grid_.cells[1] +
                            begin[1] * grid_.cells[0] * extent[2] +
                            begin[0] * extent[1] * extent[2];
  return first + (i - begin[0]) + extent[0] * ((j - begin[1]) + extent[1] * (k - begin[2]));
}

std::vector<GlobalIndex> GridPartition::rows(const Box& box) const {
  std::vector<GlobalIndex> rows;
  rows.reserve(static_cast<size_t>(box.num_cells()));
  for (Index k = box.begin[2]; k < box.end[2]; ++k)
    for (Index j = box.begin[1]; j < box.end[1]; ++j)
      append_rows(box.begin[0], box.end[0], j, k, rows);
  return rows;
}

void GridPartition::append_rows(Index begin, Index end, Index j, Index k,
                                std::vector<GlobalIndex>& rows) const {
  // Rows go up by one from cut to cut.
  for (Index i = begin; i < end;) {
    const Index cut = *std::upper_bound(cuts_[0].begin(), cuts_[0].end(), i);
    GlobalIndex next = row(i, j, k);
    for (const Index last = std::min(cut, end); i < last; ++i) rows.push_back(next++);
  }
}

std::array<std::array<bool, 2>, 3> inner_sides(const GridPartition& grid) {
  std::array<std::array<bool, 2>, 3> inner = {};
  if (grid.own().num_cells() == 0) return inner;
  for (int a = 0; a < 3; ++a) {
    inner[a][0] = grid.own().begin[a] > 0;
    inner[a][1] = grid.own().end[a] < grid.grid().cells[a];
  }
  return inner;
}

}  // namespace libsolve
