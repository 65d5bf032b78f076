/// \file
/// Q1 stencils on vectors as they are, without a padded copy: for one rank on the host, where the
/// copy would move more bytes than the operator.
#pragma once

#include <algorithm>
#include <libsolve/pde/q1_stencil.hpp>

namespace libsolve::detail {

/// The order in which the rows (j, k) of a grid are done: tiles of rows of a plane that go through
/// all planes, so that the planes before and after are in the second cache.
struct TiledRows {
  Index n1, n2, tile;
  /// `streams` arrays whose three planes of a tile are to stay in a megabyte.
  TiledRows(const NodeRows& rows, int streams)
      : n1(rows.n[1]),
        n2(rows.n[2]),
        tile(std::clamp<Index>((1 << 20) / (3 * 8 * streams) / std::max<Index>(rows.n[0], 1), 1,
                               std::max<Index>(rows.n[1], 1))) {}
  void locate(Index row, Index& j, Index& k) const {
    const Index t = row / (tile * n2), begin = t * tile, rest = row - begin * n2;
    const Index width = std::min(tile, n1 - begin);
    k = rest / width;
    j = begin + rest - k * width;
  }
};

/// body(row) for all rows, a contiguous share for each thread; few nodes by the calling thread.
template <class Body>
void for_each_row(const char* label, const NodeRows& rows, const Body& body) {
  using Policy = Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>;
  const auto& exec = default_space();
  const Index n = rows.num_nodes() > 0 ? rows.num_rows() : 0;
  if (rows.num_nodes() > nodes_worth_threads)
    Kokkos::parallel_for(kernel_label(label),
                         Policy(exec, 0, n, Kokkos::ChunkSize(n / concurrency_of(exec) + 1)), body);
  else
    for (Index r = 0; r < n; ++r) body(r);
}

/// Vectors that a loop reads around each node, and a row of zeros for those on the boundary.
template <int F>
struct RowsOfVectors {
  const double* v[F];
  const double* zeros;  ///< as many as a row has nodes
};

/// What weights multiply in a column of nodes across the row: the centre[] of Q1Sums. No array:
/// with one g++ sees pairs to be stored together, and no SIMD over nodes.
struct Column {
  double sum0 = 0.0, sum1 = 0.0, sum2 = 0.0, sum3 = 0.0;
};

/// A node's column times the weights of its own column, and times those of the columns beside it
/// (each column is read once in place of three times), for one or two outputs.
struct Parts {
  double own0 = 0.0, side0 = 0.0, own1 = 0.0, side1 = 0.0;
};

/// which = 0: own column, 1: columns beside it.
template <int D>
double weighted(const Q1Stencil<D>& A, int which, const Column& c) {
  double sum = A.w[0][which] * c.sum0;
  if constexpr (D >= 2) sum += A.w[1][which] * c.sum1;
  if constexpr (D >= 3) sum += A.w[2][which] * c.sum2 + A.w[3][which] * c.sum3;
  return sum;
}

/// The rows of a vector around row (j, k), to be added up in the order of Q1Sums.
template <int D>
struct RowsAround {
  const double* row[D == 1 ? 1 : D == 2 ? 3 : 9];

  RowsAround(const NodeRows& rows, const double* v, const double* zeros, Index j, Index k) {
    const auto at = [&](Index dy, Index dz) {
      const Index y = j + dy, z = k + dz;
      const bool is_inside = y >= 0 && y < rows.n[1] && z >= 0 && z < rows.n[2];
      return is_inside ? v + rows.n[0] * (y + rows.n[1] * z) : zeros;
    };
    row[0] = at(0, 0);
    if constexpr (D >= 2) {
      row[1] = at(-1, 0);
      row[2] = at(1, 0);
    }
    if constexpr (D >= 3) {
      row[3] = at(0, -1);
      row[4] = at(0, 1);
      row[5] = at(-1, -1);
      row[6] = at(1, -1);
      row[7] = at(-1, 1);
      row[8] = at(1, 1);
    }
  }
  Column operator()(Index i) const {
    Column column;
    column.sum0 = row[0][i];
    if constexpr (D >= 2) column.sum1 = row[1][i] + row[2][i];
    if constexpr (D >= 3) {
      column.sum2 = row[3][i] + row[4][i];
      column.sum3 = (row[5][i] + row[6][i]) + (row[7][i] + row[8][i]);
    }
    return column;
  }
};

template <int D, int F, class Body>
struct StencilRow {
  /// Nodes done at a time: their parts stay in the first cache.
  static constexpr Index block = 256;
  static constexpr int num_outputs = Body::num_outputs;
  struct BlockOfParts {
    double own[num_outputs][block + 2], side[num_outputs][block + 2];
  };
  NodeRows rows;
  TiledRows order;
  RowsOfVectors<F> vectors;
  Body body;

  /// The parts of nodes begin - 1 + [from, to) of a row. By itself: among the branches that choose
  /// rows g++ does not make SIMD of it.
  template <std::size_t... f>
  [[gnu::flatten, gnu::noinline]] static void add_columns(const RowsAround<D> (&rows)[F],
                                                          const Body& body, Index first,
                                                          Index begin, Index from, Index to,
                                                          BlockOfParts& parts,
                                                          std::index_sequence<f...>) {
    const RowsAround<D> around[F] = {rows[f]...};
    const Body local = body;  // see row_kernels.hpp
#pragma omp simd
    for (Index at = from; at < to; ++at) {
      const Index i = begin + at - 1;
      const Parts node = local(first + i, around[f](i)...);
      parts.own[0][at] = node.own0;
      parts.side[0][at] = node.side0;
      if constexpr (num_outputs == 2) {
        parts.own[1][at] = node.own1;
        parts.side[1][at] = node.side1;
      }
    }
  }

  template <std::size_t... f>
  void run(Index row, std::index_sequence<f...> all) const {
    Index j, k;
    order.locate(row, j, k);
    const Index n = rows.n[0], first = n * (j + rows.n[1] * k);
    const RowsAround<D> around[F] = {RowsAround<D>(rows, vectors.v[f], vectors.zeros, j, k)...};
    BlockOfParts parts;
    for (Index begin = 0; begin < n; begin += block) {
      const Index end = begin + block < n ? begin + block : n, length = end - begin;
      // Place i - begin + 1 belongs to node i; beyond the row there are zeros.
      const Index from = begin > 0 ? 0 : 1, to = end < n ? length + 2 : length + 1;
      add_columns(around, body, first, begin, from, to, parts, all);
      for (int o = 0; o < num_outputs; ++o) {
        double* const side = parts.side[o];
        if (from > 0) side[0] = 0.0;
        if (to < length + 2) side[length + 1] = 0.0;
        const double* const own = parts.own[o];
        double* const out = body.out[o] + first + begin;
#pragma omp simd
        for (Index i = 0; i < length; ++i) out[i] = own[i + 1] + (side[i] + side[i + 2]);
      }
    }
  }
  void operator()(Index row) const {
    run(row, std::make_index_sequence<F>());
  }
};

/// Output o of a node is own_o + side_o of the node before and side_o of the one after it, parts =
/// body(entry, column of each vector...), for all inner nodes; zeros on the boundary. `body` has
/// num_outputs, 1 or 2, and out. One rank, host.
template <int D, int F, class Body>
void for_stencils(const char* label, const NodeRows& rows, const RowsOfVectors<F>& vectors,
                  const Body& body) {
  const TiledRows order(rows, F);
  for_each_row(label, rows, StencilRow<D, F, Body>{rows, order, vectors, body});
}

}  // namespace libsolve::detail
