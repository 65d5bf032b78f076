#include <petscksp.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <libsolve/adapters/petsc.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/runtime.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/matrix_entries.hpp>
#include <string>

/// PETSc's methods of ours inside programs that hold PETSc themselves or do not: one process for
/// each case, since who brings it up is settled once.
namespace {

int failures = 0;

void expect(bool condition, const char* what) {
  if (condition) return;
  ++failures;
  std::fprintf(stderr, "expected: %s\n", what);
}

bool petsc_is_up() {
  PetscBool up = PETSC_FALSE, down = PETSC_FALSE;
  PetscInitialized(&up);
  PetscFinalized(&down);
  return up == PETSC_TRUE && down == PETSC_FALSE;
}

/// Solves 2 x = 1 in three unknowns through a KSP.
void work() {
  using namespace libsolve;
  const auto A = make_csr_matrix(3, 3, {{0, 0, 2.0}, {1, 1, 2.0}, {2, 2, 2.0}});
  const Vector b("b", A->row_partition());
  fill(b, 1.0);
  LinearSystem system(A, b, b.like("x"));
  const auto ksp = petsc::make_ksp({.options = "-ksp_type cg -pc_type jacobi", .asker = "host"});
  ksp->setup(system);
  VerifiedSolve frame;
  frame.allocate(system);
  const Report report = frame.solve(
      system, 1e-12, 0.0, 10, Monitor::none(),
      [&](const InnerTask& task, SolveWatch& watch) { return ksp->solve(task, watch); });
  expect(report.converged(), "the KSP solves 2 x = 1");
  expect(petsc_is_up(), "PETSc is up while its objects live");
}

/// Makes a vector of PETSc's, as a host would that goes on.
void host_goes_on() {
  Vec v = nullptr;
  PetscReal norm = 0.0;
  const bool ok = VecCreateSeq(PETSC_COMM_SELF, 4, &v) == 0 && VecSet(v, 1.0) == 0 &&
                  VecNorm(v, NORM_2, &norm) == 0 && VecDestroy(&v) == 0;
  expect(ok && norm == 2.0, "the host's PETSc works on");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  struct sigaction before = {}, after = {};
  if (name == "alone") {
    ::sigaction(SIGTERM, nullptr, &before);
    {
      const libsolve::Runtime runtime;
      expect(!petsc_is_up(), "PETSc is not up before it is needed");
      work();
      work();
      ::sigaction(SIGTERM, nullptr, &after);
      expect(before.sa_handler == after.sa_handler, "the handler of SIGTERM is as it was");
    }
    expect(!petsc_is_up(), "PETSc goes with the Runtime");
  } else if (name == "host") {
    if (PetscInitialize(&argc, &argv, nullptr, nullptr) != 0) return 2;
    {
      const libsolve::Runtime runtime;
      work();
    }
    expect(petsc_is_up(), "a host's PETSc stays");
    host_goes_on();
    const char* options = nullptr;
    char* all = nullptr;
    PetscOptionsGetAll(nullptr, &all);
    options = all;
    expect(options == nullptr || std::strstr(options, "libsolve_") == nullptr,
           "no option of ours is left in the host's database");
    PetscFree(all);
    PetscFinalize();
  } else if (name == "no_runtime") {
    bool refused = false;
    try {
      (void)libsolve::petsc::make_ksp({.options = "", .asker = "host"});
    } catch (const libsolve::BackendError&) {
      refused = true;
    }
    expect(refused, "without a Runtime PETSc is not brought up");
  } else {
    std::fprintf(stderr, "unknown case '%s'\n", name.c_str());
    return 2;
  }
  return failures == 0 ? 0 : 1;
}
