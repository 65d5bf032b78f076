// A small host program around libsolve::Runtime: runtime_host CASE. Ends with 0 where all holds
// that the case promises: who brings up and takes down what, nothing printed, no signal handler
// changed.
#include <fcntl.h>
#include <unistd.h>

#include <Kokkos_Core.hpp>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <libsolve/core/config.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/runtime.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <memory>
#include <string>
#include <vector>

#if LIBSOLVE_HAVE_MPI
#include <mpi.h>
#endif

namespace {

int failures = 0;

void expect(bool condition, const char* what) {
  if (condition) return;
  ++failures;
  std::fprintf(stderr, "not so: %s\n", what);
}

/// Standard output and error go to a file while it lives.
class Captured {
 public:
  Captured() {
    std::fflush(nullptr);
    file_ = std::tmpfile();
    saved_ = {::dup(1), ::dup(2)};
    ::dup2(::fileno(file_), 1);
    ::dup2(::fileno(file_), 2);
  }
  /// What was written, and everything as before.
  std::string end() {
    std::fflush(nullptr);
    ::dup2(saved_[0], 1);
    ::dup2(saved_[1], 2);
    std::string text(static_cast<size_t>(std::ftell((std::fseek(file_, 0, SEEK_END), file_))),
                     '\0');
    std::rewind(file_);
    text.resize(std::fread(text.data(), 1, text.size(), file_));
    std::fclose(file_);
    return text;
  }

 private:
  std::FILE* file_ = nullptr;
  std::array<int, 2> saved_ = {};
};

/// The handlers of all signals, as the system has them.
std::vector<struct sigaction> signal_handlers() {
  std::vector<struct sigaction> actions;
  for (int s = 1; s < 32; ++s) {
    struct sigaction action = {};
    ::sigaction(s, nullptr, &action);
    actions.push_back(action);
  }
  return actions;
}

/// Open MPI itself catches the signals of a crash, to print a trace; `with_mpi` leaves those out.
void expect_same_handlers(const std::vector<struct sigaction>& before, bool with_mpi) {
  const auto now = signal_handlers();
  for (int s = 1; s < 32; ++s) {
    const bool is_crash = s == SIGABRT || s == SIGBUS || s == SIGFPE || s == SIGSEGV;
    if (is_crash && with_mpi) continue;
    const auto& a = before[static_cast<size_t>(s - 1)];
    const auto& b = now[static_cast<size_t>(s - 1)];
    if (a.sa_handler != b.sa_handler || a.sa_flags != b.sa_flags) {
      ++failures;
      std::fprintf(stderr, "the handler of signal %d (%s) changed\n", s, ::strsignal(s));
    }
  }
}

/// libsolve at work: x^T x of ones, on the world and on this rank.
void work(const libsolve::Runtime& runtime) {
  const libsolve::Vector x("x", libsolve::Partition(runtime.world(), 100));
  libsolve::fill(x, 1.0);
  expect(libsolve::dot(x, x) == 100.0 * runtime.world().size(), "x^T x is the number of entries");
}

/// Brings a Runtime up and down inside of whatever the host holds.
void use_runtime(bool owns_kokkos, bool brings_mpi) {
  const auto handlers = signal_handlers();
  Captured captured;
  {
    const libsolve::Runtime runtime;
    const bool owned = runtime.owns_kokkos();
    work(runtime);
    expect_same_handlers(handlers, brings_mpi);
    expect(owned == owns_kokkos, "Kokkos belongs to who brought it up");
  }
  expect_same_handlers(handlers, brings_mpi);
  const std::string printed = captured.end();
  if (!printed.empty()) {
    ++failures;
    std::fprintf(stderr, "libsolve printed:\n%s", printed.c_str());
  }
}

template <class Function>
void expect_backend_error(const Function& function) {
  try {
    function();
    expect(false, "a BackendError is thrown");
  } catch (const libsolve::BackendError& error) {
    expect(std::strlen(error.what()) > 0, "the error says something");
  }
}

#if LIBSOLVE_HAVE_MPI
bool mpi_is_down() {
  int down = 0;
  MPI_Finalized(&down);
  return down != 0;
}
#else
bool mpi_is_down() {
  return true;
}
#endif

}  // namespace

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  ::unsetenv("OMP_PROC_BIND");  // Kokkos would complain
  ::unsetenv("KOKKOS_DISABLE_WARNINGS");
  const bool has_mpi = LIBSOLVE_HAVE_MPI != 0;

  if (name == "alone") {
    use_runtime(/*owns_kokkos=*/true, has_mpi);
    expect(Kokkos::is_finalized(), "Kokkos is down again");
    expect(mpi_is_down(), "MPI is down again");
  } else if (name == "arguments") {
    char program[] = "program";
    char threads[] = "--kokkos-num-threads=1";
    char own[] = "--own";
    std::vector<char*> arguments = {program, threads, own, nullptr};
    int count = 3;
    const libsolve::Runtime runtime(count, arguments.data());
    expect(count == 2, "the argument for Kokkos is taken, the others stay");
    expect(arguments[1] == own && arguments[2] == nullptr, "the rest moved up");
    expect(Kokkos::DefaultHostExecutionSpace().concurrency() == 1, "Kokkos has one thread");
  } else if (name == "host_kokkos") {
    const Kokkos::ScopeGuard guard(argc, argv);
    use_runtime(/*owns_kokkos=*/false, has_mpi);
    expect(Kokkos::is_initialized() && !Kokkos::is_finalized(), "the host's Kokkos stays up");
  } else if (name == "nested") {
    const libsolve::Runtime outer;
    use_runtime(/*owns_kokkos=*/false, /*brings_mpi=*/false);
    work(outer);
  } else if (name == "hooks") {
    const auto no_hook = [] {};
    expect_backend_error([&] { libsolve::Runtime::at_end(no_hook); });
    std::string calls;
    {
      const libsolve::Runtime outer;
      libsolve::Runtime::at_end([&] { calls += Kokkos::is_finalized() ? "late " : "first "; });
      {
        const libsolve::Runtime inner;
        libsolve::Runtime::at_end([&] { calls += mpi_is_down() && has_mpi ? "late " : "second "; });
      }
      expect(calls.empty(), "hooks wait for the outermost Runtime");
    }
    expect(calls == "second first ", "hooks are called in reverse, before Kokkos and MPI go");
  } else if (name == "after_kokkos") {
    Kokkos::initialize(argc, argv);
    Kokkos::finalize();
    expect_backend_error([] { const libsolve::Runtime runtime; });
#if LIBSOLVE_HAVE_MPI
  } else if (name == "host_mpi") {
    MPI_Init(&argc, &argv);
    use_runtime(/*owns_kokkos=*/true, /*brings_mpi=*/false);
    expect(!mpi_is_down(), "the host's MPI stays up");
    MPI_Finalize();
  } else if (name == "host_both") {
    MPI_Init(&argc, &argv);
    Kokkos::initialize(argc, argv);
    use_runtime(/*owns_kokkos=*/false, /*brings_mpi=*/false);
    use_runtime(/*owns_kokkos=*/false, /*brings_mpi=*/false);  // and again
    expect(Kokkos::is_initialized() && !mpi_is_down(), "both of the host stay up");
    Kokkos::finalize();
    MPI_Finalize();
  } else if (name == "after_mpi") {
    MPI_Init(&argc, &argv);
    MPI_Finalize();
    expect_backend_error([] { const libsolve::Runtime runtime; });
#endif
  } else {
    std::fprintf(stderr, "unknown case '%s'\n", name.c_str());
    return 2;
  }
  return failures == 0 ? 0 : 1;
}
