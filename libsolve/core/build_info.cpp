#include <libsolve/core/build_info.hpp>
#include <libsolve/core/revision.hpp>
#include <libsolve/core/version.hpp>

namespace libsolve {

BuildInfo build_info() noexcept {
  return {LIBSOLVE_VERSION, LIBSOLVE_GIT_REVISION, LIBSOLVE_BUILD_TYPE, LIBSOLVE_COMPILER};
}

}  // namespace libsolve
