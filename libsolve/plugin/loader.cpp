#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <libsolve/plugin/abi_stamp.hpp>
#include <libsolve/plugin/detail/plugin_file.hpp>
#include <libsolve/plugin/loader.hpp>

namespace libsolve {

namespace fs = std::filesystem;

namespace {

using detail::AbiFields;

std::string field(const AbiFields& fields, const std::string& key) {
  for (const auto& [name, value] : fields)
    if (name == key) return value;
  return {};
}

/// Folder of libsolve.so, without symbolic links; "" where it cannot be told.
fs::path library_folder() {
  Dl_info info = {};
  if (dladdr(reinterpret_cast<const void*>(&installed_plugin_folder), &info) == 0 ||
      info.dli_fname == nullptr)
    return {};
  std::error_code code;
  const fs::path file = fs::canonical(info.dli_fname, code);
  return code ? fs::path() : file.parent_path();
}

/// The command that builds a plugin so that it fits this libsolve.
std::string rebuild_command() {
  const fs::path prefix = library_folder().parent_path();
  const std::string build_type =
      field(detail::parse_abi_text(detail::own_abi_text()), "build_type").rfind("debug", 0) == 0
          ? "Debug"
          : "Release";
  std::error_code code;
  if (!fs::exists(prefix / "lib/cmake/libsolve/libsolveConfig.cmake", code) &&
      fs::exists(prefix / "CMakeCache.txt", code))
    return "cmake --build " + prefix.string() +
           " (a plugin of this tree), or for one outside: cmake --install " + prefix.string() +
           " --prefix P && cmake -S SOURCE -B BUILD -Dlibsolve_ROOT=P -DCMAKE_BUILD_TYPE=" +
           build_type + " && cmake --build BUILD";
  return "cmake -S SOURCE -B BUILD -Dlibsolve_ROOT=" + prefix.string() +
         " -DCMAKE_BUILD_TYPE=" + build_type + " && cmake --build BUILD";
}

/// One line for each field that differs, then what to do.
void check_abi(const AbiFields& plugin) {
  if (field(plugin, "libsolve-abi").empty())
    throw PluginError("its stamp of libsolve (section .libsolve.abi) cannot be read; " +
                      std::string("rebuild the plugin against this libsolve: ") +
                      rebuild_command());
  const auto mismatches =
      detail::compare_abi(plugin, detail::parse_abi_text(detail::own_abi_text()));
  if (mismatches.empty()) return;
  std::string text = "it was built for something else:";
  for (const auto& m : mismatches)
    text += "\n    " + m.field + ": the plugin has '" + m.plugin + "', libsolve has '" +
            m.libsolve + "'";
  throw PluginError(text + "\n    rebuild the plugin against this libsolve: " + rebuild_command());
}

/// Opens `file`, whose stamp fits, and registers what it provides; throws PluginError (without the
/// file's name) and registers nothing where that fails.
void open_and_register(Registry& registry, const std::string& file, const std::string& version) {
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = dlerror();
    throw PluginError(
        "the system cannot load it: " + std::string(why != nullptr ? why : "unknown") +
        "\n    link what is missing (LIBRARIES of libsolve_add_plugin) or set "
        "LD_LIBRARY_PATH; after an update of libsolve rebuild the plugin: " +
        rebuild_command());
  }
  using Entry = void (*)(Registrar&);
  const auto entry = reinterpret_cast<Entry>(dlsym(handle, "libsolve_plugin_register"));
  if (entry == nullptr)
    throw PluginError("its entry libsolve_plugin_register cannot be found; rebuild the plugin");

  Registry staged;  // all or nothing
  try {
    Registrar registrar(staged, file, version);
    entry(registrar);
  } catch (const std::exception& error) {
    throw PluginError("its registration failed: " + std::string(error.what()) +
                      "; the error is in the plugin, ask its author");
  } catch (...) {
    throw PluginError(
        "its registration failed with an exception that is none of std::exception; the error is in "
        "the plugin, ask its author");
  }
  for (const ComponentInfo* info : staged.list())
    if (const ComponentInfo* taken = registry.find(info->kind, info->name))
      throw PluginError(
          "it provides the " + info->kind + " '" + info->name + "', which " +
          (taken->plugin_path.empty() ? "the program itself" : taken->plugin_path) +
          " provides already; rename one, remove one of the files, or take its folder out of "
          "LIBSOLVE_PLUGIN_PATH");
  for (const ComponentInfo* info : staged.list()) registry.add(*info);
}

class Loader {
 public:
  explicit Loader(Registry& registry) : registry_(registry), log_(registry.plugin_log()) {}

