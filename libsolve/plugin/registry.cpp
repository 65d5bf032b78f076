#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <libsolve/plugin/registry.hpp>
#include <map>

namespace libsolve {

struct Registry::Impl {
  std::map<std::pair<std::string, std::string>, ComponentInfo, std::less<>> components;
  PluginLog log;
};

Registry::Registry() : impl_(std::make_unique<Impl>()) {}
Registry::~Registry() = default;

namespace {
/// Inner components nest; a chain deeper than this can only be a default that names itself.
constexpr int max_nesting = 16;

std::string where_from(const ComponentInfo& info) {
  return info.plugin_path.empty() ? "the program itself" : info.plugin_path;
}

std::string in_quotes(std::string_view text) {
  return "'" + std::string(text) + "'";
}
}  // namespace

void Registry::add(ComponentInfo info) {
  const auto key = std::pair(info.kind, info.name);
  if (const auto it = impl_->components.find(key); it != impl_->components.end())
    throw PluginError("two plugins provide the " + info.kind + " " + in_quotes(info.name) + ": " +
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

PluginLog& Registry::plugin_log() {
  return impl_->log;
}
const PluginLog& Registry::plugin_log() const {
  return impl_->log;
}

std::string PluginLog::to_text() const {
  std::string text;
  for (const PluginPlace& place : places)
    text += "  searched " + place.path + " (" + place.origin + "): " + place.note + "\n";
  for (const PluginFile& file : files)
    if (!file.loaded) text += "  not loaded: " + file.path + ": " + file.reason + "\n";
  return text;
}

std::string PluginLog::why_absent(const std::string& name) const {
  for (const AbsentPlugin& plugin : absent)
    if (std::find(plugin.names.begin(), plugin.names.end(), name) != plugin.names.end())
      return in_quotes(name) + " comes with the plugin " + plugin.plugin + ": " + plugin.reason;
  return {};
}

namespace {
std::string unknown_name(const Registry& registry, std::string_view kind, const std::string& name) {
  const std::vector<std::string> names = registry.names(kind);
  std::string text = "no " + std::string(kind) + " named " + in_quotes(name);
  for (const ComponentInfo* info : registry.list())
    if (info->name == name) text += ", but a " + info->kind + " of that name";
  if (const std::string why = registry.plugin_log().why_absent(name); !why.empty())
    return text + "; " + why;
  const std::string near = nearest_name(name, names);
  if (!near.empty()) text += "; did you mean " + in_quotes(near) + "?";
  text += names.empty() ? "; no plugin provides any" : " (available: " + join(names) + ")";
  // A plugin that was refused, or a folder that was not searched, may be what is missing.
  const PluginLog& log = registry.plugin_log();
  const bool any_refused = std::any_of(log.files.begin(), log.files.end(),
                                       [](const PluginFile& f) { return !f.loaded; });
  if (any_refused || near.empty()) {
    std::string details = log.to_text();
    if (!details.empty()) details.pop_back();  // the last newline
    if (!details.empty()) text += "\n" + details;
  }
  return text;
}

/// `file` with every ${NAME} replaced by that environment variable. One that is not set is a
/// message in `problem`.
std::string expand_environment(const std::string& file, std::string& problem) {
  std::string expanded;
  size_t at = 0;
  for (;;) {
    const size_t open = file.find("${", at);
    expanded += file.substr(at, open - at);
    if (open == std::string::npos) return expanded;
    const size_t close = file.find('}', open);
    if (close == std::string::npos) {
      problem = "${ without } in file name " + in_quotes(file);
      return file;
    }
    const std::string name = file.substr(open + 2, close - open - 2);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') {
      problem = "file name " + in_quotes(file) + " needs the environment variable " + name +
                ", which is not set: set it to the folder that holds the file";
      return file;
    }
    expanded += value;
    at = close + 1;
  }
}

/// "" where `file` can be found, else what is wrong.
std::string missing_file(const std::string& written, const std::string& base_folder) {
  namespace fs = std::filesystem;
  std::string problem;
  const std::string file = expand_environment(written, problem);
  if (!problem.empty()) return problem;
  const fs::path path = fs::path(base_folder) / file;
  std::error_code code;
  if (fs::is_regular_file(path, code)) return {};
  if (fs::exists(path, code)) return in_quotes(path.string()) + " is not a file";
  std::vector<std::string> neighbours;
  for (fs::directory_iterator it(path.parent_path(), code), end; !code && it != end;
       it.increment(code))
    neighbours.push_back(it->path().filename().string());
  std::sort(neighbours.begin(), neighbours.end());
  const std::string near = nearest_name(path.filename().string(), neighbours);
  return "there is no file " + in_quotes(path.string()) +
         (near.empty() ? std::string() : "; did you mean " + in_quotes(near) + "?");
}

/// What was written carries its place in the file; the resolved value does not.
const Value& written_or(const ComponentSpec& spec, const std::string& name, const Value& resolved) {
  const Value* written = spec.options.find(name);
  return written != nullptr ? *written : resolved;
}
}  // namespace

Value Registry::resolve(std::string_view kind, const ComponentSpec& spec, const std::string& prefix,
                        Diagnostics& problems, const std::string& base_folder) const {
  std::string key = prefix;
  if (!key.empty() && key.back() == '.') key.pop_back();
  const SourceLocation& where = spec.name_where.file.empty() ? spec.options.where : spec.name_where;
  Value resolved;
  resolved.where = spec.options.where;
  resolved.set("name", spec.name);
  const ComponentInfo* info = find(kind, spec.name);
  if (info == nullptr) {
    problems.add(where, key, unknown_name(*this, kind, spec.name));
    return resolved;
  }
  if (std::count(prefix.begin(), prefix.end(), '.') > max_nesting) {
    problems.add(where, key,
                 "components nest more than " + std::to_string(max_nesting) +
                     " deep: does the default of one name itself?");
    return resolved;
  }
  const Value own = info->resolve(spec.options, prefix, problems);
  for (const auto& [name, value] : own.as_table()) {
    const Value& written = written_or(spec, name, value);
    Value& stored = resolved.set(name, value);
    const auto option = std::find_if(info->options.begin(), info->options.end(),
                                     [&](const OptionInfo& o) { return o.name == name; });
    if (option == info->options.end()) continue;

    if (option->type == "file" && !base_folder.empty() && value.is_string() &&
        !value.as_string().empty()) {
      const std::string problem = missing_file(value.as_string(), base_folder);
      if (!problem.empty()) problems.add(written.where, prefix + name, problem);
    }
    if (option->component_kind.empty()) continue;
    ComponentSpec inner;
    std::string ignored;  // reported where the options were parsed
    if (!detail::convert(written, inner, ignored)) continue;
    if (inner.name_where.file.empty()) inner.name_where = where;
    if (inner.name == "none" && option->default_value == "\"none\"") {
      if (!inner.options.as_table().empty())
        problems.add(inner.name_where, prefix + name, "'none' has no options");
      continue;
    }
    stored = resolve(option->component_kind, inner, prefix + name + ".", problems, base_folder);
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
  std::string problem;
  const std::string expanded = expand_environment(file, problem);
  if (!problem.empty()) throw InputError({}, {}, problem);
  if (expanded.empty() || expanded.front() == '/' || base_folder.empty()) return expanded;
  return base_folder + "/" + expanded;
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
