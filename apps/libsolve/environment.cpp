#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <new>
#include <thread>

#include <fmt/format.h>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/runtime.hpp>
#include <libsolve/run/case.hpp>
#include <nlohmann/json.hpp>

#include "app.hpp"

namespace app {

namespace {

const char* first_of(std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (const char* value = std::getenv(name)) return value;
  return nullptr;
}

int cores_of_this_process() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

/// Threads that the case asks for; 0 where it does not, or is not readable: that is said later.
std::int64_t threads_of(const libsolve::LoadedCase& loaded) {
  const libsolve::Value* run = loaded.root.find("run");
  const libsolve::Value* threads = run != nullptr ? run->find("threads") : nullptr;
  return threads != nullptr && threads->is_integer() ? threads->as_integer() : 0;
}

/// Kokkos wants its arguments as main got them.
class ArgumentVector {
 public:
  explicit ArgumentVector(std::vector<std::string> words) : words_(std::move(words)) {
    for (std::string& w : words_) pointers_.push_back(w.data());
    count_ = static_cast<int>(pointers_.size());
    pointers_.push_back(nullptr);
  }
  int& count() { return count_; }
  char** pointers() { return pointers_.data(); }

 private:
  std::vector<std::string> words_;
  std::vector<char*> pointers_;
  int count_ = 0;
};

}  // namespace

bool is_first_process() {
  const char* rank = first_of({"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"});
  return rank == nullptr || std::atoi(rank) == 0;
}

bool is_one_of_several() {
  const char* size = first_of({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_NTASKS"});
  return size != nullptr && std::atoi(size) > 1;
}

void settle_openmp(char** argv) {
  if (std::getenv("OMP_PROC_BIND") != nullptr) return;
  const char* threads = std::getenv("OMP_NUM_THREADS");
  const bool all_cores = threads == nullptr || std::atoi(threads) >= cores_of_this_process();
  if (argv == nullptr || is_one_of_several() || !all_cores) {
    // Several processes bound to the first cores would share them; Kokkos need not warn of it.
    ::setenv("OMP_PROC_BIND", "false", 1);
    return;
  }
  ::setenv("OMP_PROC_BIND", "spread", 1);
  ::setenv("OMP_PLACES", "threads", 0);
  // The OpenMP runtime has read its variables while it was loaded; it has to be loaded once more.
  ::execv("/proc/self/exe", argv);
}

void settle_mpi() {
  ::setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
}

int classify_exception(std::string& text) {
  using libsolve::ExitCode;
  const auto code = [](ExitCode c) { return static_cast<int>(c); };
  try {
    throw;
  } catch (const libsolve::InputError& e) {
    const size_t count = e.problems().size();
    text = e.what();
    if (count > 1) text += fmt::format("\n{} problems", count);
    return code(ExitCode::bad_input);
  } catch (const libsolve::NumericalError& e) {
    text = e.what();
    return code(ExitCode::breakdown);
  } catch (const libsolve::BackendError& e) {
    text = e.what();
    return code(ExitCode::failure);
  } catch (const libsolve::Error& e) {
    text = e.what();
    return code(ExitCode::bad_input);
  } catch (const std::bad_alloc&) {
    text = "not enough memory; the problem may be too large for this machine";
    return code(ExitCode::failure);
  } catch (const std::exception& e) {
    text = std::string("unexpected: ") + e.what();
    return code(ExitCode::failure);
  }
}

int report_exception() {
  std::string text;
  const int code = classify_exception(text);
  if (is_first_process()) fmt::print(stderr, "libsolve: {}\n", text);
  return code;
}

std::unique_ptr<libsolve::Runtime> make_runtime(const Global& global,
                                                const libsolve::LoadedCase& loaded) {
  std::vector<std::string> words = {"libsolve"};
  words.insert(words.end(), global.kokkos.begin(), global.kokkos.end());
  if (const std::int64_t threads = threads_of(loaded); threads > 0)
    words.push_back("--kokkos-num-threads=" + std::to_string(threads));
  settle_mpi();
  ArgumentVector vector(std::move(words));
  return std::make_unique<libsolve::Runtime>(vector.count(), vector.pointers());
}

void print_results(const std::string& path, const std::string& error, bool quiet) {
  if (!error.empty())
    fmt::print(stderr, "libsolve: the results could not be written: {}\n", error);
  else if (!quiet)
    fmt::print("results: {}\n", path);
  std::fflush(nullptr);
}

int run_guarded(bool json, const std::function<libsolve::ExitCode(int& ranks)>& body) {
  int ranks = 1;
  bool is_ours = false;
  std::string text;
  int code = 0;
  try {
    const libsolve::ExitCode done = body(ranks);
    // A file that HDF5 could not close crashes it in MPI_Finalize.
    if (done == libsolve::ExitCode::unwritable) std::_Exit(static_cast<int>(done));
    return static_cast<int>(done);
  } catch (const libsolve::Error&) {
    is_ours = true;
    code = classify_exception(text);
  } catch (...) {
    code = classify_exception(text);
  }
  if (is_first_process() || !is_ours) fmt::print(stderr, "libsolve: {}\n", text);
  if (is_first_process() && json) {
    const nlohmann::ordered_json error = {
        {"status", code == 2 ? "bad_input" : "failure"}, {"exit_code", code}, {"error", text}};
    fmt::print("{}\n", error.dump(2));
  }
  std::fflush(nullptr);
  // The other ranks may be waiting in a reduction: leave without MPI_Finalize, so that the launcher
  // ends them.
  if (!is_ours && ranks > 1) std::_Exit(code);
  // Input at fault is so on all ranks as a rule, and the first has said it. Where this rank is alone
  // with it, the end of MPI waits for the others, who wait for this one.
  if (ranks > 1)
    std::thread([text, code] {
      std::this_thread::sleep_for(std::chrono::seconds(5));
      if (!is_first_process()) fmt::print(stderr, "libsolve: {} (found on one rank)\n", text);
      std::fflush(nullptr);
      std::_Exit(code);
    }).detach();
  return code;
}

}  // namespace app
