#pragma once

#include <gtest/gtest.h>

#include <libsolve/core/random.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/io/weights_file.hpp>
#include <memory>
#include <tests/support/temporary_folder.hpp>
#include <tests/support/vectors.hpp>

#include "../learned_proximal.hpp"

namespace learned_proximal::test {

using libsolve::test::to_host;
using libsolve::test::to_vector;

inline constexpr Index nx = 11, ny = 8;
inline constexpr std::size_t cells = 88;

inline ProximalSpace space_of(int dimension, Index fields = 1) {
  Grid grid;
  grid.dimension = dimension;
  const Index n[] = {nx, ny, 3};
  for (std::size_t a = 0; a < static_cast<std::size_t>(dimension); ++a) {
    grid.cells[a] = n[a];
    grid.spacing[a] = 0.1;
  }
  ProximalSpace space;
  space.partition = Partition(static_cast<Index>(grid.num_cells()) * fields);
  space.grid = grid;
  space.num_fields = fields;
  return space;
}

inline std::vector<double> random_values(std::size_t n, std::uint64_t seed, double size) {
  const RandomStream stream(seed, "operator");
  std::vector<double> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = size * stream.normal(i);
  return x;
}

inline double square_of_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

inline std::vector<double> f_of(ProximalOperator& R, const std::vector<double>& x) {
  const Vector in = to_vector(x), out = in.like("z");
  EXPECT_EQ(R.apply(in, 1.0, 1e-6, out), 0.0);
  return to_host(out);
}

inline double count(const ProximalOperator& R, const std::string& name) {
  for (const Measure& m : R.work_counts())
    if (m.name == name) return m.value;
  return -1.0;
}

/// A network of random parameters in a file.
class Operators : public testing::Test {
 protected:
  static ConvexNetworkOptions network_options() {
    ConvexNetworkOptions o;
    o.channels = 4;
    o.layers = 2;
    o.beta = 5.0;
    o.alpha = 0.1;
    return o;
  }
  Weights weights() const {
    const ConvexNetwork network(network_options());
    Weights w;
    w.network = network_kind;
    w.options = options_to_value(network_options());
    w.arrays = network.to_arrays(network.initial_parameters(1));
    w.trained_on = {pictures_kind, 2, {8, 8}, "nothing"};
    return w;
  }
  std::string write(const std::string& name, const Weights& w) {
    const std::string path = folder.file(name);
    Hdf5File file = Hdf5File::create(path);
    write_weights(file, w, nullptr);
    return path;
  }
  std::unique_ptr<LearnedProximal> operator_of(double scale, bool symmetric = false) {
    LearnedProximalOptions o;
    o.weights = write("w.h5", weights());
    o.scale = scale;
    o.symmetric = symmetric;
    return std::make_unique<LearnedProximal>(o, context);
  }
  std::unique_ptr<LearnedProximal> prepared(double scale = 1.0, bool symmetric = false) {
    auto R = operator_of(scale, symmetric);
    R->prepare(space_of(2));
    return R;
  }

  libsolve::test::TemporaryFolder folder;
  Context context;
};

}  // namespace learned_proximal::test
