#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/linear/batched_levenberg_marquardt.hpp>
#include <vector>

#include "sorption_program.hpp"

namespace hard_constraint_experts {

using Host = Kokkos::DefaultHostExecutionSpace;

/// A number for each node (n, i), n = 0, ..., steps, i = 0, ..., size, and each basis function:
/// SorptionGrid::node(n, i), functions fastest.
using Basis = Kokkos::View<double**, Kokkos::LayoutRight, Kokkos::HostSpace>;

struct ExpertOptions {
  std::vector<int> experts = {1, 4};
  int sampled_points = 0;
  double boundary_weight = 10.0;
  double ridge = 1e-8;
  double expert_tolerance = 1e-6;
  int expert_iterations = 30;

  static void describe(Fields<ExpertOptions>& f);
  static void check(const ExpertOptions& o, const std::string& prefix, const SourceLocation& where,
                    Diagnostics& problems);
  int in_time() const { return experts[0]; }
  int in_space() const { return experts[1]; }
};

/// Each expert k has a box of the space-time grid, and looks for weights w_k of the basis, the same
/// for all, with u_k = initial + sum_l w_kl b_l:
///   min 1/2 sum_j c_j(u_k)^2 + weight^2/2 sum_b (u_k - given)_b^2 + ridge/2 |w_k|^2,
/// j the equations sampled in the box, b all nodes at t = 0 and at both ends (Chalapathi, Du,
/// Krishnapriyan 2024, section 3). The solution is u_k in box k. All experts are one batch.
class Experts {
 public:
  /// Numbers of a basis or of the rows of all experts that are kept at once: 2 GiB of them.
  static constexpr std::int64_t most_entries = 268'435'456;
  /// InputError, its keys after `prefix`, where the grid has fewer rows or columns than there are
  /// experts, or where the rows of all experts are too many to be kept.
  static void check_size(const SorptionGrid& grid, const ExpertOptions& options, int num_functions,
                         const std::string& prefix);
  /// InputError as check_size() has it.
  Experts(const SorptionGrid& grid, const ExpertOptions& options, int num_functions);

  int num_experts() const { return shape_.problems; }
  const SorptionGrid& grid() const { return grid_; }
  /// The expert of equation (n, i).
  int expert_of(int n, int i) const;

  /// Another initial value for the same grid.
  void set_initial(double value) { grid_.initial = value; }
  /// Equations for all experts, `number` tells draws apart. Without sampled_points they are the
  /// same.
  void sample(std::uint64_t seed, std::uint64_t number);

  /// Weights for this basis, and u (one box after the other) in `u`. Returns how many experts did
  /// not converge.
  int solve(const Basis& basis, double* u);
  const BatchedLevenbergMarquardt<Host>& solver() const { return solver_; }

  /// The implicit function theorem: adds dL/dbasis to `out` for g = dL/du at the last solve, u as
  /// solve() gave it. false, and nothing added, where an expert's minimum is not strict.
  bool add_adjoint(const Basis& basis, const double* g, const Basis& out);

 private:
  using Arrays = BatchArrays<Host>;
  void draw(std::uint64_t seed, std::uint64_t number);

  SorptionGrid grid_;
  ExpertOptions options_;
  int equations_ = 0;  ///< rows of an expert that are equations (or empty)
  LeastSquaresShape shape_;
  std::vector<std::vector<std::size_t>> boxes_;
  Kokkos::View<int**, Kokkos::LayoutRight, Kokkos::HostSpace>
      given_;  ///< equation of a row, -1: none
  BatchedLevenbergMarquardt<Host> solver_;
  NonlinearLeastSquaresBatch<Host> batch_;
  Arrays::Vector<double> w_;
};

}  // namespace hard_constraint_experts
