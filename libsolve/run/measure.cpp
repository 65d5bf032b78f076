#include <algorithm>
#include <chrono>
#include <cmath>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/run/run.hpp>
#include <limits>

namespace libsolve {

namespace {

struct Triad {
  VectorView a;
  ConstVectorView b, c;
  double s;
  KOKKOS_INLINE_FUNCTION void operator()(const Index i) const { a(i) = b(i) + s * c(i); }
};

}  // namespace

double triad_seconds_per_double() {
  constexpr Index n = 8'000'000;
  const VectorView a("run::triad_a", n), b("run::triad_b", n), c("run::triad_c", n);
  Kokkos::deep_copy(b, 1.0);
  Kokkos::deep_copy(c, 2.0);
  double best = std::numeric_limits<double>::infinity();
  for (int pass = 0; pass < 6; ++pass) {
    Kokkos::fence();
    const auto begin = std::chrono::steady_clock::now();
    Kokkos::parallel_for("run::triad", Kokkos::RangePolicy<ExecSpace>(0, n), Triad{a, b, c, 0.5});
    Kokkos::fence();
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best / (3.0 * n);
}

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
