#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/linear/matrix_entries.hpp>
#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <libsolve/plugin/loader.hpp>
#include <string>
#include <tests/support/monitors.hpp>
#include <tests/support/vectors.hpp>
#include <vector>

/// Suites that hold for every component of a kind, run on all that the loader finds.
namespace libsolve::test {

/// Everything in the plugin folder of this build.
const Registry& all_plugins();

/// Names of the components of a kind, for INSTANTIATE_TEST_SUITE_P.
std::vector<std::string> names_of(std::string_view kind);
/// "block-jacobi" -> "block_jacobi".
std::string test_name(const ::testing::TestParamInfo<std::string>& info);

template <class Interface>
std::unique_ptr<Interface> make(const std::string& name, const Value& options = {},
                                std::uint64_t seed = 1) {
  Context context;
  context.registry = &all_plugins();
  context.seed = seed;
  ComponentSpec spec(name);
  spec.options = options;
  return context.make<Interface>(spec);
}

inline Value option(const std::string& key, Value value, Value options = {}) {
  options.set(key, std::move(value));
  return options;
}

// ---- systems
// --------------------------------------------------------------------------------------

/// A system together with its operator as plain entries, so that a test recomputes everything.
struct TestSystem {
  std::string label;
  std::vector<MatrixEntry> entries;
  std::unique_ptr<LinearSystem> system;

  const LinearOperator& A() const { return system->A(); }
  /// Norms of b and of b - A x, from the entries.
  double b_norm() const;
  double residual_norm() const;
};

/// nx x ny cells, couplings 1 and `anisotropy`, Dirichlet walls, `shift` on the diagonal. Condition
/// number about 8 / shift for shift around 1.
enum class Form { matrix, constant_stencil, variable_stencil };
TestSystem diffusion(Index nx, Index ny, Form form, double anisotropy = 1.0, double shift = 0.0);
/// The same with Neumann walls and no shift: singular, null space of constants set.
TestSystem neumann(Index nx, Index ny, Form form);
/// Upwind convection and diffusion: unsymmetric, diagonally dominant.
TestSystem convection_diffusion(Index nx, Index ny);
/// The conditions of optimality of control on cells x cells Q1 elements with control cost alpha:
/// symmetric, indefinite.
TestSystem control_conditions(Index cells, double alpha);
/// Random b and, if asked for, a random x to start from.
void randomise(TestSystem& t, std::uint64_t seed, bool initial_guess = false);
/// b = A x for a random x, from the entries.
void make_consistent(TestSystem& t, std::uint64_t seed);

std::vector<double> random_numbers(Index n, std::uint64_t seed);
double norm_of(const std::vector<double>& v);
double dot_of(const std::vector<double>& u, const std::vector<double>& v);

// ---- allocations
// ----------------------------------------------------------------------------------

/// Counts Kokkos allocations while it is `on`.
class AllocationCounter {
 public:
  AllocationCounter();
  ~AllocationCounter();
  void start();
  /// Allocations since start(), and the label of the last.
  int stop(std::string* label = nullptr);
};

/// Counts the allocations between the first and the last observation of a solve.
class AllocationMonitor final : public Monitor {
 public:
  Verdict observe(std::int64_t iteration, std::span<const Sample>) override {
    if (iteration == 0)
      counter_.start();
    else
      allocations += counter_.stop(&label), counter_.start();
    last_iteration = iteration;
    return Verdict::proceed;
  }
  int allocations = 0;
  std::int64_t last_iteration = 0;
  std::string label;

 private:
  AllocationCounter counter_;
};

}  // namespace libsolve::test
