#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <libsolve/core/text.hpp>
#include <libsolve/io/case_file.hpp>
#include <libsolve/io/weights_file.hpp>

namespace libsolve {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& path, const std::string& field,
                         const std::string& message) {
  throw InputError({.file = path, .line = 0, .column = 0}, field, message);
}

void write_arrays(Hdf5File& file, const std::string& group, const std::vector<NamedArray>& arrays) {
  file.make_group(group);
  for (const NamedArray& a : arrays) file.array(group + "/" + a.name, a.values, a.shape);
}

void read_arrays(const Hdf5File& file, const std::string& group, const std::string& prefix,
                 std::vector<NamedArray>& arrays) {
  for (const std::string& name : file.members(group)) {
    const std::string path = group + "/" + name;
    if (file.is_group(path))
      read_arrays(file, path, prefix + name + "/", arrays);
    else
      arrays.push_back({prefix + name, file.shape(path), file.numbers(path)});
  }
}

/// A weights file of the schema that this libsolve reads.
Hdf5File open_weights(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) refuse(path, "", "there is no such weights file");
  try {
    Hdf5File file = Hdf5File::open(path);
    if (!file.exists("/weights") || !file.has_attribute("/weights", "schema"))
      refuse(path, "weights",
             "this HDF5 file holds no weights; libsolve train CASE makes files that do");
    const double schema = file.number_attribute("/weights", "schema");
    if (schema != weights_schema)
      refuse(path, "weights.schema",
             "the file has schema " + format_number(schema) + ", this libsolve reads " +
                 std::to_string(weights_schema) +
                 "; train again with this libsolve, or use the one "
                 "that wrote it");
    return file;
  } catch (const IoError& e) {
    refuse(path, "", e.what());
  }
}

/// What reading throws beyond InputError is a damaged file.
template <class Result>
Result guarded(const std::string& path, const std::function<Result(const Hdf5File&)>& read) {
  const Hdf5File file = open_weights(path);
  try {
    return read(file);
  } catch (const IoError& e) {
    refuse(path, "weights", std::string("the file is damaged: ") + e.what());
  }
}

std::vector<fs::path> weight_folders() {
  std::vector<fs::path> folders;
  const char* environment = std::getenv("LIBSOLVE_WEIGHTS_PATH");
  const std::string path = environment != nullptr ? environment : "";
  for (size_t start = 0; start < path.size();) {
    const size_t end = std::min(path.find(':', start), path.size());
    if (end > start) folders.emplace_back(path.substr(start, end - start));
    start = end + 1;
  }
  if (const std::string installed = installed_weights_folder(); !installed.empty())
    folders.emplace_back(installed);
  return folders;
}

}  // namespace

void write_weights(Hdf5File& file, const Weights& weights, const TrainingState* state) {
  write_arrays(file, "/weights", weights.arrays);
  file.attribute("/weights", "schema", weights_schema);
  file.attribute("/weights", "network", weights.network);
  file.attribute("/weights", "options", to_toml(weights.options));
  file.make_group("/operator");
  const TrainedOperator& t = weights.trained_on;
  file.attribute("/operator", "kind", t.kind);
  file.attribute("/operator", "dimension", t.dimension);
  const std::vector<std::int64_t> cells(t.cells.begin(), t.cells.end());
  file.column("/operator/cells", cells);
  file.attribute("/operator", "description", t.description);
  if (state == nullptr) return;
  write_arrays(file, "/state", state->arrays);
  file.attribute("/state", "step", state->step);
}

Weights read_weights(const std::string& path) {
  return guarded<Weights>(path, [&](const Hdf5File& file) {
    Weights w;
    w.file = path;
    w.network = file.text_attribute("/weights", "network");
    w.options = parse_toml(file.text_attribute("/weights", "options"), path);
    read_arrays(file, "/weights", "", w.arrays);
    TrainedOperator& t = w.trained_on;
    t.kind = file.text_attribute("/operator", "kind");
    t.dimension = static_cast<int>(file.number_attribute("/operator", "dimension"));
    t.description = file.text_attribute("/operator", "description");
    for (const double n : file.numbers("/operator/cells")) t.cells.push_back(static_cast<int>(n));
    return w;
  });
}

std::optional<TrainingState> read_training_state(const std::string& path) {
  using Found = std::optional<TrainingState>;
  return guarded<Found>(path, [&](const Hdf5File& file) -> Found {
    if (!file.exists("/state")) return std::nullopt;
    TrainingState state;
    state.file = path;
    state.step = static_cast<std::int64_t>(file.number_attribute("/state", "step"));
    read_arrays(file, "/state", "", state.arrays);
    return state;
  });
}

std::string installed_weights_folder() {
  Dl_info info = {};
  if (dladdr(reinterpret_cast<const void*>(&installed_weights_folder), &info) == 0 ||
      info.dli_fname == nullptr)
    return {};
  std::error_code code;
  const fs::path library = fs::canonical(info.dli_fname, code);
  return code ? std::string()
              : (library.parent_path().parent_path() / "share/libsolve/learned").string();
}

std::string find_weights(const std::string& name, const std::string& base_folder) {
  if (name.find('/') != std::string::npos || name.ends_with(".h5")) {
    const fs::path file =
        name.front() == '/' || base_folder.empty() ? fs::path(name) : fs::path(base_folder) / name;
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored))
      refuse(file.string(), "", "there is no such weights file; libsolve train CASE makes one");
    return file.string();
  }
  std::vector<std::string> known, searched;
  for (const fs::path& folder : weight_folders()) {
    std::error_code code;
    const fs::path file = folder / (name + ".h5");
    if (fs::is_regular_file(file, code)) return file.string();
    searched.push_back(folder.string());
    for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code))
      if (it->path().extension() == ".h5") known.push_back(it->path().stem().string());
  }
  std::sort(known.begin(), known.end());
  const std::string near = nearest_name(name, known);
  throw InputError({}, "",
                   "there are no weights called '" + name + "'" +
                       (near.empty() ? "" : "; did you mean '" + near + "'?") +
                       (known.empty() ? "" : " (available: " + join(known) + ")") + "; searched " +
                       join(searched) +
                       "; a file of your own is named by its path, or found through "
                       "LIBSOLVE_WEIGHTS_PATH");
}

}  // namespace libsolve
