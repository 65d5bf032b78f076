#include <dlfcn.h>

#include <filesystem>
#include <libsolve/adapters/detail/petsc_library.hpp>
#include <libsolve/adapters/petsc.hpp>
#include <libsolve/core/build_info.hpp>
#include <libsolve/core/config.hpp>
#include <libsolve/core/errors.hpp>
#include <sstream>

namespace libsolve::petsc {

Solver::~Solver() = default;
TaoSolver::~TaoSolver() = default;

namespace {

#if LIBSOLVE_HAVE_PETSC
/// "it has revision=1f2e, this libsolve revision=8ea1"; "" for the same lines.
std::string first_difference(const std::string& ours, const std::string& theirs) {
  std::istringstream left(ours), right(theirs);
  std::string a, b;
  while (std::getline(left, a)) {
    if (!std::getline(right, b)) b = "no such line";
    if (a != b) return "it has " + b + ", this libsolve " + a;
  }
  return {};
}

/// libsolve_petsc.so from the folder of libsolve.so; kept open until the process ends.
const detail::Library& open_library() {
  Dl_info here = {};
  std::error_code code;
  std::filesystem::path folder;
  if (dladdr(reinterpret_cast<const void*>(&version_text), &here) != 0 && here.dli_fname != nullptr)
    folder = std::filesystem::canonical(here.dli_fname, code).parent_path();
  const std::string file = (folder / "libsolve_petsc.so").string();
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = dlerror();
    throw BackendError("PETSc was asked for, and the system cannot load '" + file +
                       "': " + (why != nullptr ? why : "unknown") +
                       "; rebuild libsolve against the PETSc that is installed");
  }
  const auto entry =
      reinterpret_cast<detail::LibraryEntry>(dlsym(handle, "libsolve_petsc_library"));
  const char* found = entry != nullptr ? entry()->identity : "";
  const std::string difference =
      first_difference(detail::build_identity(build_info().revision), found);
  if (!difference.empty())
    throw BackendError("'" + file + "' belongs to another build of libsolve: " + difference +
                       "; build and install both together (target libsolve_petsc)");
  return *entry();
}

const detail::Library& library() {
  static const detail::Library& opened = open_library();
  return opened;
}
#else
[[noreturn]] const detail::Library& library() {
  throw Unsupported(
      "PETSc was asked for, and this libsolve was built without it: configure again where PETSc is "
      "found (LIBSOLVE_ENABLE_PETSC=ON says why it is not)");
}
#endif

}  // namespace

std::unique_ptr<Solver> make_ksp(const KspSettings& settings) {
  return library().make_ksp(settings);
}
std::unique_ptr<Solver> make_pfmg(const PfmgSettings& settings) {
  return library().make_pfmg(settings);
}
std::unique_ptr<TaoSolver> make_tao(const TaoSettings& settings) {
  return library().make_tao(settings);
}
std::unique_ptr<TaoSolver> make_lcl(const LclSettings& settings) {
  return library().make_lcl(settings);
}
std::string version_text() {
  return library().version_text();
}

}  // namespace libsolve::petsc

namespace libsolve {

Exchange::~Exchange() = default;

std::unique_ptr<Exchange> make_exchange(const Partition& owner,
                                        std::span<const GlobalIndex> wanted) {
  std::int64_t wrong = 0;
  for (const GlobalIndex row : wanted)
    if (row < 0 || row >= owner.global_size()) ++wrong;
  if (owner.communicator().sum(wrong) != 0)
    throw ShapeError("an exchange between ranks was asked for " + std::to_string(wrong) +
                     " rows that are not among the " + std::to_string(owner.global_size()) +
                     " there are");
  return petsc::library().make_exchange(owner, wanted);
}

}  // namespace libsolve
