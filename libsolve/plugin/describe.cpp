#include <algorithm>
#include <libsolve/core/version.hpp>
#include <libsolve/plugin/abi_stamp.hpp>
#include <libsolve/plugin/describe.hpp>
#include <nlohmann/json.hpp>

namespace libsolve {

namespace {

using Json = nlohmann::ordered_json;

/// Left-aligned in `width` columns, at least one space behind.
std::string padded(const std::string& text, size_t width) {
  return text + std::string(text.size() < width ? width - text.size() : 1, ' ');
}

/// `text` in lines of at most `width` columns, every line after the first behind `indent`.
std::string wrapped(const std::string& text, const std::string& indent, size_t width = 96) {
  std::string out;
  size_t column = indent.size();
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(' ', start), text.size());
    const size_t length = end - start;
    if (start > 0 && column + 1 + length > width) {
      out += "\n" + indent;
      column = indent.size();
    } else if (start > 0) {
      out += ' ';
      ++column;
    }
    out += text.substr(start, length);
    column += length;
    start = end + 1;
  }
  return out;
}

std::string provider(const ComponentInfo& info) {
  return info.plugin_path.empty() ? "the program itself"
                                  : info.plugin_path + ", libsolve " + info.plugin_version;
}

size_t num_components(const Registry& registry, const std::string& path) {
  const auto all = registry.list();
  return static_cast<size_t>(std::count_if(all.begin(), all.end(), [&](const ComponentInfo* info) {
    return info->plugin_path == path;
  }));
}

Json component_json(const ComponentInfo& info) {
  return {{"kind", info.kind},
          {"name", info.name},
          {"problem_class", info.problem_class},
          {"summary", info.summary},
          {"paper", info.paper},
          {"plugin", info.plugin_path},
          {"version", info.plugin_version}};
}

Json option_json(const OptionInfo& option) {
  Json j = {{"name", option.name}, {"type", option.type}};
  if (option.required) {
    j["default"] = nullptr;
  } else {
    j["default"] = option.default_value;
  }
  j["required"] = option.required;
  if (!option.range.empty()) j["range"] = option.range;
  if (!option.choices.empty()) j["choices"] = option.choices;
  if (!option.unit.empty()) j["unit"] = option.unit;
  j["help"] = option.help;
  if (!option.component_kind.empty()) j["component_kind"] = option.component_kind;
  return j;
}

std::string dumped(const Json& json) {
  // Paths need not be UTF-8; what is not becomes a question mark.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// What may be written: "float, in (0, 2), default 1.5, unit s".
std::string signature(const OptionInfo& option) {
  std::string text = option.type;
  if (!option.component_kind.empty()) text = "name or table of a " + option.component_kind;
  if (!option.choices.empty()) text = "one of " + join(option.choices);
  if (!option.range.empty()) text += ", " + option.range;
  if (!option.unit.empty()) text += ", unit " + option.unit;
  return text + (option.required ? ", required" : ", default " + option.default_value);
}

std::vector<const ComponentInfo*> named(const Registry& registry, const std::string& name,
                                        const std::string& kind) {
  std::vector<const ComponentInfo*> found;
  std::vector<std::string> names;
  for (const ComponentInfo* info : registry.list()) {
    if (!kind.empty() && info->kind != kind) continue;
    names.push_back(info->name);
    if (info->name == name) found.push_back(info);
  }
  if (!found.empty()) return found;
  if (const std::string why = registry.plugin_log().why_absent(name); !why.empty())
    throw InputError({}, "", why);
  const std::string near = nearest_name(name, names);
  const std::string log = registry.plugin_log().to_text();
  throw InputError(
      {}, "",
      "there is no " + (kind.empty() ? std::string("component") : kind) + " named '" + name + "'" +
          (near.empty() ? "" : "; did you mean '" + near + "'?") +
          (names.empty() ? "; no plugin provides any" : " (available: " + join(names) + ")") +
          (log.empty() ? "" : "\n" + log.substr(0, log.size() - 1)));
}

}  // namespace

