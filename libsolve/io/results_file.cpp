#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/io/results_file.hpp>

namespace libsolve {

namespace {

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc = {};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string temporary_path(const std::string& path) {
  return path + ".tmp";
}

/// What a file of `r` takes at most, roughly. Asked for ahead, since HDF5 recovers badly from a
/// disk that fills up while it writes.
double bytes_of(const Results& r) {
  const size_t texts = r.case_record.text.size() + r.case_record.resolved.size() +
                       r.environment.kokkos.size() + r.environment.command.size();
  const size_t history = 8 * (2 + r.history.names.size()) * (r.history.iteration.size() + 8192);
  return field_bytes(r.solution) + field_bytes(r.data) + field_bytes(r.problem_state) +
         field_bytes(r.method_state) + static_cast<double>(texts + history) + 1e5;
}

std::string unit_or_none(const std::string& unit) {
  return unit.empty() ? "dimensionless" : unit;
}

/// Names of measures come from methods; a slash would open a group.
std::string link_name(std::string name) {
  std::replace(name.begin(), name.end(), '/', '_');
  return name.empty() ? "unnamed" : name;
}

/// Flushes a file or folder to the disk; file systems that cannot flush a folder are forgiven.
void flush_to_disk(const std::string& path, bool is_folder) {
  const int file = ::open(path.c_str(), is_folder ? O_RDONLY | O_DIRECTORY : O_RDONLY);
  const bool ok = file >= 0 && ::fsync(file) == 0;
  const int reason = errno;
  if (file >= 0) ::close(file);
  if (!ok && !is_folder && reason != EINVAL && reason != ENOSYS)
    throw IoError("'" + path + "': cannot flush it to the disk: " + std::strerror(reason));
}

void write_measures(Hdf5File& file, const std::string& group, const std::vector<Measure>& list,
                    const char* default_unit = "") {
  file.make_group(group);
  for (const Measure& m : list) {
    const std::string path = group + "/" + link_name(m.name);
    if (file.exists(path)) continue;
    file.scalar(path, m.value);
    file.attribute(path, "units", unit_or_none(m.unit.empty() ? default_unit : m.unit));
  }
}

/// VTK stores images of cells by their corners: n cells lie between points 0 and n. An axis that is
/// not used is one cell thick, which every version of the reader takes.
void write_vtk_header(Hdf5File& file, const Grid& grid) {
  file.make_group("/VTKHDF/CellData");
  const std::vector<std::int64_t> version = {2, 0};
  const std::vector<std::int64_t> extent = {0, grid.cells[0], 0, grid.cells[1], 0, grid.cells[2]};
  const std::array<double, 3> spacing = storage_spacing(grid);
  const std::vector<double> direction = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  file.attribute("/VTKHDF", "Version", std::span<const std::int64_t>(version));
  file.ascii_attribute("/VTKHDF", "Type", "ImageData");
  file.attribute("/VTKHDF", "WholeExtent", std::span<const std::int64_t>(extent));
  file.attribute("/VTKHDF", "Origin", std::span<const double>(grid.origin));
  file.attribute("/VTKHDF", "Spacing", std::span<const double>(spacing));
  file.attribute("/VTKHDF", "Direction", std::span<const double>(direction));
}

std::vector<GlobalIndex> stored_shape(const Field& field) {
  if (!field.grid) return field.shape;
  const auto& n = field.grid->cells;
  return {n[2], n[1], n[0]};
}

/// Fields of one group; those on the first grid met are also cell data for VTK.
void write_fields(Hdf5File& file, const std::string& group, const std::vector<Field>& fields,
                  std::optional<Grid>& vtk_grid) {
  for (const Field& field : fields) {
    const std::string path = group + "/" + link_name(field.name);
    if (field.grid && field.values.global_size() != field.grid->num_cells())
      throw ShapeError("the field '" + field.name + "' has " +
                       std::to_string(field.values.global_size()) + " entries, its grid has " +
                       std::to_string(field.grid->num_cells()) + " cells");
    if (field.grid && field.box)
      file.vector(path, field.values, *field.grid, *field.box);
    else
      file.vector(path, field.values, stored_shape(field), field.whole_numbers);
    file.attribute(path, "units", unit_or_none(field.units));
    file.attribute(path, "description", field.description);
    if (!field.grid) continue;
    file.attribute(path, "dimension", field.grid->dimension);
    file.attribute(path, "origin", std::span<const double>(field.grid->origin));
    file.attribute(path, "spacing", std::span<const double>(field.grid->spacing));
    file.attribute(path, "axis_names", field.axis_names);
    if (!vtk_grid) {
      vtk_grid = field.grid;
      write_vtk_header(file, *vtk_grid);
    }
    const std::string vtk_path = "/VTKHDF/CellData/" + link_name(field.name);
    if (same_grid(*vtk_grid, *field.grid) && !file.exists(vtk_path)) file.link(path, vtk_path);
  }
}

/// Fields of a checkpoint: none of them is for pictures.
void write_state(Hdf5File& file, const std::string& group, const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    const std::string path = group + "/" + link_name(field.name);
    if (field.grid && field.box)
      file.vector(path, field.values, *field.grid, *field.box);
    else
      file.vector(path, field.values, stored_shape(field));
    file.attribute(path, "description", field.description);
  }
}

void write_environment(Hdf5File& file, const EnvironmentRecord& e) {
  file.make_group("/environment");
  file.attribute("/environment", "host", e.host);
  file.attribute("/environment", "num_ranks", e.num_ranks);
  file.attribute("/environment", "num_threads", e.num_threads);
  file.attribute("/environment", "device", e.device);
  file.attribute("/environment", "compiler", e.compiler);
  file.attribute("/environment", "libsolve_version", e.version);
  file.attribute("/environment", "revision", e.revision);
  file.attribute("/environment", "build_type", e.build_type);
  file.attribute("/environment", "seed", static_cast<std::int64_t>(e.seed));
  file.text("/environment/command", e.command);
  file.text("/environment/kokkos", e.kokkos);
  file.make_group("/environment/plugins");
  for (const PluginRecord& p : e.plugins) {
    const std::string path = "/environment/plugins/" + link_name(p.name);
    if (file.exists(path)) continue;
    file.make_group(path);
    file.attribute(path, "file", p.file);
    file.attribute(path, "libsolve_version", p.version);
    file.attribute(path, "sha256", p.sha256);
  }
}

void write_all(Hdf5File& file, const Results& r, const std::string& created) {
  file.attribute("/", "schema", results_schema);
  file.attribute("/", "libsolve_version", r.environment.version);
  file.attribute("/", "created", created);

  file.make_group("/case");
  file.attribute("/case", "path", r.case_record.path);
  file.text("/case/text", r.case_record.text);
  file.texts("/case/overrides", r.case_record.overrides);
  file.text("/case/resolved", r.case_record.resolved);

  write_environment(file, r.environment);

  file.make_group("/report");
  file.attribute("/report", "status", r.status);
  file.attribute("/report", "reason", r.report.reason);
  file.attribute("/report", "problem", r.problem);
  file.attribute("/report", "iterations", r.report.iterations);
  file.attribute("/report", "exit_code", r.exit_code);
  file.texts("/report/notes", r.report.notes);
  write_measures(file, "/report/measures", r.report.measures);
  write_measures(file, "/report/seconds", r.report.seconds, "s");
  write_measures(file, "/report/counts", r.report.counts);
  write_measures(file, "/metrics", r.report.metrics);

  file.make_group("/history");
  file.column("/history/iteration", r.history.iteration);
  file.attribute("/history/iteration", "units", "dimensionless");
  file.column("/history/seconds", r.history.seconds);
  file.attribute("/history/seconds", "units", "s");
  for (size_t i = 0; i < r.history.names.size(); ++i) {
    const std::string path = "/history/" + link_name(r.history.names[i]);
    if (!file.exists(path)) file.column(path, r.history.columns[i]);
  }

  file.make_group("/solution");
  std::optional<Grid> vtk_grid;
  write_fields(file, "/solution", r.solution, vtk_grid);
  write_fields(file, "/data", r.data, vtk_grid);
  write_state(file, "/checkpoint/problem", r.problem_state);
  write_state(file, "/checkpoint/method", r.method_state);
  if (r.more) r.more(file);
}

}  // namespace

