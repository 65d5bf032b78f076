#include <fmt/format.h>

#include <libsolve/core/build_info.hpp>
#include <libsolve/core/config.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/io/image.hpp>
#include <libsolve/plugin/describe.hpp>
#include <libsolve/plugin/loader.hpp>
#include <nlohmann/json.hpp>

#include "app.hpp"

namespace app {

int list(const Global& global, bool json) {
  libsolve::Registry registry;
  libsolve::load_plugins(registry, {.files = global.plugins});
  fmt::print("{}", json ? libsolve::list_json(registry) + "\n" : libsolve::list_text(registry));
  return 0;
}

int describe(const Global& global, const std::string& name, const std::string& kind, bool json) {
  libsolve::Registry registry;
  libsolve::load_plugins(registry, {.files = global.plugins});
  fmt::print("{}", json ? libsolve::describe_json(registry, name, kind) + "\n"
                        : libsolve::describe_text(registry, name, kind));
  return 0;
}

int version(bool json) {
  const libsolve::BuildInfo build = libsolve::build_info();
  struct Feature {
    const char* name;
    bool on;
  };
  const Feature features[] = {
      {"mpi", LIBSOLVE_HAVE_MPI != 0},           {"hdf5_parallel", libsolve::hdf5_is_parallel()},
      {"zlib", LIBSOLVE_HAVE_ZLIB != 0},         {"png", libsolve::png_is_supported()},
      {"petsc", LIBSOLVE_HAVE_PETSC != 0},
      {"sundials", LIBSOLVE_HAVE_SUNDIALS != 0}, {"cuda", LIBSOLVE_HAVE_CUDA != 0}};
  if (json) {
    nlohmann::ordered_json object = {{"version", build.version},
                                     {"revision", build.revision},
                                     {"build_type", build.build_type},
                                     {"compiler", build.compiler},
                                     {"device", libsolve::ExecSpace::name()},
                                     {"kokkos", KOKKOS_VERSION}};
    for (const auto& [name, on] : features) object["features"][name] = on;
    fmt::print("{}\n", object.dump(2));
    return 0;
  }
  std::string with;
  for (const auto& [name, on] : features)
    if (on) with += std::string(" ") + name;
  fmt::print("libsolve {} ({}, {}, {}, {})\nwith:{}\n", build.version, build.revision,
             build.build_type, build.compiler, libsolve::ExecSpace::name(), with);
  return 0;
}

}  // namespace app
