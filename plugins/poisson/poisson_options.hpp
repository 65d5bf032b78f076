#pragma once

#include <array>
#include <libsolve/core/options.hpp>
#include <string>
#include <vector>

namespace poisson {

/// Options of the source `poisson`; formulas in README.md.
struct PoissonOptions {
  std::vector<int> size = {64, 64, 64};
  std::vector<double> length = {1.0};
  std::string coefficient = "constant";
  double value = 1.0;
  int blocks = 8;
  double decades = 6.0;
  std::vector<double> anisotropy = {1.0};
  std::string coefficient_file;
  std::string coefficient_dataset = "coefficient";
  std::vector<std::string> boundary = {"dirichlet"};
  std::string centering = "cell";
  double reaction = 0.0;
  std::string mask = "none";
  double mask_fraction = 0.3;
  std::string mask_boundary = "dirichlet";
  std::string mask_file;
  std::string mask_dataset = "mask";
  std::string right_hand_side = "random";
  std::string right_hand_side_file;
  std::string right_hand_side_dataset = "right_hand_side";
  std::string initial_guess = "zero";
  std::string storage = "matrix-free";

  static void describe(libsolve::Fields<PoissonOptions>& f);
  /// Refuses options that contradict each other.
  static void check(const PoissonOptions& o, const std::string& prefix,
                    const libsolve::SourceLocation& where, libsolve::Diagnostics& problems);

  int dimension() const { return static_cast<int>(size.size()); }
  /// Whether side `s` (0 = low, 1 = high) of `axis` is a Dirichlet wall.
  bool is_dirichlet(int axis, int s) const;
};

}  // namespace poisson
