// The library inside somebody else's program: it prints nothing and changes no signal handler,
// whether a solve succeeds, fails, or is not possible at all. (The same of the Runtime alone,
// inside hosts that own MPI or Kokkos: tests/unit/core/runtime_host.cpp.)
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <libsolve/core/errors.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <libsolve/plugin/loader.hpp>
#include <tests/support/vectors.hpp>

namespace libsolve {
namespace {

/// Standard output and error go to a file while it lives.
class Captured {
 public:
  Captured() : file_(std::tmpfile()) {
    std::fflush(nullptr);
    for (int fd = 1; fd <= 2; ++fd) {
      saved_[fd - 1] = ::dup(fd);
      ::dup2(::fileno(file_), fd);
    }
  }
  ~Captured() { end(); }
  /// What was written, and everything as before.
  std::string end() {
    if (file_ == nullptr) return {};
    std::fflush(nullptr);
    for (int fd = 1; fd <= 2; ++fd) {
      ::dup2(saved_[fd - 1], fd);
      ::close(saved_[fd - 1]);
    }
    std::fseek(file_, 0, SEEK_END);
    std::string text(static_cast<size_t>(std::ftell(file_)), '\0');
    std::rewind(file_);
    text.resize(std::fread(text.data(), 1, text.size(), file_));
    std::fclose(file_);
    file_ = nullptr;
    return text;
  }

 private:
  std::FILE* file_;
  int saved_[2] = {};
};

/// Signals whose handler or flags differ from `before`, by name.
std::vector<struct sigaction> handlers() {
  std::vector<struct sigaction> all(32);
  for (int s = 1; s < 32; ++s) ::sigaction(s, nullptr, &all[static_cast<size_t>(s)]);
  return all;
}
std::string changes_since(const std::vector<struct sigaction>& before) {
  const auto now = handlers();
  std::string names;
  for (int s = 1; s < 32; ++s) {
    const auto& a = before[static_cast<size_t>(s)];
    const auto& b = now[static_cast<size_t>(s)];
    if (a.sa_handler != b.sa_handler || a.sa_flags != b.sa_flags)
      names += std::string(::strsignal(s)) + " ";
  }
  return names;
}

/// 2D Laplacian on 100 x 100 cells: more than one thread's share.
std::shared_ptr<const StencilOperator> laplacian(double wall) {
  Grid grid;
  grid.dimension = 2;
  grid.cells = {100, 100, 1};
  StencilOperator::Constant c;
  c.coupling = {1.0, 1.0, 0.0};
  c.wall = {{{wall, wall}, {wall, wall}, {0.0, 0.0}}};
  return std::make_shared<StencilOperator>(grid, c);
}

Report solve(const Registry& registry, const std::string& name, const std::string& preconditioner,
             double right_hand_side, double wall = 2.0) {
  libsolve::Context context;
  context.registry = &registry;
  ComponentSpec spec(name);
  spec.options.set("preconditioner", preconditioner);
  spec.options.set("max_iterations", 50);
  const auto A = laplacian(wall);
  const Vector b("b", A->row_partition());
  test::assign(b, std::vector<double>(static_cast<size_t>(b.local_size()), right_hand_side));
  LinearSystem system(A, b, b.like("x"));
  return context.make<LinearSolver>(spec)->solve(system, Monitor::none());
}

TEST(Quiet, NothingIsPrintedAndNoSignalHandlerChanges) {
  const auto before = handlers();
  Captured captured;
  std::vector<Status> statuses;
  bool refused = false;
  {
    Registry registry;
    load_plugins(
        registry,
        {.files = {}, .path = LIBSOLVE_BINARY_DIR "/lib/libsolve/plugins", .installed_folder = ""});
    for (const char* method : {"cg", "flexible-cg", "minres", "gmres", "bicgstab"})
      statuses.push_back(
          solve(registry, method, method[0] == 'm' ? "none" : "multigrid", 1.0).status);
    statuses.push_back(solve(registry, "cg", "none", 1.0).status);             // too few iterations
    statuses.push_back(solve(registry, "cg", "jacobi", std::nan("")).status);  // rubbish
    statuses.push_back(solve(registry, "cg", "none", 1.0, /*wall=*/0.0).status);  // singular
    try {
      (void)solve(registry, "no-such-method", "none", 1.0);
    } catch (const Error&) {
      refused = true;
    }
  }
  const std::string changed = changes_since(before);
  const std::string printed = captured.end();
  EXPECT_EQ(printed, "");
  EXPECT_EQ(changed, "");
  EXPECT_TRUE(refused);
  ASSERT_EQ(statuses.size(), 8u);
  EXPECT_EQ(statuses[0], Status::converged) << "the solves took place";
  EXPECT_EQ(statuses[5], Status::max_iterations);
  EXPECT_EQ(statuses[6], Status::non_finite);
}

/// A test of the test.
TEST(Quiet, TheCaptureSeesWhatIsPrinted) {
  Captured captured;
  std::printf("one ");
  std::fprintf(stderr, "two");
  EXPECT_NE(captured.end().find("two"), std::string::npos);
}

}  // namespace
}  // namespace libsolve
