#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/io/results_file.hpp>
#include <libsolve/plugin/registry.hpp>
#include <string>
#include <vector>

namespace libsolve {

/// Table [run] of a case.
struct RunOptions {
  std::uint64_t seed = 1;
  int threads = 0;
  std::string time_limit = "none";

  static void describe(Fields<RunOptions>& f) {
    f.add("seed", &RunOptions::seed, "seed of all random numbers");
    f.add("threads", &RunOptions::threads, Range::closed(0, 65536),
          "threads of the host; 0: as OMP_NUM_THREADS says, else all cores");
    f.add("time_limit", &RunOptions::time_limit,
          "stop with the results written after this long since the start: 90, \"55m\", \"1h30m\", "
          "\"01:30:00\"; \"none\"");
  }
};

/// Table [output] of a case.
struct OutputOptions {
  std::string file = "results.h5";
  std::vector<std::string> fields = {};
  bool data = false;
  bool xdmf = false;
  std::string snapshot_interval = "30s";

  static void describe(Fields<OutputOptions>& f) {
    f.add("file", &OutputOptions::file, "results file, relative to the folder the program runs in");
    f.add("fields", &OutputOptions::fields, "solution fields to store; empty: all");
    f.add("data", &OutputOptions::data,
          "store the problem's input fields too (right-hand side, coefficient); a mask always is");
    f.add("xdmf", &OutputOptions::xdmf,
          "write FILE.xdmf too, for readers of grids without VTKHDF (ParaView before 5.12, VisIt)");
    f.add("snapshot_interval", &OutputOptions::snapshot_interval,
          "time between snapshots FILE.partial of a running solve; \"none\" for no snapshots");
  }
};

/// A case file as read, with its overrides applied, before anything is looked up.
struct LoadedCase {
  CaseRecord record = {};  ///< without `resolved`
  Value root = {};
};

/// A case that can be run: every name known, every option in its range.
struct Case {
  CaseRecord record = {};
  std::string base_folder = ".";  ///< file names in options start here: the folder of the case file
  std::string problem_class = {};
  ComponentSpec problem = {};
  ComponentSpec method = {};
  std::string method_kind = {};
  Value resolved = {};  ///< tables problem, method, output, run with every default
  RunOptions run = {};
  OutputOptions output = {};
  double time_limit_s = 0.0;         ///< infinity for none
  double snapshot_interval_s = 0.0;  ///< infinity for none
};

/// Reads the file and applies the overrides ("key.sub=value"). Throws InputError: file or text that
/// cannot be read, overrides that are no assignments.
LIBSOLVE_EXPORT LoadedCase load_case(const std::string& path,
                                     const std::vector<std::string>& overrides);

/// Checks everything that can be checked without building the problem, and throws one InputError
/// with all that is wrong: unknown tables, keys and names with the nearest valid one, wrong types,
/// values out of range, files that are not there, a method of another problem class.
LIBSOLVE_EXPORT Case resolve_case(const LoadedCase& loaded, const Registry& registry);

}  // namespace libsolve
