#pragma once

#include <libsolve/core/export.hpp>
#include <libsolve/plugin/registry.hpp>
#include <string>

/// What `libsolve list` and `libsolve describe NAME` print. Everything comes from the descriptions
/// that also parse the options. Text ends with a newline.
namespace libsolve {

/// Components by kind with their one-line summary and plugin, then the plugin files, rejected ones
/// with their reason, then the places that were searched.
LIBSOLVE_EXPORT std::string list_text(const Registry& registry);

/// {"libsolve": {"version", "interface"}, "components": [{"kind", "name", "problem_class",
/// "summary", "paper", "plugin", "version"}], "plugins": [{"path", "origin", "version", "loaded",
/// "reason", "components"}], "absent": [{"plugin", "reason", "provides"}], "searched": [{"path", "origin", "note"}]}.
LIBSOLVE_EXPORT std::string list_json(const Registry& registry);

/// Every component called `name` (of `kind`, where that is not ""): summary, paper, plugin and each
/// option with type, default, range or choices, unit and help. InputError, with the nearest name,
/// where there is none.
LIBSOLVE_EXPORT std::string describe_text(const Registry& registry, const std::string& name,
                                          const std::string& kind = {});

/// An array, one object for each component called `name`: the keys of list_json and "options":
/// [{"name", "type", "default" (TOML text, null where required), "required", "range", "choices",
/// "unit", "help", "component_kind"}]. Keys that do not apply are left out.
LIBSOLVE_EXPORT std::string describe_json(const Registry& registry, const std::string& name,
                                          const std::string& kind = {});

}  // namespace libsolve
