#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <libsolve/io/hdf5_file.hpp>

#include "app.hpp"

extern char** environ;

namespace app {

namespace {

namespace fs = std::filesystem;
constexpr int packages_are_missing = 77;  // the script's exit code

/// share/libsolve beside the bin folder, in the build tree as in the installed one.
std::string script_path() {
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  return (program.parent_path().parent_path() / "share/libsolve/libsolve_plot.py").string();
}

/// Exit code of the command, or -1 where it could not be started.
int spawn(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  for (const std::string& w : words) arguments.push_back(const_cast<char*>(w.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0)
    return -1;
  int status = 0;
  if (waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

int plot(const std::string& file, const std::string& output) {
  libsolve::Hdf5File::open(file);  // its own words for a missing or foreign file
  const std::string script = script_path();
  if (!fs::exists(script))
    throw libsolve::IoError("the plot script '" + script + "' is missing; install libsolve again");
  std::vector<std::string> pythons;
  if (const char* chosen = std::getenv("LIBSOLVE_PYTHON")) pythons.push_back(chosen);
  for (const char* usual : {"python3", "/usr/bin/python3", "/usr/local/bin/python3"})
    pythons.push_back(usual);
  ::setenv("LIBSOLVE_PLOT_TRIES", "1", 1);  // the script leaves it to us to say what is missing
  for (const std::string& python : pythons) {
    std::vector<std::string> words = {python, script, file};
    if (!output.empty()) words.insert(words.end(), {"--output", output});
    const int code = spawn(words);
    if (code == -1 || code == packages_are_missing || code == 127) continue;
    return code == 0 ? 0 : static_cast<int>(libsolve::ExitCode::bad_input);
  }
  fmt::print(stderr,
             "libsolve: plots need Python 3 with h5py and matplotlib, and none of {} has them.\n"
             "Debian: apt-get install python3-h5py python3-matplotlib; elsewhere: pip install h5py "
             "matplotlib.\nLIBSOLVE_PYTHON names the Python to use.\n",
             fmt::join(pythons, ", "));
  return static_cast<int>(libsolve::ExitCode::failure);
}

}  // namespace app
