#include <Kokkos_Core.hpp>
#include <cstdlib>
#include <libsolve/core/config.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/runtime.hpp>

#if LIBSOLVE_HAVE_MPI
#include <mpi.h>
#endif

namespace libsolve {

struct Runtime::Impl {
  Communicator world;
  bool owns_mpi = false;
  bool owns_kokkos = false;
};

Runtime::Runtime(int& argc, char** argv) : impl_(std::make_unique<Impl>()) {
#if LIBSOLVE_HAVE_MPI
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (finalized != 0)
    throw BackendError("libsolve::Runtime after MPI_Finalize: create it before MPI is finalised");
  int up = 0;
  MPI_Initialized(&up);
  if (up == 0) {
    int provided = 0;
    if (MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
      throw BackendError("MPI_Init_thread failed");
    impl_->owns_mpi = true;
  }
#endif
  if (Kokkos::is_finalized())
    throw BackendError("libsolve::Runtime after Kokkos::finalize: create it before Kokkos is finalised");
  if (!Kokkos::is_initialized()) {
    Kokkos::initialize(argc, argv);
    impl_->owns_kokkos = true;
  }
  impl_->world = Communicator::world();
}

namespace {
int no_argc = 0;
}  // namespace

Runtime::Runtime() : Runtime(no_argc, nullptr) {}

Runtime::~Runtime() {
  impl_->world = Communicator();
  if (impl_->owns_kokkos && !Kokkos::is_finalized()) Kokkos::finalize();
#if LIBSOLVE_HAVE_MPI
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (impl_->owns_mpi && finalized == 0) MPI_Finalize();
#endif
}

const Communicator& Runtime::world() const noexcept { return impl_->world; }
bool Runtime::owns_kokkos() const noexcept { return impl_->owns_kokkos; }

}  // namespace libsolve
