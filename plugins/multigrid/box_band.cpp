#include "box_cubes.hpp"

namespace multigrid {

template <class Real>
BandMatrix band_matrix(const BoxOperator<Real>& op) {
  const auto values = box::on_host(op.values);
  BandMatrix matrix;
  matrix.shape = {op.n};
  matrix.size = op.n[0] * op.n[1] * op.n[2];
  for (int k = 0; k < op.n[2]; ++k)
    for (int j = 0; j < op.n[1]; ++j)
      for (int i = 0; i < op.n[0]; ++i) {
        const Real* at = values.data() + BoxOperator<Real>::guard +
                         std::ptrdiff_t(k * op.n[1] + j) * BoxOperator<Real>::arrays * 2 * op.half +
                         (i & 1 ? op.half : 0) + i / 2;
        const int cell = i + op.n[0] * (j + op.n[1] * k);
        matrix.entries.push_back({cell, cell, at[0]});
        for (int dz = 0; dz <= 1; ++dz)
          for (int dy = -1; dy <= 1; ++dy)
            for (int dx = -1; dx <= 1; ++dx) {
              if (dz == 0 && (dy < 0 || (dy == 0 && dx <= 0))) continue;
              const double coupling = at[(2 + box::coupling_index(dx, dy, dz)) * 2 * op.half];
              if (coupling == 0 || i + dx < 0 || j + dy < 0 || i + dx >= op.n[0] ||
                  j + dy >= op.n[1] || k + dz >= op.n[2])
                continue;
              matrix.entries.push_back(
                  {cell + dx + op.n[0] * (dy + op.n[1] * dz), cell, -coupling});
            }
      }
  return matrix;
}

template BandMatrix band_matrix(const BoxOperator<float>&);
template BandMatrix band_matrix(const BoxOperator<double>&);

}  // namespace multigrid
