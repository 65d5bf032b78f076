#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/linear/linear_system.hpp>
#include <libsolve/plugin/loader.hpp>
#include <tests/support/vectors.hpp>

/// The source `poisson` against known solutions, solved by `cg` with the plugins of this build.
namespace {

using libsolve::LinearSolver;
using libsolve::LinearSystem;
using libsolve::Value;

const libsolve::Registry& registry() {
  static libsolve::Registry registry;
  static const bool loaded = [] {
    libsolve::PluginSearch search;
    search.path = LIBSOLVE_BINARY_DIR "/lib/libsolve/plugins";
    search.installed_folder = "";
    libsolve::load_plugins(registry, search);
    return true;
  }();
  (void)loaded;
  return registry;
}

struct Solved {
  std::unique_ptr<libsolve::Problem> problem;
  LinearSystem* system = nullptr;
};

/// Solves to a residual far below the discretisation error.
Solved solve(const Value& options) {
  libsolve::Context context;
  context.registry = &registry();
  libsolve::ComponentSpec source("poisson");
  source.options = options;
  Solved solved;
  solved.problem = context.make<libsolve::ProblemSource>(source)->create();
  solved.system = dynamic_cast<LinearSystem*>(solved.problem.get());
  libsolve::ComponentSpec method("cg");
  method.options.set("relative_tolerance", 1e-11);
  method.options.set("max_iterations", 5000);
  const auto report =
      context.make<LinearSolver>(method)->solve(*solved.system, libsolve::Monitor::none());
  EXPECT_TRUE(report.converged()) << report.reason;
  return solved;
}

/// Root mean square of x - u, with the mean removed where only that is determined.
double error(const LinearSystem& system) {
  const libsolve::Vector e = system.x().like("error");
  libsolve::linear_combination(1.0, system.x(), -1.0, *system.exact_solution, e);
  if (system.null_space) system.null_space->project_out(e);
  return libsolve::norm2(e) / std::sqrt(static_cast<double>(e.global_size()));
}

struct Walls {
  const char* name;
  std::vector<std::string> words;  ///< for three axes
};

const std::vector<Walls>& walls() {
  static const std::vector<Walls> all = {
      {"Dirichlet", {"dirichlet", "dirichlet", "dirichlet", "dirichlet", "dirichlet", "dirichlet"}},
      {"Neumann", {"neumann", "neumann", "neumann", "neumann", "neumann", "neumann"}},
      {"mixed", {"dirichlet", "neumann", "neumann", "neumann", "neumann", "dirichlet"}}};
  return all;
}

/// Errors on grids refined twice; the order between the last two.
void expect_second_order(int dimension, const std::vector<int>& cells, const Walls& w,
                         const char* coefficient, const char* centering) {
  std::vector<double> errors, spacings;
  for (const int n : cells) {
    Value options;
    std::vector<int> size(dimension, n);
    size[0] += n / 4;  // cells that are no cubes
    std::vector<double> length = {1.0, 0.75, 1.25};
    length.resize(dimension);
    options.set("size", libsolve::detail::to_value(size));
    options.set("length", libsolve::detail::to_value(length));
    options.set("coefficient", coefficient);
    options.set("decades", 1.0);
    options.set("anisotropy", libsolve::detail::to_value(std::vector<double>(dimension, 2.0)));
    options.set("reaction", w.words[0] == "neumann" ? 0.0 : 0.5);
    options.set("right_hand_side", "manufactured");
    options.set("centering", centering);
    options.set("boundary", libsolve::detail::to_value(std::vector<std::string>(
                                w.words.begin(), w.words.begin() + 2 * dimension)));
    const Solved solved = solve(options);
    errors.push_back(error(*solved.system));
    spacings.push_back(solved.system->grid->spacing[0]);
  }
  const std::string text = std::to_string(dimension) + "D, " + w.name + " walls, " + coefficient +
                           " coefficient, " + centering + "-centred";
  for (size_t level = 1; level < errors.size(); ++level) {
    const double order = std::log(errors[level - 1] / errors[level]) /
                         std::log(spacings[level - 1] / spacings[level]);
    std::printf("%-62s order %.3f\n", text.c_str(), order);
    if (level + 1 == errors.size()) {
      EXPECT_NEAR(order, 2.0, 0.1) << text;
    }
  }
  EXPECT_LT(errors.back(), 5e-3) << text;
}

TEST(PoissonConvergence, SecondOrderIn2D) {
  for (const Walls& w : walls())
    for (const char* coefficient : {"constant", "smooth"})
      for (const char* centering : {"cell", "vertex"})
        expect_second_order(2, {24, 48, 96}, w, coefficient, centering);
}

TEST(PoissonConvergence, SecondOrderIn3D) {
  for (const Walls& w : walls())
    for (const char* coefficient : {"constant", "smooth"})
      expect_second_order(3, {12, 24, 48}, w, coefficient, "cell");
}

/// Two layers along x with k_1 and k_2 meet on a face: with f = 0, u = 0 on the left and flux 1 out
/// of the right cell, u is linear in each layer, and harmonic faces make the scheme exact:
///   u = x / k_1 for x <= 1/2,   u = 1 / (2 k_1) + (x - 1/2) / k_2 beyond.
TEST(PoissonConvergence, HarmonicFacesAreExactForLayers) {
  constexpr int n = 20;
  Value options;
  options.set("size", libsolve::detail::to_value(std::vector<int>{n}));
  options.set("coefficient", "layers");
  options.set("blocks", 2);
  options.set("decades", 2.0);
  options.set("boundary",
              libsolve::detail::to_value(std::vector<std::string>{"dirichlet", "neumann"}));
  libsolve::Context context;
  context.registry = &registry();
  libsolve::ComponentSpec source("poisson");
  source.options = options;
  const auto problem = context.make<libsolve::ProblemSource>(source)->create();
  auto& system = dynamic_cast<LinearSystem&>(*problem);
  const std::vector<double> k = libsolve::test::to_host(system.extra_data.at(0).values);
  ASSERT_NE(k[0], k[n - 1]);
  ASSERT_EQ(k[0], k[n / 2 - 1]);

  // Flux 1 through the wall on the right: f = 1 / h in the last cell.
  std::vector<double> f(n, 0.0);
  f[n - 1] = n;
  libsolve::test::assign(system.b(), f);
  libsolve::ComponentSpec method("cg");
  method.options.set("relative_tolerance", 1e-12);
  const auto report = context.make<LinearSolver>(method)->solve(system, libsolve::Monitor::none());
  EXPECT_TRUE(report.converged()) << report.reason;
  const std::vector<double> x = libsolve::test::to_host(system.x());
  for (int i = 0; i < n; ++i) {
    const double at = (i + 0.5) / n;
    const double expected = at <= 0.5 ? at / k[0] : 0.5 / k[0] + (at - 0.5) / k[n - 1];
    EXPECT_NEAR(x[i], expected, 1e-8 * x[n - 1]) << i;
  }
}

}  // namespace
