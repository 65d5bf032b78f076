#pragma once

#include <libsolve/core/export.hpp>

namespace libsolve {

/// Version, git revision and build type of the library that is loaded, which may differ from the
/// headers a program was compiled with (those are the macros of <libsolve/core/version.hpp>).
struct BuildInfo {
  const char* version;
  const char* revision;
  const char* build_type;
  const char* compiler;
};

LIBSOLVE_EXPORT BuildInfo build_info() noexcept;

}  // namespace libsolve
