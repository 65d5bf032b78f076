#pragma once

#include <libsolve/core/export.hpp>
#include <string>
#include <utility>
#include <vector>

/// Reads what the loader must know of a plugin from the file itself, without opening it as a
/// library. Every access is checked against the file's size.
namespace libsolve::detail {

struct PluginContent {
  std::string abi_text;    ///< section .libsolve.abi up to its first zero byte
  bool has_entry = false;  ///< defines libsolve_plugin_register
};

/// Throws PluginError, without the file's name, where the file is missing, empty, not a shared
/// library for this machine, cut short, or holds no stamp.
LIBSOLVE_EXPORT PluginContent read_plugin_file(const std::string& path);

/// The lines "key=value" of a stamp.
using AbiFields = std::vector<std::pair<std::string, std::string>>;
LIBSOLVE_EXPORT AbiFields parse_abi_text(const std::string& text);

/// A field that differs; "(none)" where one side does not have it.
struct AbiMismatch {
  std::string field;
  std::string plugin;
  std::string libsolve;
};
LIBSOLVE_EXPORT std::vector<AbiMismatch> compare_abi(const AbiFields& plugin,
                                                     const AbiFields& libsolve);

}  // namespace libsolve::detail
