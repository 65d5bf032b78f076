#pragma once

#include <functional>
#include <libsolve/core/component.hpp>
#include <libsolve/core/options.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace libsolve {

class Registry;

/// What a component is built with beside its options: the registry (for inner methods by name),
/// the seed of all random streams, the communicator, and the folder that relative file names in
/// options start from.
struct Context {
  const Registry* registry = nullptr;
  std::uint64_t seed = 1;
  Communicator communicator = {};
  std::string base_folder = ".";

  /// An inner component by name: `context.make<Preconditioner>(options.preconditioner)`.
  template <class Interface>
  std::unique_ptr<Interface> make(const ComponentSpec& spec) const;
  /// `file` with ${NAME} replaced by environment variables, as it is when absolute, else below
  /// base_folder. Throws InputError for a variable that is not set.
  LIBSOLVE_EXPORT std::string resolve_file(const std::string& file) const;
};

/// A registered component: who it is and how to make it.
struct ComponentInfo {
  std::string kind = {};           ///< "linear-solver", "preconditioner", "problem-source"
  std::string name = {};           ///< kebab-case, unique within its kind
  std::string problem_class = {};  ///< "linear", ...
  std::string summary = {};
  std::string paper = {};           ///< authors, title, venue, year; "" for none
  std::string plugin_path = {};     ///< file it came from; "" when registered by the program itself
  std::string plugin_version = {};  ///< the libsolve version its plugin was built with
  std::vector<OptionInfo> options = {};
  /// Parses a table of options, reports everything wrong, returns the resolved table.
  std::function<Value(const Value& table, const std::string& prefix, Diagnostics&)> resolve = {};
  /// Makes one from a table of options; throws InputError for options that do not parse.
  std::function<std::unique_ptr<Component>(const Value& table, const Context&)> make = {};
};

/// Name, one line, paper: what a plugin says of each component.
struct ComponentText {
  std::string name = {};
  std::string summary = {};
  std::string paper = "";
};

/// A folder or file where plugins were looked for, and what asked for it: "--plugin",
/// "LIBSOLVE_PLUGIN_PATH" or "installed".
struct PluginPlace {
  std::string path = {};
  std::string origin = {};
  std::string note = {};  ///< "3 plugins", "no such folder", ...
};

/// A plugin file that was found.
struct PluginFile {
  std::string path = {};     ///< absolute, without symbolic links
  std::string origin = {};   ///< as in PluginPlace
  std::string version = {};  ///< the libsolve version it was built with, where it could be read
  bool loaded = false;
  std::string reason = {};  ///< why it was not loaded, with the cure; "" when it was
};

/// A plugin that the build left out, and the names that it would provide.
struct AbsentPlugin {
  std::string plugin = {};
  std::string reason = {};  ///< "this build has no PETSc; ..."
  std::vector<std::string> names = {};
};

/// Where plugins were looked for, in order, and what was found.
struct PluginLog {
  std::vector<PluginPlace> places = {};
  std::vector<PluginFile> files = {};
  std::vector<AbsentPlugin> absent = {};
  /// "'petsc-gamg' comes with the plugin petsc: this build has no PETSc; ..." where it would be
  /// provided by a plugin that was left out, else "".
  LIBSOLVE_EXPORT std::string why_absent(const std::string& name) const;
  /// One line for each place and each rejected file.
  LIBSOLVE_EXPORT std::string to_text() const;
};

/// Components by kind and name. Destroy it, and everything made from it, before Kokkos is
/// finalised: plugins stay loaded until the process ends, but what they made may hold views.
/// Loading and adding are not thread-safe; looking up is.
class LIBSOLVE_EXPORT Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// Throws PluginError where kind and name are taken, naming both files.
  void add(ComponentInfo info);
  /// Null where there is none.
  const ComponentInfo* find(std::string_view kind, std::string_view name) const;
  /// Sorted by kind, then name.
  std::vector<const ComponentInfo*> list() const;
  std::vector<std::string> names(std::string_view kind) const;

  /// Whether `spec` names a component of `kind` and its options are valid, those of inner
  /// components included; everything wrong goes to `problems`, with `prefix` ("method.") before the
  /// keys. Files named by options must exist, relative to `base_folder`; "" leaves them unchecked.
  /// An inner component may be "none" where that is its default. Returns the resolved table, `name`
  /// first, defaults and inner components included; resolving it again changes nothing.
  Value resolve(std::string_view kind, const ComponentSpec& spec, const std::string& prefix,
                Diagnostics& problems, const std::string& base_folder = {}) const;
  /// Resolves, then makes one. Throws InputError with everything wrong; for an unknown name it has
  /// the nearest one and why plugins were rejected, where some were.
  std::unique_ptr<Component> make(std::string_view kind, const ComponentSpec& spec,
                                  const Context& context) const;

  /// What load_plugins() did for this registry.
  PluginLog& plugin_log();
  const PluginLog& plugin_log() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

template <class Interface>
std::unique_ptr<Interface> Context::make(const ComponentSpec& spec) const {
  if (registry == nullptr)
    throw PluginError("'" + spec.name +
                      "' was asked for, but the Context has no registry; set "
                      "Context::registry");
  std::unique_ptr<Component> component = registry->make(Interface::kind, spec, *this);
  auto* typed = dynamic_cast<Interface*>(component.get());
  if (typed == nullptr)
    throw PluginError("'" + spec.name + "' is registered as a " + std::string(Interface::kind) +
                      " but does not derive from that interface; rebuild its plugin");
  component.release();
  return std::unique_ptr<Interface>(typed);
}

/// What a plugin registers its components with.
class LIBSOLVE_EXPORT Registrar {
 public:
  Registrar(Registry& registry, std::string plugin_path, std::string plugin_version);
  ~Registrar();

  /// T derives from one of the abstract classes with a `kind`, has a nested `Options` with
  /// `describe`, and is constructible from (const T::Options&, const Context&).
  template <class T>
  void add(ComponentText text) {
    using Options = typename T::Options;
    ComponentInfo info;
    info.kind = T::kind;
    info.name = text.name;
    info.problem_class = T::problem_class;
    info.summary = std::move(text.summary);
    info.paper = std::move(text.paper);
    info.options = describe_options<Options>();
    const std::string owner = info.kind + " '" + info.name + "'";
    info.resolve = [owner](const Value& table, const std::string& prefix, Diagnostics& problems) {
      return options_to_value(parse_options<Options>(table, prefix, owner, problems));
    };
    info.make = [owner](const Value& table, const Context& context) -> std::unique_ptr<Component> {
      Diagnostics problems;
      const Options options = parse_options<Options>(table, "", owner, problems);
      problems.throw_if_any();
      return std::make_unique<T>(options, context);
    };
    add(std::move(info));
  }

 private:
  void add(ComponentInfo info);
  Registry& registry_;
  std::string plugin_path_;
  std::string plugin_version_;
};

}  // namespace libsolve
