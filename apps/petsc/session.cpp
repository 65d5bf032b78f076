#include "session.hpp"

#include <mpi.h>
#include <sched.h>

#include <cstdlib>
#include <libsolve/plugin/loader.hpp>
#include <string>

#include "ksp_libsolve.hpp"

namespace libsolve_in_petsc {

namespace {

std::unique_ptr<Session> the_session;

std::set<Held*>& all_held() {
  static std::set<Held*> held;
  return held;
}

/// Threads for each rank where the user has not said: the processors this process may run on,
/// shared with the other ranks of this node that may run on the same ones.
int threads_per_rank() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int processors = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  MPI_Comm node = MPI_COMM_NULL;
  if (MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node) !=
      MPI_SUCCESS)
    return 1;
  // How many ranks run on each processor; the first one of ours tells.
  int counts[CPU_SETSIZE];
  for (int i = 0; i < CPU_SETSIZE; ++i) counts[i] = CPU_ISSET(i, &set) ? 1 : 0;
  MPI_Allreduce(MPI_IN_PLACE, counts, CPU_SETSIZE, MPI_INT, MPI_SUM, node);
  MPI_Comm_free(&node);
  int most = 1;
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &set) && counts[i] > most) most = counts[i];
  return processors > most ? processors / most : 1;
}

}  // namespace

Held::Held() {
  all_held().insert(this);
}
Held::~Held() {
  all_held().erase(this);
}

bool Session::is_up() {
  return the_session != nullptr;
}

Session& Session::get() {
  if (the_session == nullptr) {
    the_session.reset(new Session);
    petsc::check(PetscRegisterFinalize(finish));
  }
  return *the_session;
}

Session::Session() {
  std::string program = "petsc-program", threads;
  std::vector<char*> arguments = {program.data()};
  if (std::getenv("OMP_NUM_THREADS") == nullptr && std::getenv("KOKKOS_NUM_THREADS") == nullptr) {
    threads = "--kokkos-num-threads=" + std::to_string(threads_per_rank());
    arguments.push_back(threads.data());
  }
  int count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  runtime_ = std::make_unique<Runtime>(count, arguments.data());
  add_pc_of_ksp(registry_);
  (void)load_plugins(registry_);
}

Session::~Session() {
  for (Held* held : all_held()) held->release();
}

PetscErrorCode Session::finish() {
  return guarded(nullptr, "libsolve: PetscFinalize", [] { the_session.reset(); });
}

Context Session::context(PetscObject object) const {
  Context context;
  context.registry = &registry_;
  const MPI_Comm comm = PetscObjectComm(object);
  context.communicator = Communicator::from_mpi(&comm);
  return context;
}

namespace {
PetscErrorCode report(PetscObject object, const char* function, PetscErrorCode code,
                      const char* text) {
  const MPI_Comm comm = object != nullptr ? PetscObjectComm(object) : PETSC_COMM_SELF;
  return PetscError(comm, __LINE__, function, __FILE__, code, PETSC_ERROR_INITIAL, "%s", text);
}
}  // namespace

PetscErrorCode error_of_exception(PetscObject object, const char* function) {
  try {
    throw;
  } catch (const petsc::PetscFailure& e) {
    return PetscError(PETSC_COMM_SELF, __LINE__, function, __FILE__, e.code, PETSC_ERROR_REPEAT,
                      " ");
  } catch (const InputError& e) {
    return report(object, function, PETSC_ERR_USER_INPUT, e.what());
  } catch (const PluginError& e) {
    return report(object, function, PETSC_ERR_ARG_UNKNOWN_TYPE, e.what());
  } catch (const Unsupported& e) {
    return report(object, function, PETSC_ERR_SUP, e.what());
  } catch (const ShapeError& e) {
    return report(object, function, PETSC_ERR_ARG_SIZ, e.what());
  } catch (const std::bad_alloc& e) {
    return report(object, function, PETSC_ERR_MEM, e.what());
  } catch (const std::exception& e) {
    return report(object, function, PETSC_ERR_LIB, e.what());
  } catch (...) {
    return report(object, function, PETSC_ERR_LIB, "an exception of unknown type");
  }
}

}  // namespace libsolve_in_petsc
