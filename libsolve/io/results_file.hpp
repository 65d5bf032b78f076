#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <libsolve/core/component.hpp>
#include <libsolve/core/report.hpp>
#include <string>
#include <vector>

/// The results file, schema 1: libsolve/docs/results-schema.md says what is where.
namespace libsolve {

inline constexpr int results_schema = 1;
class Hdf5File;

/// What was measured in each iteration: one column for each name, NaN where an iteration did not
/// measure it.
struct History {
  std::vector<std::int64_t> iteration = {};
  std::vector<double> seconds = {};  ///< since the solve began
  std::vector<std::string> names = {};
  std::vector<std::vector<double>> columns = {};  ///< [name][row]
};

/// A case as it was run.
struct CaseRecord {
  std::string path = {};
  std::string text = {};                    ///< the file as it was
  std::vector<std::string> overrides = {};  ///< "method.k=3", in the order given
  std::string resolved = {};                ///< TOML with every default: a case that runs the same
};

/// A plugin that took part.
struct PluginRecord {
  std::string name = {};  ///< file name without its ending; "built-in" for the program itself
  std::string file = {};
  std::string version = {};
  std::string sha256 = {};
};

/// Where and with what it ran.
struct EnvironmentRecord {
  std::string host = {};
  std::string command = {};
  int num_ranks = 1;
  int num_threads = 1;
  std::string device = {};
  std::string kokkos = {};  ///< the text of Kokkos::print_configuration
  std::string compiler = {};
  std::string version = {};
  std::string revision = {};
  std::string build_type = {};
  std::uint64_t seed = 1;
  std::vector<PluginRecord> plugins = {};
};

/// Everything a results file holds. `status` is that of the report, or "running" in a snapshot.
struct Results {
  std::string status = {};
  int exit_code = 0;
  std::string problem = {};  ///< the problem's description
  CaseRecord case_record = {};
  EnvironmentRecord environment = {};
  Report report = {};
  History history = {};
  std::vector<Field> solution = {};
  std::vector<Field> data = {};
  /// What --resume needs to go on to the same digits (Resumable); empty where there is nothing.
  std::vector<Field> problem_state = {};
  std::vector<Field> method_state = {};
  /// Writes what else belongs into the file, on all ranks; may be empty.
  std::function<void(Hdf5File&)> more = {};
};

/// Writes `results` to `path`: under a temporary name beside it, flushed to the disk, then renamed,
/// so that `path` is at every moment either what it was or complete. Collective over `comm`.
/// Throws IoError, and leaves `path` as it was, where that does not work.
LIBSOLVE_EXPORT void write_results(const std::string& path, const Results& results,
                                   const Communicator& comm);

/// XDMF text beside the results ("results.xdmf") that shows their grid fields to readers without
/// VTKHDF: ParaView before 5.12, VisIt. Throws IoError.
LIBSOLVE_EXPORT void write_xdmf(const std::string& results_path, const Results& results);
LIBSOLVE_EXPORT std::string xdmf_path(const std::string& results_path);

/// Spacing as picture formats get it: an axis that is not used is as thick as the smallest of the
/// others.
LIBSOLVE_EXPORT std::array<double, 3> storage_spacing(const Grid& grid);
/// The same cells at the same places; only such fields share a picture.
LIBSOLVE_EXPORT bool same_grid(const Grid& a, const Grid& b);

/// The name under which snapshots of a run that will write `path` are found: "path.partial".
LIBSOLVE_EXPORT std::string snapshot_path(const std::string& path);

/// Whether `path` could be written now with `bytes` of data: its folder exists (is made where it
/// is missing), is writable and has the space. Throws IoError saying what is in the way.
LIBSOLVE_EXPORT void check_writable(const std::string& path, double bytes);

/// Bytes of field data that `results` would store.
LIBSOLVE_EXPORT double field_bytes(const std::vector<Field>& fields);

/// SHA-256 of a file in hexadecimal; "" where it cannot be read.
LIBSOLVE_EXPORT std::string sha256_of_file(const std::string& path);

}  // namespace libsolve
