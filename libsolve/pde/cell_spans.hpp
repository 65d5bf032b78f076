/// \file
/// Kernels over the cells of a rank's box that read the cells across their faces, several functions
/// side by side: what is read once a cell (coefficients) stays in the first caches for all
/// functions.
#pragma once

#include <algorithm>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/pde/cell_layers.hpp>

namespace libsolve::detail {

/// Where the cells across the faces of a cell are in a padded array, from the cell on: x low, x
/// high, y low, .... 0 in place of what is outside the array.
struct AcrossFaces {
  Index offset[6];
  /// For cell `place` of an array of `padded` places.
  KOKKOS_INLINE_FUNCTION AcrossFaces(const Index (&stride)[3], Index place, Index padded) {
    for (int a = 0; a < 3; ++a) {
      offset[2 * a] = place >= stride[a] ? -stride[a] : 0;
      offset[2 * a + 1] = place + stride[a] < padded ? stride[a] : 0;
    }
  }
};

/// Consecutive cells, in padded arrays from `place` on, in vectors from `entry` on.
struct CellSpan {
  Index place, entry, length;
  AcrossFaces across;
};

/// Below this many cells, times streams, the calling thread does all of them.
inline constexpr Index cells_worth_threads = 16384;
/// Cells of a span at most: its coefficients for all faces fit into the first cache.
inline constexpr Index cells_per_span = 256;

/// The host's order: tiles of rows that go through all planes, so that the planes before and after
/// are in the second cache, and in a tile the functions one after the other for each span.
template <class Body>
struct SpansOfTile {
  CellNeighbours cells;
  Index padded, rows;  ///< rows of a tile
  Body body;

  Index num_tiles() const { return (cells.n[1] + rows - 1) / rows; }
  Index num_units() const { return num_tiles() * cells.n[2]; }

  void cut(Index place, Index entry, Index length) const {
    while (length > 0) {
      Index n = std::min(length, cells_per_span);
      // The same offsets for all cells of a span.
      for (const Index stride : cells.stride) {
        if (place < stride) n = std::min(n, stride - place);
        if (place < padded - stride) n = std::min(n, padded - stride - place);
      }
      body(CellSpan{place, entry, n, AcrossFaces(cells.stride, place, padded)});
      place += n;
      entry += n;
      length -= n;
    }
  }
  void operator()(Index unit) const {
    const Index tile = unit / cells.n[2], k = unit - tile * cells.n[2];
    const Index begin = tile * rows, end = std::min(begin + rows, cells.n[1]), n = cells.n[0];
    const Index place = cells.first + begin * cells.stride[1] + k * cells.stride[2],
                entry = n * (begin + cells.n[1] * k);
    if (cells.stride[1] == n) return cut(place, entry, (end - begin) * n);
    for (Index j = 0; j < end - begin; ++j) cut(place + j * cells.stride[1], entry + j * n, n);
  }
};

template <class Body>
struct OneCell {
  CellNeighbours cells;
  Index padded;
  Body body;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const Index place = cells.place(i);
    body.cell(place, i, AcrossFaces(cells.stride, place, padded));
  }
};

/// For all cells of the box, on the host body(span), on devices body.cell(place, entry, across).
/// `streams`: arrays that have to stay in the cache from plane to plane. Asynchronous on devices.
template <class Exec, class Body>
void for_cell_spans(const Exec& exec, const char* label, const CellNeighbours& cells, Index padded,
                    int streams, const Body& body) {
  using Policy = Kokkos::RangePolicy<Exec, Kokkos::IndexType<Index>>;
  const Index num_cells = cells.n[0] * cells.n[1] * cells.n[2];
  if (num_cells == 0) return;
  if constexpr (runs_on_host<Exec>) {
    // Three planes of a tile of all streams in a megabyte; in 2D enough tiles for all threads.
    const Index cells_of_tile =
        cells.n[2] > 1 ? std::max<Index>((1 << 20) / (3 * 8 * streams), 512) : 1024;
    const Index rows = std::clamp<Index>(cells_of_tile / cells.n[0], 1, cells.n[1]);
    const SpansOfTile<Body> tiles{cells, padded, rows, body};
    if (num_cells > cells_worth_threads / streams)
      Kokkos::parallel_for(kernel_label(label),
                           Policy(exec, 0, tiles.num_units(),
                                  Kokkos::ChunkSize(tiles.num_units() / concurrency_of(exec) + 1)),
                           tiles);
    else
      for (Index unit = 0; unit < tiles.num_units(); ++unit) tiles(unit);
  } else {
    Kokkos::parallel_for(kernel_label(label), Policy(exec, 0, num_cells),
                         OneCell<Body>{cells, padded, body});
  }
}

}  // namespace libsolve::detail
