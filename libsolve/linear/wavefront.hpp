/// \file
/// Order of execution of several dependent passes over a 3D grid in one trip through memory.
///
/// Stage s of a row reads what stage s - 1 left in this row and the rows next to it along y and z.
/// At step t stage s works on plane k = t - s, so a plane is still in the cache when the next stage
/// comes to it; tiles in y, shifted by one row a stage, bound what has to stay there. Where stages
/// take turns, stage s works on row j - s, so that those that wait for memory overlap with those
/// that compute. With several threads each takes a slab of planes: stage s of slab [k0, k1) first
/// covers [k0 + s, k1 - s), after a barrier the planes [k1 - s, k1 + s) around each border follow.
/// Every row is worked on by each stage exactly once, with exactly the values of the unfused order:
/// the results do not depend on tiles or threads, to the last bit.
#pragma once

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cstdint>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/linear/stream_row.hpp>
#include <type_traits>

namespace libsolve {

inline constexpr int max_stages = 40;

struct WavefrontPlan {
  int ny = 1, nz = 1;
  int stages = 1;
  int tile = 1 << 30;  // rows; even
  int slabs = 1;
  int turn = 1 << 30;  // rows a stage works on before it is the turn of the next one

  /// First plane of slab s; even, so that pairs of planes stay together.
  [[nodiscard]] int slab_begin(int s) const {
    return s == slabs ? nz : int((std::int64_t(nz) * s / slabs) & ~std::int64_t(1));
  }
};

/// Slabs at least 2 * stages + 2 planes thick, at most one a thread.
inline WavefrontPlan plan_wavefront(int ny, int nz, int stages, int tile, int threads) {
  WavefrontPlan plan{ny, nz, stages, std::max(2, tile & ~1), 1};
  plan.slabs = std::clamp(nz / (2 * stages + 3), 1, std::max(1, threads));
  return plan;
}

namespace detail {

struct PlaneRanges {
  int lo[max_stages];
  int hi[max_stages];
};

template <class RowStage>
void run_ranges(const WavefrontPlan& plan, const PlaneRanges& r, int worker,
                const RowStage& row_stage) {
  int begin = 1 << 30;
  int end = -1;
  for (int s = 0; s < plan.stages; ++s) {
    if (r.lo[s] >= r.hi[s]) continue;
    begin = std::min(begin, r.lo[s] + s);
    end = std::max(end, r.hi[s] + s);
  }
  const int tiles = std::max(1, (plan.ny + plan.tile / 2) / plan.tile);
  for (int tile = 0; tile < tiles; ++tile) {
    for (int t = begin; t < end; ++t) {
      int j0[max_stages], j1[max_stages];
      int first = 1 << 30;
      int last = -1;
      for (int s = 0; s < plan.stages; ++s) {
        const int k = t - s;
        j0[s] = tile == 0 ? 0 : std::clamp(tile * plan.tile - s, 0, plan.ny);
        j1[s] = tile + 1 == tiles ? plan.ny : std::clamp((tile + 1) * plan.tile - s, 0, plan.ny);
        if (k < r.lo[s] || k >= r.hi[s]) j1[s] = j0[s];
        if (j0[s] == j1[s]) continue;
        first = std::min(first, j0[s] + s);
        last = std::max(last, j1[s] + s);
      }
      for (std::int64_t step = first; step < last; step += plan.turn) {
        for (int s = 0; s < plan.stages; ++s) {
          const int from = int(std::max<std::int64_t>(j0[s], step - s));
          const int to = int(std::min<std::int64_t>(j1[s], step + plan.turn - s));
          if constexpr (std::is_invocable_v<RowStage, int, int, int, int, int>) {
            if (from < to) row_stage(worker, s, from, to, t - s);
          } else {
            for (int j = from; j < to; ++j) row_stage(worker, s, j, t - s);
          }
        }
      }
    }
  }
  finish_streams();  // other workers may read the rows next
}

}  // namespace detail

/// Calls row_stage(worker, stage, j0, j1, k) for rows j0 <= j < j1 of plane k, or
/// row_stage(worker, stage, j, k), each row and stage once. `worker` < 2 plan.slabs: no two
/// concurrent calls have the same, and for a given plan the calls of one worker are always the same
/// ones in the same order (for reductions). Rows may be written by stream_row.
template <class RowStage>
void run_wavefront(const WavefrontPlan& plan, const RowStage& row_stage) {
  auto slab = [&](int i) {
    const int k0 = plan.slab_begin(i);
    const int k1 = plan.slab_begin(i + 1);
    detail::PlaneRanges r;
    for (int s = 0; s < plan.stages; ++s) {
      r.lo[s] = k0 == 0 ? 0 : k0 + s;
      r.hi[s] = k1 == plan.nz ? plan.nz : k1 - s;
    }
    detail::run_ranges(plan, r, 2 * i, row_stage);
  };
  auto border = [&](int i) {
    const int k1 = plan.slab_begin(i + 1);
    detail::PlaneRanges r;
    for (int s = 0; s < plan.stages; ++s) {
      r.lo[s] = k1 - s;
      r.hi[s] = k1 + s;
    }
    detail::run_ranges(plan, r, 2 * i + 1, row_stage);
  };
  if (plan.slabs == 1) {
    slab(0);
    return;
  }
  using Host = Kokkos::DefaultHostExecutionSpace;
  using Policy = Kokkos::RangePolicy<Host, Kokkos::Schedule<Kokkos::Static>>;
  const Host& host = default_space<Host>();
  const Kokkos::ChunkSize one(1);  // choosing one would allocate
  Kokkos::parallel_for(kernel_label("libsolve::wavefront"), Policy(host, 0, plan.slabs, one), slab);
  Kokkos::parallel_for(kernel_label("libsolve::wavefront_border"),
                       Policy(host, 0, plan.slabs - 1, one), border);
}

}  // namespace libsolve