std::string list_text(const Registry& registry) {
  const auto components = registry.list();
  size_t width = 0;
  for (const ComponentInfo* info : components) width = std::max(width, info->name.size() + 2);
  const std::string indent(width + 2, ' ');

  std::string text;
  std::string kind;
  for (const ComponentInfo* info : components) {
    if (info->kind != kind) {
      kind = info->kind;
      text += (text.empty() ? "" : "\n") + kind + " (" + info->problem_class + ")\n";
    }
    text += "  " + padded(info->name, width) + wrapped(info->summary, indent) + "\n";
    if (!info->paper.empty()) text += indent + wrapped(info->paper, indent) + "\n";
  }
  if (components.empty()) text += "no plugin provides anything\n";

  const PluginLog& log = registry.plugin_log();
  if (!log.files.empty()) text += "\nplugins\n";
  for (const PluginFile& file : log.files)
    if (file.loaded)
      text += "  " + file.path + " (libsolve " + file.version + ", " +
              std::to_string(num_components(registry, file.path)) + " provided)\n";
    else
      text += "  NOT LOADED " + file.path + ": " + file.reason + "\n";
  if (!log.absent.empty()) text += "\nleft out of this build\n";
  for (const AbsentPlugin& plugin : log.absent)
    text += "  " + padded(plugin.plugin, width) +
            wrapped(plugin.reason + " (provides " + join(plugin.names) + ")", indent) + "\n";
  if (!log.places.empty()) text += "\nsearched\n";
  for (const PluginPlace& place : log.places)
    text += "  " + place.path + " (" + place.origin + "): " + place.note + "\n";
  return text;
}

std::string list_json(const Registry& registry) {
  Json json;
  json["libsolve"] = {{"version", LIBSOLVE_VERSION}, {"interface", detail::abi_interface}};
  json["components"] = Json::array();
  for (const ComponentInfo* info : registry.list())
    json["components"].push_back(component_json(*info));
  json["plugins"] = Json::array();
  for (const PluginFile& file : registry.plugin_log().files)
    json["plugins"].push_back({{"path", file.path},
                               {"origin", file.origin},
                               {"version", file.version},
                               {"loaded", file.loaded},
                               {"reason", file.reason},
                               {"components", num_components(registry, file.path)}});
  json["absent"] = Json::array();
  for (const AbsentPlugin& plugin : registry.plugin_log().absent)
    json["absent"].push_back(
        {{"plugin", plugin.plugin}, {"reason", plugin.reason}, {"provides", plugin.names}});
  json["searched"] = Json::array();
  for (const PluginPlace& place : registry.plugin_log().places)
    json["searched"].push_back(
        {{"path", place.path}, {"origin", place.origin}, {"note", place.note}});
  return dumped(json);
}

std::string describe_text(const Registry& registry, const std::string& name,
                          const std::string& kind) {
  std::string text;
  for (const ComponentInfo* info : named(registry, name, kind)) {
    if (!text.empty()) text += "\n";
    text += info->name + ": " + info->kind + " (" + info->problem_class + ")\n";
    text += "  " + wrapped(info->summary, "  ") + "\n";
    if (!info->paper.empty()) text += "  paper: " + wrapped(info->paper, "         ") + "\n";
    text += "  from " + provider(*info) + "\n";
    text += info->options.empty() ? "  It has no options.\n" : "options\n";
    for (const OptionInfo& option : info->options) {
      text += "  " + option.name + ": " + wrapped(signature(option), "      ") + "\n";
      text += "      " + wrapped(option.help, "      ") + "\n";
    }
  }
  return text;
}

std::string describe_json(const Registry& registry, const std::string& name,
                          const std::string& kind) {
  Json json = Json::array();
  for (const ComponentInfo* info : named(registry, name, kind)) {
    Json component = component_json(*info);
    component["options"] = Json::array();
    for (const OptionInfo& option : info->options)
      component["options"].push_back(option_json(option));
    json.push_back(std::move(component));
  }
  return dumped(json);
}

}  // namespace libsolve
