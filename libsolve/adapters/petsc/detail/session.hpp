#pragma once

#include <petscksp.h>

#include <libsolve/core/errors.hpp>
#include <libsolve/core/together.hpp>
#include <libsolve/core/vector.hpp>
#include <string>
#include <vector>

// One source for PETSc 3.18 to 3.25.
#if !defined(PETSC_SUCCESS) && !PETSC_VERSION_GE(3, 19, 0)
#define PETSC_SUCCESS 0
#endif
#if PETSC_VERSION_GE(3, 24, 0)
#define LIBSOLVE_PETSC_FUNCTION(f) reinterpret_cast<PetscErrorCodeFn*>(f)
#else
#define LIBSOLVE_PETSC_FUNCTION(f) reinterpret_cast<void (*)(void)>(f)
#endif
namespace libsolve::petsc::detail {

/// Brings PETSc up where nobody has. Throws BackendError without a Runtime or MPI.
void bring_up();
/// False once PETSc is down: its objects are gone, nothing of it may be called.
bool is_up();

/// The communicator for objects of PETSc's and hypre's.
MPI_Comm mpi_comm(const Communicator& comm);

/// Within its scope PETSc's errors are collected, not printed; check() turns them into exceptions.
/// Exceptions of ours that have to pass PETSc's frames wait in `pending`.
class ErrorScope {
 public:
  /// With `ranks`, every check() is collective over them: an error of one is an exception on all.
  explicit ErrorScope(std::string doing, Communicator ranks = {});
  ~ErrorScope();
  ErrorScope(const ErrorScope&) = delete;
  ErrorScope& operator=(const ErrorScope&) = delete;

  /// Rethrows a pending exception; else BackendError or NumericalError for a code that is none of
  /// success.
  void check(PetscErrorCode code) const;
  /// The innermost scope's place for exceptions; to be used in callbacks: keep it, return an error.
  static PetscErrorCode keep_exception();

 private:
  void check_here(PetscErrorCode code) const;

  std::string doing_;
  Communicator ranks_;
};

/// PETSc options under a prefix of their own in PETSc's database, taken out again in the end.
class OptionsPrefix {
 public:
  /// `options`: "-ksp_type cg -pc_type gamg"; InputError where that is no list of options.
  OptionsPrefix(const std::string& options, const std::string& asker);
  ~OptionsPrefix();
  OptionsPrefix(const OptionsPrefix&) = delete;
  OptionsPrefix& operator=(const OptionsPrefix&) = delete;

  const std::string& prefix() const { return prefix_; }
  bool has(const std::string& name) const;
  /// InputError naming the options that nothing has asked for on any rank. Collective.
  void require_all_used(const Communicator& comm) const;

 private:
  std::string prefix_;
  std::string asker_;
  std::vector<std::string> names_;  ///< without the dash
};

/// A Vector's numbers for PETSc or hypre: the Vector's own where the host can reach them, else a
/// copy.
class HostNumbers {
 public:
  void allocate(const Vector& like);
  /// Pointers valid until the next call; the copy goes one way each.
  const double* read(const Vector& v);
  double* write(const Vector& v);
  /// After write(): what was written becomes the Vector's.
  void publish(const Vector& v);

 private:
  Kokkos::View<double*, Kokkos::HostSpace> copy_;
};

/// A Vector over `data`, which is PETSc's; on a device through a copy.
class BorrowedVector {
 public:
  BorrowedVector() = default;
  explicit BorrowedVector(Partition partition) : partition_(std::move(partition)) {}
  /// For reading.
  Vector read(const double* data);
  /// For writing; publish() brings it to `data` where that is not the same memory.
  Vector write(double* data);
  void publish(double* data);

 private:
  Partition partition_;
  VectorView device_;
};

/// Bytes that the program has from the heap; 0 where that is not to be had.
double heap_bytes();

}  // namespace libsolve::petsc::detail
