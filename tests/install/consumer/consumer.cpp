// An outside program: brings up the library, runs a kernel of its own on a vector of the library's,
// and catches an error by its type across the border.
#include <cstdio>

#include <Kokkos_Core.hpp>

#include <libsolve/core/build_info.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/runtime.hpp>
#include <libsolve/core/vector.hpp>

/// sum over i of i, computed on the device: n (n - 1) / 2.
double sum_of_indices(libsolve::Index n) {
  const libsolve::Vector x("x", libsolve::Partition(n));
  const libsolve::VectorView values = x.view();
  Kokkos::parallel_for(
      "consumer::fill", Kokkos::RangePolicy<libsolve::ExecSpace>(0, n),
      KOKKOS_LAMBDA(const int i) { values(i) = i; });
  double sum = 0;
  Kokkos::parallel_reduce(
      "consumer::sum", Kokkos::RangePolicy<libsolve::ExecSpace>(0, n),
      KOKKOS_LAMBDA(const int i, double& partial) { partial += values(i); }, sum);
  return sum;
}

int main(int argc, char** argv) {
  const libsolve::Runtime runtime(argc, argv);
  const libsolve::BuildInfo info = libsolve::build_info();
  std::printf("libsolve %s (%s), Kokkos %d\n", info.version, info.revision, KOKKOS_VERSION);
  bool caught = false;
  try {
    const libsolve::Vector wrong(libsolve::VectorView("v", 3), libsolve::Partition(4));
  } catch (const libsolve::ShapeError&) {
    caught = true;
  }
  const bool ok = caught && sum_of_indices(1000) == 499500.0;
  std::printf("consumer: %s\n", ok ? "ok" : "wrong");
  return ok ? 0 : 1;
}