  /// Loads one file and notes the outcome; false where it was refused.
  bool load(const std::string& path, const std::string& origin) {
    std::error_code code;
    const fs::path canonical = fs::canonical(path, code);
    const std::string file = code ? path : canonical.string();
    for (const PluginFile& known : log_.files)
      if (known.path == file || fs::equivalent(known.path, file, code)) return known.loaded;
    PluginFile entry{.path = file, .origin = origin};
    try {
      const detail::PluginContent content = detail::read_plugin_file(file);
      const AbiFields stamp = detail::parse_abi_text(content.abi_text);
      entry.version = field(stamp, "libsolve_version");
      check_abi(stamp);
      if (!content.has_entry)
        throw PluginError(
            "it has no entry: the symbol 'libsolve_plugin_register' is expected, none is exported; "
            "write LIBSOLVE_PLUGIN(registrar) { ... } in one source file of the plugin");
      open_and_register(registry_, file, entry.version);
      entry.loaded = true;
    } catch (const std::exception& error) {
      entry.reason = error.what();
    }
    log_.files.push_back(entry);
    return entry.loaded;
  }

  void load_explicit(const std::string& path) {
    log_.places.push_back({path, "--plugin", "named"});
    if (load(path, "--plugin")) return;
    const std::string reason = reason_of(path);
    throw PluginError("cannot load plugin " + path + ": " + reason);
  }

  /// A folder: every *.so in it, by name. A file: that one.
  void load_place(const std::string& path, const std::string& origin) {
    std::error_code code;
    const fs::file_status status = fs::status(path, code);
    if (fs::is_directory(status)) {
      std::vector<std::string> files;
      for (fs::directory_iterator it(path, code), end; !code && it != end; it.increment(code))
        if (it->path().extension() == ".so")
          files.push_back(it->path().string());
        else if (it->path().extension() == ".absent")
          note_absent(it->path());
      const std::string note = code ? "cannot be read: " + code.message()
                                    : std::to_string(files.size()) +
                                          (files.size() == 1 ? " plugin file" : " plugin files");
      log_.places.push_back({path, origin, note});
      std::sort(files.begin(), files.end());
      for (const std::string& file : files) load(file, origin);
    } else if (fs::exists(status)) {
      log_.places.push_back({path, origin, "a file"});
      load(path, origin);
    } else {
      log_.places.push_back({path, origin, "no such folder"});
    }
  }

 private:
  /// A text that the build leaves in place of a plugin: the reason, then the names, a line each.
  void note_absent(const fs::path& file) {
    std::ifstream in(file);
    AbsentPlugin plugin{.plugin = file.stem().string()};
    std::getline(in, plugin.reason);
    for (std::string line; std::getline(in, line);)
      if (!line.empty()) plugin.names.push_back(line);
    if (!plugin.reason.empty()) log_.absent.push_back(std::move(plugin));
  }

  std::string reason_of(const std::string& path) const {
    std::error_code code;
    for (const PluginFile& f : log_.files)
      if (f.path == path || fs::equivalent(f.path, path, code)) return f.reason;
    return {};
  }

  Registry& registry_;
  PluginLog& log_;
};

}  // namespace

std::string installed_plugin_folder() {
  const fs::path folder = library_folder();
  return folder.empty() ? std::string() : (folder / "libsolve" / "plugins").string();
}

const PluginLog& load_plugins(Registry& registry, const PluginSearch& search) {
  Loader loader(registry);
  for (const std::string& file : search.files) loader.load_explicit(file);

  const char* environment = std::getenv("LIBSOLVE_PLUGIN_PATH");
  const std::string path = search.path.value_or(environment != nullptr ? environment : "");
  for (size_t start = 0; start < path.size();) {
    const size_t end = std::min(path.find(':', start), path.size());
    if (end > start) loader.load_place(path.substr(start, end - start), "LIBSOLVE_PLUGIN_PATH");
    start = end + 1;
  }
  const std::string installed = search.installed_folder.value_or(installed_plugin_folder());
  if (!installed.empty()) loader.load_place(installed, "installed");
  return registry.plugin_log();
}

}  // namespace libsolve
