#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <libsolve/core/random_vector.hpp>
#include <libsolve/core/vector_kernels.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/io/weights_file.hpp>
#include <libsolve/linear/linear_system.hpp>
#include <libsolve/linear/stencil_operator.hpp>
#include <memory>
#include <tests/support/temporary_folder.hpp>
#include <tests/support/vectors.hpp>

#include "dcdm.hpp"
#include "trainer.hpp"

namespace dcdm::test {

using namespace libsolve::test;  // NOLINT

/// -Laplace on n cells along each axis, diagonal 2 d everywhere: the textbook matrix.
inline std::shared_ptr<StencilOperator> laplace(std::vector<int> n) {
  Grid grid;
  grid.dimension = static_cast<int>(n.size());
  StencilOperator::Constant c;
  for (size_t a = 0; a < n.size(); ++a) {
    grid.cells[a] = n[a];
    c.coupling[a] = 1.0;
    c.wall[a] = {1.0, 1.0};
  }
  return std::make_shared<StencilOperator>(grid, c);
}

/// The same with the cells solid that lie in a ball; Dirichlet on its surface.
inline std::shared_ptr<StencilOperator> laplace_around_a_ball(int n) {
  Grid grid;
  grid.cells = {n, n, n};
  const size_t cells = static_cast<size_t>(grid.num_cells());
  const auto solid_at = [n](int i, int j, int k) {
    const double x = i - 0.4 * n, y = j - 0.5 * n, z = k - 0.6 * n;
    return x * x + y * y + z * z < 0.04 * n * n;
  };
  std::vector<double> face[3], excess(cells, 0.0);
  Kokkos::View<unsigned char*, MemSpace> solid("solid", cells);
  const auto mask = Kokkos::create_mirror_view(solid);
  for (auto& f : face) f.assign(cells, 0.0);
  size_t c = 0;
  for (int k = 0; k < n; ++k)
    for (int j = 0; j < n; ++j)
      for (int i = 0; i < n; ++i, ++c) {
        mask(c) = solid_at(i, j, k) ? 1 : 0;
        if (mask(c) != 0) {
          excess[c] = 6.0;
          continue;
        }
        for (int a = 0; a < 3; ++a)
          for (const int side : {-1, 1}) {
            int to[3] = {i, j, k};
            to[a] += side;
            const bool wall = to[a] < 0 || to[a] >= n;
            if (wall || solid_at(to[0], to[1], to[2]))
              excess[c] += 1.0;
            else if (side == 1)
              face[a][c] = 1.0;
          }
      }
  Kokkos::deep_copy(solid, mask);
  StencilOperator::Variable v;
  for (int a = 0; a < 3; ++a) v.face[a] = to_vector(face[a]).view();
  v.excess = to_vector(excess).view();
  v.solid = solid;
  return std::make_shared<StencilOperator>(grid, v);
}

/// White noise on the right (in open cells), zero to start from.
inline std::unique_ptr<LinearSystem> system_of(std::shared_ptr<StencilOperator> A,
                                               std::uint64_t seed = 1) {
  const Vector b("test::b", A->row_partition());
  fill_normal(b, RandomStream(seed, "test::b"));
  if (!A->is_constant()) {
    auto values = to_host(b);
    const auto solid =
        Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), A->variable().solid);
    for (size_t c = 0; c < values.size(); ++c)
      if (solid(c) != 0) values[c] = 0.0;
    assign(b, values);
  }
  auto system = std::make_unique<LinearSystem>(A, b, b.like("test::x"));
  system->grid = A->grid();
  return system;
}

/// The source that the trainer asks for, without the plugin it is from.
struct BoxOptions {
  std::vector<int> size = {8, 8, 8};
  std::string centering = "vertex";
  bool ball = false;
  static void describe(Fields<BoxOptions>& f) {
    f.add("size", &BoxOptions::size, "cells");
    f.add("centering", &BoxOptions::centering, "ignored");
    f.add("ball", &BoxOptions::ball, "with a solid ball");
  }
};
class Box final : public ProblemSource {
 public:
  using Options = BoxOptions;
  static constexpr std::string_view problem_class = "linear";
  Box(const Options& o, const Context&) : options_(o) {}
  std::unique_ptr<Problem> create() override {
    auto system =
        system_of(options_.ball ? laplace_around_a_ball(options_.size[0]) : laplace(options_.size));
    system->text = "a box";
    return system;
  }

 private:
  Options options_;
};

/// A registry with that source, and a context for it.
struct Fixture : ::testing::Test {
  Fixture() {
    Registrar registrar(registry, "", "0");
    registrar.add<Box>({.name = "poisson", .summary = "a box"});
    context.registry = &registry;
    context.base_folder = folder.path();
  }
  /// Writes weights as train_case() would.
  std::string write(const std::string& name, const Weights& weights) {
    Hdf5File f = Hdf5File::create(folder.file(name));
    write_weights(f, weights, nullptr);
    f.close();
    return folder.file(name);
  }
  TemporaryFolder folder;
  Registry registry;
  Context context;
};

}  // namespace dcdm::test
