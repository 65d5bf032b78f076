#include <algorithm>
#include <cmath>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/run/run.hpp>

namespace libsolve {

double symmetry_defect(const LinearOperator& A, std::uint64_t seed, int trials) {
  if (A.num_rows() != A.num_columns())
    throw Unsupported("the symmetry of " + A.description() +
                      " was asked for, and it is not square");
  double worst = 0.0;
  const Vector x("run::check_x", A.column_partition()), y = x.like("run::check_y");
  const Vector ax = x.like("run::check_ax"), ay = x.like("run::check_ay");
  for (int t = 0; t < trials; ++t) {
    fill_uniform(x, RandomStream(seed, "check_x_" + std::to_string(t)));
    fill_uniform(y, RandomStream(seed, "check_y_" + std::to_string(t)));
    A.apply(x, ax);
    A.apply(y, ay);
    const double scale = norm2(ax) * norm2(y);
    const double defect = std::abs(dot(ax, y) - dot(x, ay));
    worst = std::max(worst, scale > 0.0 ? defect / scale : defect);
  }
  return worst;
}

}  // namespace libsolve
