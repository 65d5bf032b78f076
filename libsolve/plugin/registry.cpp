#include <algorithm>
#include <libsolve/plugin/registry.hpp>
#include <map>

namespace libsolve {

struct Registry::Impl {
  std::map<std::pair<std::string, std::string>, ComponentInfo, std::less<>> components;
  std::vector<std::pair<std::string, std::string>> rejected;  // file, reason
};

Registry::Registry() : impl_(std::make_unique<Impl>()) {}
Registry::~Registry() = default;

namespace {
/// Inner components nest; a chain deeper than this can only be a default that names itself.
constexpr int max_nesting = 16;

std::string where_from(const ComponentInfo& info) {
  return info.plugin_path.empty() ? "the program itself" : info.plugin_path;
}

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }
}  // namespace

void Registry::add(ComponentInfo info) {
  const auto key = std::pair(info.kind, info.name);
  if (const auto it = impl_->components.find(key); it != impl_->components.end())
    throw PluginError("two plugins provide the " + info.kind + " " + quoted(info.name) + ": " +
                      where_from(it->second) + " and " + where_from(info) +
                      "; remove one of them, or take its folder out of LIBSOLVE_PLUGIN_PATH");
  impl_->components.emplace(key, std::move(info));
}

const ComponentInfo* Registry::find(std::string_view kind, std::string_view name) const {
  const auto it = impl_->components.find(std::pair(std::string(kind), std::string(name)));
  return it == impl_->components.end() ? nullptr : &it->second;
}

std::vector<const ComponentInfo*> Registry::list() const {
  std::vector<const ComponentInfo*> all;
  for (const auto& [key, info] : impl_->components) all.push_back(&info);
  return all;
}

std::vector<std::string> Registry::names(std::string_view kind) const {
  std::vector<std::string> all;
  for (const auto& [key, info] : impl_->components)
    if (key.first == kind) all.push_back(key.second);
  return all;
}

void Registry::note_rejected(std::string file, std::string reason) {
  impl_->rejected.emplace_back(std::move(file), std::move(reason));
}

namespace {
std::string unknown_name(const Registry& registry, std::string_view kind, const std::string& name,
                         const std::vector<std::pair<std::string, std::string>>& rejected) {
  const std::vector<std::string> names = registry.names(kind);
  std::string text = "no " + std::string(kind) + " named " + quoted(name);
  for (const ComponentInfo* info : registry.list())
    if (info->name == name) text += " (there is a " + info->kind + " of that name)";
  const std::string near = nearest_name(name, names);
  if (!near.empty()) text += "; did you mean " + quoted(near) + "?";
  text += names.empty() ? "; no plugin provides any" : " (available: " + join(names) + ")";
  for (const auto& [file, reason] : rejected)
    text += "\n  a plugin that did not load may provide it: " + reason;
  return text;
}
}  // namespace

Value Registry::resolve(std::string_view kind, const ComponentSpec& spec, const std::string& prefix,
                        Diagnostics& problems) const {
  std::string key = prefix;
  if (!key.empty() && key.back() == '.') key.pop_back();
  Value resolved;
  resolved.set("name", spec.name);
  const ComponentInfo* info = find(kind, spec.name);
  if (info == nullptr) {
    problems.add(spec.options.where, key, unknown_name(*this, kind, spec.name, impl_->rejected));
    return resolved;
  }
  if (std::count(prefix.begin(), prefix.end(), '.') > max_nesting) {
    problems.add(spec.options.where, key,
                 quoted(spec.name) + " contains itself as an inner component by default");
    return resolved;
  }
  const Value own = info->resolve(spec.options, prefix, problems);
  for (const auto& [option_name, value] : own.as_table()) {
    Value& stored = resolved.set(option_name, value);
    for (const OptionInfo& option : info->options) {
      if (option.name != option_name || option.component_kind.empty()) continue;
      // What was written carries its place in the file; the resolved value does not.
      const Value* written = spec.options.find(option_name);
      ComponentSpec inner;
      std::string ignored;  // reported above, where the options were parsed
      if (!detail::convert(written != nullptr ? *written : value, inner, ignored)) continue;
      if (written == nullptr) inner.options.where = spec.options.where;
      const bool may_be_none = option.default_value == "\"none\"";
      if (may_be_none && inner.name == "none" && inner.options.as_table().empty()) continue;
      stored = resolve(option.component_kind, inner, prefix + option_name + ".", problems);
    }
  }
  return resolved;
}

std::unique_ptr<Component> Registry::make(std::string_view kind, const ComponentSpec& spec,
                                          const Context& context) const {
  Diagnostics problems;
  resolve(kind, spec, "", problems);
  problems.throw_if_any();
  return find(kind, spec.name)->make(spec.options, context);
}

std::string Context::resolve_file(const std::string& file) const {
  if (file.empty() || file.front() == '/' || base_folder.empty()) return file;
  return base_folder + "/" + file;
}

Registrar::Registrar(Registry& registry, std::string plugin_path, std::string plugin_version)
    : registry_(registry),
      plugin_path_(std::move(plugin_path)),
      plugin_version_(std::move(plugin_version)) {}
Registrar::~Registrar() = default;

void Registrar::add(ComponentInfo info) {
  info.plugin_path = plugin_path_;
  info.plugin_version = plugin_version_;
  registry_.add(std::move(info));
}

}  // namespace libsolve
