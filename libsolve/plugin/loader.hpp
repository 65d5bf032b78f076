#pragma once

#include <libsolve/core/export.hpp>
#include <libsolve/plugin/registry.hpp>
#include <optional>
#include <string>
#include <vector>

namespace libsolve {

/// Where plugins are looked for, in this order.
struct PluginSearch {
  /// Files that must load ("--plugin FILE").
  std::vector<std::string> files = {};
  /// Folders and files, separated by colons; without a value the environment variable
  /// LIBSOLVE_PLUGIN_PATH.
  std::optional<std::string> path = {};
  /// Without a value installed_plugin_folder(); "" for none.
  std::optional<std::string> installed_folder = {};
};

/// Loads plugins into `registry` and returns its log of the search. For each file the ABI stamp is
/// read and compared before any code of the file runs; then it is opened (RTLD_NOW | RTLD_LOCAL,
/// never closed) and registers its components, all of them or none. A file met twice is loaded
/// once.
///
/// A file of `files` that cannot be loaded is a PluginError naming the file, what differs, both
/// values and the cure. One that was found in a folder is only noted in the log (`libsolve list`
/// shows it, and the message for an unknown name) and does not stop the others. Two files that
/// provide the same name: the one met first keeps it, the other is refused, both are named.
LIBSOLVE_EXPORT const PluginLog& load_plugins(Registry& registry, const PluginSearch& search = {});

/// <folder of libsolve.so>/libsolve/plugins, whether it exists or not.
LIBSOLVE_EXPORT std::string installed_plugin_folder();

}  // namespace libsolve
