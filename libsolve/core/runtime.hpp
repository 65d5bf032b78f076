#pragma once

#include <libsolve/core/communicator.hpp>
#include <libsolve/core/export.hpp>
#include <memory>

namespace libsolve {

/// Brings up MPI and Kokkos, in that order, only where the host program has not, and takes down
/// what it brought up in reverse. One at a time; everything of libsolve lives inside its scope.
/// Consumes --kokkos-* arguments. Installs no signal handlers and prints nothing.
/// Throws BackendError where MPI or Kokkos was already finalised.
class LIBSOLVE_EXPORT Runtime {
 public:
  Runtime();
  Runtime(int& argc, char** argv);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// All ranks of the job.
  const Communicator& world() const noexcept;
  /// True where this object, not the host program, brought up Kokkos.
  bool owns_kokkos() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace libsolve
