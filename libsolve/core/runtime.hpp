#pragma once

#include <functional>
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

  /// `hook` is called when the Runtime of this process goes (the outermost, where they nest), before
  /// Kokkos and MPI are taken down; the hook added last is called first. For adapters that bring up
  /// a library of their own. Throws BackendError where there is no Runtime. Hooks may not throw.
  static void at_end(std::function<void()> hook);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace libsolve
