// libsolve inside a program of yours, without any file: your Kokkos views in, a report out.
// -u'' = 1 on (0, 1), u = 0 at both ends, by conjugate gradients with an incomplete factorisation.
#include <Kokkos_Core.hpp>
#include <cstdio>
#include <libsolve/core/runtime.hpp>
#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/plugin/loader.hpp>

int main(int argc, char** argv) {
  const libsolve::Runtime runtime(argc, argv);  // brings up MPI and Kokkos where nobody has

  // Your data: a matrix in compressed rows, b, and x, which holds the guess and then the solution.
  const int n = 1000;
  const double h = 1.0 / (n + 1);
  const Kokkos::View<libsolve::GlobalIndex*> rows("rows", n + 1);
  const Kokkos::View<libsolve::Index*> columns("columns", 3 * n - 2);
  const Kokkos::View<double*> values("values", 3 * n - 2), b("b", n), x("x", n);
  Kokkos::parallel_for(
      "minimal::fill", n, KOKKOS_LAMBDA(const int i) {
        int k = i == 0 ? 0 : 3 * i - 1;
        rows(i) = k;
        for (int j = i - 1; j <= i + 1; ++j)
          if (j >= 0 && j < n) columns(k) = j, values(k++) = i == j ? 2.0 : -1.0;
        if (i == n - 1) rows(n) = k;
        b(i) = h * h;
      });

  // The method: a name and options, as `libsolve describe cg` lists them.
  libsolve::Registry registry;
  libsolve::load_plugins(registry);
  libsolve::Context context;
  context.registry = &registry;
  libsolve::ComponentSpec cg("cg");
  cg.options.set("relative_tolerance", 1e-10);
  cg.options.set("preconditioner", "ic0");

  const auto A = std::make_shared<libsolve::CsrMatrix>(n, n, rows, columns, values);  // no copy
  const libsolve::Partition partition(n);
  libsolve::LinearSystem system(A, {b, partition}, {x, partition});
  const auto solver = context.make<libsolve::LinearSolver>(cg);
  const libsolve::Report report = solver->solve(system, libsolve::Monitor::none());

  std::printf("%s after %d iterations: %s\n", to_string(report.status).data(),
              static_cast<int>(report.iterations), report.reason.c_str());
  return report.converged() ? 0 : 1;
}
