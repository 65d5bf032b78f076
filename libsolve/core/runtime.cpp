#include <Kokkos_Core.hpp>
#include <cstdlib>
#include <libsolve/core/config.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/runtime.hpp>
#include <string>
#include <vector>

#if LIBSOLVE_HAVE_MPI
#include <mpi.h>
#endif

namespace libsolve {

struct Runtime::Impl {
  Communicator world;
  bool owns_mpi = false;
  bool owns_kokkos = false;
};

namespace {
int num_runtimes = 0;
std::vector<std::function<void()>> end_hooks;

/// Kokkos without the advice it prints to standard error, unless the user has said otherwise.
void initialize_kokkos(int& argc, char** argv) {
  if (std::getenv("KOKKOS_DISABLE_WARNINGS") != nullptr) {
    Kokkos::initialize(argc, argv);
    return;
  }
  std::string quiet = "--kokkos-disable-warnings";
  std::vector<char*> arguments = {quiet.data()};  // first, so that a later one of the user wins
  arguments.insert(arguments.end(), argv, argv + argc);
  arguments.push_back(nullptr);
  int num_arguments = argc + 1;
  Kokkos::initialize(num_arguments, arguments.data());
  // Kokkos took the arguments that were meant for it; the rest moved up.
  for (int i = 0; i < num_arguments; ++i) argv[i] = arguments[static_cast<size_t>(i)];
  if (num_arguments < argc) argv[num_arguments] = nullptr;
  argc = num_arguments;
}
}  // namespace

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
    initialize_kokkos(argc, argv);
    impl_->owns_kokkos = true;
  }
  impl_->world = Communicator::world();
  ++num_runtimes;
}

void Runtime::at_end(std::function<void()> hook) {
  if (num_runtimes == 0)
    throw BackendError(
        "a library was to be brought up without a libsolve::Runtime: create one first, it takes the "
        "library down in time");
  end_hooks.push_back(std::move(hook));
}

namespace {
int no_argc = 0;
}  // namespace

Runtime::Runtime() : Runtime(no_argc, nullptr) {}

Runtime::~Runtime() {
  if (--num_runtimes == 0)
    while (!end_hooks.empty()) {
      const std::function<void()> hook = std::move(end_hooks.back());
      end_hooks.pop_back();
      hook();
    }
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
