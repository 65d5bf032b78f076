#include <libsolve/learn/varying_stencil.hpp>

namespace libsolve::learn {

namespace {

int extent(const PaddedGrid& g, int axis) {
  return g.pad[axis] != 0 ? 3 : 1;
}

/// use(w's place, way from a cell to its neighbour) for all places of the kernel.
template <class Use>
void for_places(const PaddedGrid& g, const Use& use) {
  const int e[3] = {extent(g, 0), extent(g, 1), extent(g, 2)};
  std::ptrdiff_t place = 0;
  for (int z = 0; z < e[2]; ++z)
    for (int y = 0; y < e[1]; ++y)
      for (int x = 0; x < e[0]; ++x, ++place)
        use(place, (x - e[0] / 2) + std::ptrdiff_t{g.row()} * (y - e[1] / 2) +
                       std::ptrdiff_t{g.plane()} * (z - e[2] / 2));
}

/// use(first cell of a row) for all rows.
template <class Use>
void for_rows(const PaddedGrid& g, const Use& use) {
  for (int k = 0; k < g.cells[2]; ++k)
    for (int j = 0; j < g.cells[1]; ++j) use(g.at(0, j, k));
}

}  // namespace

int num_places(const PaddedGrid& grid) {
  return extent(grid, 0) * extent(grid, 1) * extent(grid, 2);
}

template <class T>
void apply_stencil(const PaddedGrid& grid, const T* w, const T* x, T* y) {
  const int n = grid.cells[0];
  for_rows(grid, [&](std::ptrdiff_t first) {
    T* const out = y + first;
    for (int i = 0; i < n; ++i) out[i] = T(0);
    for_places(grid, [&](std::ptrdiff_t place, std::ptrdiff_t way) {
      const T* const wt = w + place * grid.channel() + first;
      const T* const in = x + first + way;
#pragma omp simd
      for (int i = 0; i < n; ++i) out[i] += wt[i] * in[i];
    });
  });
}

template <class T>
void add_stencil_input_gradient(const PaddedGrid& grid, const T* w, const T* gy, T* gx) {
  const int n = grid.cells[0];
  for_rows(grid, [&](std::ptrdiff_t first) {
    for_places(grid, [&](std::ptrdiff_t place, std::ptrdiff_t way) {
      const T* const wt = w + place * grid.channel() + first;
      const T* const g = gy + first;
      T* const out = gx + first + way;
#pragma omp simd
      for (int i = 0; i < n; ++i) out[i] += wt[i] * g[i];
    });
  });
  // What went to the zeros around the cells is none of theirs.
  const auto clear = [&](int i, int j, int k) { gx[grid.at(i, j, k)] = T(0); };
  for (int k = -grid.pad[2]; k < grid.cells[2] + grid.pad[2]; ++k)
    for (int j = -grid.pad[1]; j < grid.cells[1] + grid.pad[1]; ++j) {
      const bool inside = k >= 0 && k < grid.cells[2] && j >= 0 && j < grid.cells[1];
      if (inside) {
        if (grid.pad[0] != 0) clear(-1, j, k), clear(grid.cells[0], j, k);
        continue;
      }
      for (int i = -grid.pad[0]; i < grid.cells[0] + grid.pad[0]; ++i) clear(i, j, k);
    }
}

template <class T>
void add_stencil_weight_gradient(const PaddedGrid& grid, const T* x, const T* gy, T* gw) {
  const int n = grid.cells[0];
  for_rows(grid, [&](std::ptrdiff_t first) {
    for_places(grid, [&](std::ptrdiff_t place, std::ptrdiff_t way) {
      const T* const in = x + first + way;
      const T* const g = gy + first;
      T* const out = gw + place * grid.channel() + first;
#pragma omp simd
      for (int i = 0; i < n; ++i) out[i] += g[i] * in[i];
    });
  });
}

template void apply_stencil(const PaddedGrid&, const float*, const float*, float*);
template void apply_stencil(const PaddedGrid&, const double*, const double*, double*);
template void add_stencil_input_gradient(const PaddedGrid&, const float*, const float*, float*);
template void add_stencil_input_gradient(const PaddedGrid&, const double*, const double*, double*);
template void add_stencil_weight_gradient(const PaddedGrid&, const float*, const float*, float*);
template void add_stencil_weight_gradient(const PaddedGrid&, const double*, const double*, double*);

}  // namespace libsolve::learn
