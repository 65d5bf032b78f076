#include "interpolation.hpp"

#include <libsolve/core/row_kernels.hpp>

namespace reduced_newton {

namespace {

struct Interpolate {
  Index n[3];
  Index fine_size, coarse_size;
  double factor;
  const double* coarse;
  double* fine;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const Index s = i / fine_size;
    Index rest = i - s * fine_size, stride = 1;
    Index near = s * coarse_size, step[3] = {0, 0, 0};
    for (int a = 0; a < 3; ++a) {
      if (n[a] == 1) continue;
      const Index next = rest / n[a], at = rest - next * n[a], parent = at / 2, half = n[a] / 2;
      const Index beside = at % 2 == 0 ? parent - 1 : parent + 1;
      near += parent * stride;
      step[a] = beside >= 0 && beside < half ? (beside - parent) * stride : 0;
      stride *= half;
      rest = next;
    }
    double sum = 0.0;
    for (int corner = 0; corner < 8; ++corner) {
      Index place = near;
      double weight = 1.0;
      for (int a = 0; a < 3; ++a) {
        const bool far = ((corner >> a) & 1) != 0;
        if (far) place += step[a];
        weight *= far ? (n[a] == 1 ? 0.0 : 0.25) : (n[a] == 1 ? 1.0 : 0.75);
      }
      sum += weight * coarse[place];
    }
    fine[i] = factor * sum;
  }
};

}  // namespace

void interpolate(const Grid& g, int functions, double factor, const Vector& coarse,
                 const Vector& fine) {
  const auto fine_size = static_cast<Index>(g.num_cells());
  for_rows(default_space(), "reduced_newton::interpolate", functions * fine_size,
           Interpolate{{g.cells[0], g.cells[1], g.cells[2]},
                       fine_size,
                       fine_size / (1 << g.dimension),
                       factor,
                       coarse.data(),
                       fine.data()});
  Kokkos::fence("reduced_newton::interpolate");
}

}  // namespace reduced_newton