std::array<double, 3> storage_spacing(const Grid& grid) {
  std::array<double, 3> spacing = grid.spacing;
  const double smallest = *std::min_element(spacing.begin(), spacing.begin() + grid.dimension);
  std::fill(spacing.begin() + grid.dimension, spacing.end(), smallest);
  return spacing;
}

bool same_grid(const Grid& a, const Grid& b) {
  return a.cells == b.cells && a.spacing == b.spacing && a.origin == b.origin;
}

std::string snapshot_path(const std::string& path) {
  return path + ".partial";
}

double field_bytes(const std::vector<Field>& fields) {
  double bytes = 0.0;
  for (const Field& f : fields) bytes += 8.0 * static_cast<double>(f.values.global_size());
  return bytes;
}

void check_writable(const std::string& path, double bytes) {
  namespace fs = std::filesystem;
  const std::string folder = folder_of(path);
  std::error_code error;
  fs::create_directories(folder, error);
  std::error_code ignored;
  if (error && !fs::is_directory(folder, ignored))
    throw IoError("'" + path + "': cannot make its folder '" + folder + "': " + error.message());
  if (fs::is_directory(path, ignored))
    throw IoError("'" + path + "' is a folder; name a file for the results");
  struct statvfs disk = {};
  if (::statvfs(folder.c_str(), &disk) == 0) {
    const double available =
        static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
    if (disk.f_blocks > 0 && available < bytes)
      throw IoError(
          "'" + path + "' needs about " + std::to_string(static_cast<long>(bytes / 1e6) + 1) +
          " MB, its file system has " + std::to_string(static_cast<long>(available / 1e6)) +
          " MB left; make room or choose another folder with --output");
  }
  const std::string probe = temporary_path(path);
  const int file = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0)
    throw IoError("'" + path + "': cannot create files in '" + folder +
                  "': " + std::strerror(errno));
  // Quotas show only when space is really asked for; file systems that cannot reserve are forgiven.
  const int code = bytes >= 1.0 ? ::fallocate(file, 0, 0, static_cast<off_t>(bytes)) : 0;
  const int reason = errno;
  ::close(file);
  ::unlink(probe.c_str());
  if (code != 0 && (reason == ENOSPC || reason == EDQUOT || reason == EFBIG))
    throw IoError("'" + path + "': no room for about " +
                  std::to_string(static_cast<long>(bytes / 1e6) + 1) +
                  " MB: " + std::strerror(reason));
}

void write_results(const std::string& path, const Results& results, const Communicator& comm) {
  const std::string temporary = temporary_path(path);
  std::string problem;
  try {
    if (comm.rank() == 0) check_writable(path, bytes_of(results));
  } catch (const IoError& e) {
    problem = e.what();
  }
  if (comm.any(!problem.empty())) throw IoError(comm.broadcast(problem));
  try {
    Hdf5File file = Hdf5File::create(temporary, comm);
    write_all(file, results, comm.broadcast(utc_now()));  // all ranks must write the same
    file.close();
    if (comm.rank() == 0) {
      flush_to_disk(temporary, false);
      if (std::rename(temporary.c_str(), path.c_str()) != 0)
        throw IoError("'" + path +
                      "': cannot rename the finished file to this name: " + std::strerror(errno));
      flush_to_disk(folder_of(path), true);
    }
  } catch (...) {
    if (comm.rank() == 0) ::unlink(temporary.c_str());
    throw;
  }
  comm.barrier();
}

}  // namespace libsolve
