#pragma once

#include <array>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/linear/verified_solve.hpp>
#include <libsolve/plugin/registry.hpp>

#include "engine.hpp"

namespace dcdm {

struct DcdmOptions {
  StoppingCriteria stopping = {};
  std::string weights = "auto";
  int directions = 2;

  static void describe(Fields<DcdmOptions>& f) {
    using O = DcdmOptions;
    f.add_group(&O::stopping);
    f.add("weights", &O::weights,
          "trained weights: a path, or a name to be found in LIBSOLVE_WEIGHTS_PATH and the "
          "installed folder; \"auto\": dcdm-2d or dcdm-3d");
    f.add("directions", &O::directions, Range::closed(0, 16),
          "earlier directions that a new one is made A-orthogonal to");
  }
};

/// Deep conjugate direction method (Kaneda, Akar, Chen, Kala, Hyde, Teran, ICML 2023, algorithm 1)
/// for symmetric positive (semi)definite A on a grid; f a trained network. Step k:
///   q = f(r / ||r||), d = q - sum_j (q^T A d_j / d_j^T A d_j) d_j over the last two directions
///   d_j, alpha = d^T r / d^T A d, x += alpha d, r = b - A x.
/// The residual never grows in the A^-1-norm whatever f says, and a good f makes it fall in few
/// steps. Float in the network, double here. Per step: the network, two products with A, and 12
/// vector passes; storage 2 (directions + 1) + 2 vectors and the network's.
/// Status stagnated where 50 steps gain less than a tenth; breakdown where f(r) has no part that is
/// left.
class Dcdm final : public LinearSolver {
 public:
  using Options = DcdmOptions;
  Dcdm(const Options& options, const Context& context);
  void setup(const LinearSystem& system) override;
  using LinearSolver::solve;
  Report solve(LinearSystem& system, Monitor& monitor) override;

 private:
  struct Direction {
    Vector d;
    Vector Ad;
    double dAd = 0.0;
  };
  InnerOutcome iterate(const LinearOperator& A, const InnerTask& task, SolveWatch& watch);
  /// d = q - its parts along the last directions, at slot `to`; returns d^T r.
  double orthogonalise(int num_kept, std::size_t to, const Vector& r);

  Options options_;
  Engine engine_;
  PreparedFor prepared_;
  VerifiedSolve frame_;
  Vector q_;
  std::vector<Direction> ring_;  ///< directions + 1 slots, the newest moving on
  double applications_ = 0.0;
  double network_applications_ = 0.0;
};

}  // namespace dcdm
