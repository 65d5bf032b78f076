#pragma once

#include <sundials/sundials_config.h>
#include <sundials/sundials_context.h>
#include <sundials/sundials_nvector.h>
#include <sundials/sundials_types.h>

#include <libsolve/core/communicator.hpp>
#include <libsolve/core/errors.hpp>
#include <string>
#include <type_traits>

/// Where SUNDIALS 6.4 and 7 differ, and nothing else. Everything beside this file is one source for
/// both: sunrealtype and sunbooleantype (in both), ops tables filled by name, own result codes.
namespace libsolve::sun {

static_assert(std::is_same_v<sunrealtype, double>,
              "libsolve works in double: build SUNDIALS with SUNDIALS_PRECISION=DOUBLE");

#if SUNDIALS_VERSION_MAJOR >= 7
/// What N_VGetCommunicator returns and SUNContext_Create takes.
using CommHandle = SUNComm;
inline CommHandle comm_handle(const Communicator& comm) {
#if SUNDIALS_MPI_ENABLED
  return comm.mpi_comm() != nullptr ? *static_cast<const SUNComm*>(comm.mpi_comm()) : SUN_COMM_NULL;
#else
  (void)comm;
  return SUN_COMM_NULL;
#endif
}
inline Communicator communicator_of(CommHandle comm) {
#if SUNDIALS_MPI_ENABLED
  if (comm != SUN_COMM_NULL) return Communicator::from_mpi(&comm);
#endif
  (void)comm;
  return {};
}
#else
/// What N_VGetCommunicator returns and SUNContext_Create takes: a pointer to an MPI_Comm, or null.
using CommHandle = void*;
inline CommHandle comm_handle(const Communicator& comm) {
  return const_cast<void*>(comm.mpi_comm());
}
inline Communicator communicator_of(CommHandle comm) {
  return comm != nullptr ? Communicator::from_mpi(comm) : Communicator();
}
#endif

/// A SUNContext for as long as this lives: `const Context context; CVodeCreate(CV_BDF, context)`.
class Context {
 public:
  explicit Context(const Communicator& comm = {}) : comm_(comm) {
    const int code = SUNContext_Create(comm_handle(comm_), &context_);
    if (code != 0) throw BackendError("SUNContext_Create returned " + std::to_string(code));
  }
  ~Context() { SUNContext_Free(&context_); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  operator SUNContext() const noexcept { return context_; }

 private:
  Communicator comm_;  // 6.4 keeps a pointer to the MPI_Comm inside
  SUNContext context_ = nullptr;
};

}  // namespace libsolve::sun
