#include <libsolve/adapters/detail/petsc_library.hpp>
#include <libsolve/adapters/petsc/detail/exchange.hpp>
#include <libsolve/adapters/petsc/detail/hypre_pfmg.hpp>
#include <libsolve/adapters/petsc/detail/ksp.hpp>
#include <libsolve/adapters/petsc/detail/tao.hpp>
#include <libsolve/core/revision.hpp>

namespace libsolve::petsc::detail {
namespace {

std::string version() {
  PetscInt major = 0, minor = 0, subminor = 0;
  (void)PetscGetVersionNumber(&major, &minor, &subminor, nullptr);
  const std::string hypre = hypre_version();
  return "PETSc " + std::to_string(major) + "." + std::to_string(minor) + "." +
         std::to_string(subminor) + (hypre.empty() ? "" : ", ") + hypre;
}

std::unique_ptr<Solver> make_petsc_ksp(const KspSettings& settings) {
  return std::make_unique<PetscKsp>(settings);
}

}  // namespace
}  // namespace libsolve::petsc::detail

extern "C" LIBSOLVE_EXPORT const libsolve::petsc::detail::Library* libsolve_petsc_library() {
  using namespace libsolve::petsc::detail;
  static const std::string identity = build_identity(LIBSOLVE_GIT_REVISION);
  static const Library table = {identity.c_str(), version, make_petsc_ksp, make_hypre_pfmg,
                                make_sf_exchange, make_petsc_tao, make_petsc_lcl};
  return &table;
}
