#pragma once

#include <libsolve/core/tunable.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/linear/ordered_rows.hpp>
#include <libsolve/linear/verified_solve.hpp>
#include <libsolve/plugin/registry.hpp>

#include "coloured_sweep.hpp"

namespace relaxation {

struct SorOptions {
  StoppingCriteria stopping = {.max_iterations = 10000};
  double omega = 1.0;
  std::string ordering = "natural";
  static void describe(Fields<SorOptions>& f) {
    f.add_group(&SorOptions::stopping);
    f.add("omega", &SorOptions::omega, Range::open(0.0, 2.0),
          "relaxation parameter; 1 is Gauss-Seidel");
    f.add("ordering", &SorOptions::ordering, Choices{{"natural", "multicolour"}},
          "order of the rows; multicolour (red-black on grids): rows of a colour in parallel, and "
          "what several ranks take in any case");
  }
};

/// Successive over-relaxation, for A = L + D + U (strict triangles in the chosen order of the rows),
///   x <- x + (D / omega + L)^-1 (b - A x),
/// the residual recomputed in each iteration. Converges for 0 < omega < 2 where A is symmetric
/// positive definite (Ostrowski 1954; Reich 1949). Young 1954: for consistently ordered A with
/// Jacobi radius rho the best omega is 2 / (1 + sqrt(1 - rho^2)).
/// Over several ranks the sweep goes by colours (ColouredSweep), the same for any number of them; rows in
/// natural order would wait for each other from rank to rank.
/// An iteration reads the matrix once and half of it again; storage: half the matrix, one vector.
class Sor final : public LinearSolver, public Tunable {
 public:
  using Options = SorOptions;
  Sor(const Options& options, const Context&) : options_(options) {}

  /// Throws NumericalError for a zero on the diagonal; over several ranks Unsupported for a pattern
  /// that is not symmetric.
  void setup(const LinearSystem& system) override;
  Report solve(LinearSystem& system, Monitor& monitor) override;
  using LinearSolver::solve;
  /// "omega", "relative_tolerance", "absolute_tolerance", at no cost.
  bool set_parameter(std::string_view name, double value) override;

 private:
  void make_triangle(const LinearSystem& system);
  void sweep(const Vector& r);
  InnerOutcome iterate(const LinearSystem& system, const InnerTask& task, SolveWatch& watch);

  Options options_;
  PreparedFor prepared_for_;
  VerifiedSolve frame_;
  SparseTriangle lower_;  ///< D + L, on one rank
  ColouredSweep sweep_;   ///< the same over several
  Vector d_;              ///< the change of x
  Index num_colours_ = 0;
  double applications_ = 0.0;
  std::vector<std::string> notes_;
};

}  // namespace relaxation
