#pragma once

#include <libsolve/plugin/abi_stamp.hpp>
#include <libsolve/plugin/registry.hpp>

/// The whole contact of a plugin with the outside, once per plugin:
///
///   LIBSOLVE_PLUGIN(registrar) {
///     registrar.add<jacobi::Jacobi>({.name = "jacobi", .summary = "...", .paper = "..."});
///   }
///
/// It emits the ABI stamp (read by the loader before any code of the plugin runs) and the entry.
#define LIBSOLVE_PLUGIN(registrar) \
  LIBSOLVE_EMIT_ABI_STAMP          \
  extern "C" LIBSOLVE_EXPORT void libsolve_plugin_register(::libsolve::Registrar& registrar)
