#pragma once

#include <libsolve/adapters/petsc/program/vectors.hpp>
#include <libsolve/core/runtime.hpp>
#include <libsolve/plugin/registry.hpp>
#include <memory>
#include <new>
#include <set>

namespace libsolve_in_petsc {

using namespace libsolve;  // NOLINT: an application of the library

/// What objects of ours hold inside PETSc's: given up before Kokkos is.
class Held {
 public:
  Held();
  virtual ~Held();
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  /// Frees everything that needs Kokkos or a plugin.
  virtual void release() = 0;
};

/// Kokkos and the plugins, from the first use in a program until its PetscFinalize. MPI and PETSc
/// are the program's.
class Session {
 public:
  /// Brings it up; throws where that is too late.
  static Session& get();
  static bool is_up();
  ~Session();

  const Registry& registry() const { return registry_; }
  Context context(PetscObject object) const;

 private:
  Session();
  static PetscErrorCode finish();

  std::unique_ptr<Runtime> runtime_;
  Registry registry_;
};

/// The error of PETSc's that stands for the exception being handled; call it in a catch block.
PetscErrorCode error_of_exception(PetscObject object, const char* function);

/// f(), where what it throws becomes an error of PETSc's: none may cross its C frames.
template <class Function>
PetscErrorCode guarded(PetscObject object, const char* function, const Function& f) noexcept {
  try {
    f();
    return PETSC_SUCCESS;
  } catch (...) {
    return error_of_exception(object, function);
  }
}

template <class T>
PetscObject object_of(T* p) {
  return reinterpret_cast<PetscObject>(p);
}

}  // namespace libsolve_in_petsc
