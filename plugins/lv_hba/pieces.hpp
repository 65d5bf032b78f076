#pragma once

#include <libsolve/bilevel/lower_kkt.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/registry.hpp>

namespace lv_hba {

using namespace libsolve;

/// Which inequalities of the lower level hold with equality; one for each LowerConstraint, true for
/// equalities.
using ActiveSet = std::vector<bool>;

/// A point of the program whose constraints are the lower level's KKT conditions.
struct KktPoint {
  std::vector<double> v = {};
  std::vector<double> l = {};  ///< one for each LowerConstraint
};

/// f(x, y) <= f(x, y_r + S (x - x_r)) with a response y_r of the lower level at x_r that is lower
/// than a KKT point's f, and its derivative S by x along its branch (Mitsos, Lemonidis, Barton,
/// Global solution of bilevel programs with a nonconvex inner program, J. Glob. Optim. 42, 2008,
/// have S = 0). It holds for every bilevel feasible point at whose x the branch is feasible.
struct Cut {
  std::vector<double> x = {};
  std::vector<double> y = {};
  std::vector<double> slope = {};  ///< ny x nx, by columns
  /// (x, y_r + S (x - x_r)) for the x that `v` begins with.
  std::vector<double> response(std::span<const double> v) const;
};
using Cuts = std::vector<Cut>;

/// The pieces of a bilevel program's KKT program: with the active set fixed, complementarity is
///   value_k = bound_k, l_k >= 0 (active),   l_k = 0, value_k within bounds (not active),
/// and what is left is a smooth program that Newton's method solves.
class Pieces {
 public:
  /// Throws Unsupported without entries. `problem` outlives it.
  Pieces(const BilevelProgram& problem, std::unique_ptr<ProgramSolver> solver);
  ~Pieces();

  struct Solution {
    KktPoint at = {};
    double F = 0.0;
    double residual = 0.0;  ///< of the piece's KKT conditions
    Status status = Status::breakdown;
  };
  Solution solve(const ActiveSet& active, const KktPoint& from, const Cuts& cuts, Monitor& monitor);

  const std::vector<LowerConstraint>& constraints() const { return functions_->lower(); }
  std::int64_t solves() const noexcept { return solves_; }
  std::int64_t iterations() const noexcept { return iterations_; }

 private:
  const BilevelProgram* problem_;
  std::unique_ptr<ProgramSolver> solver_;
  std::shared_ptr<LowerKktFunctions> functions_;
  std::int64_t solves_ = 0, iterations_ = 0;
};

/// Active where the multiplier is larger than the distance to the bound, both in units in which the
/// constraint's gradient has length 1; `v` and multipliers of g and Y (signs of NonlinearProgram).
ActiveSet active_set(const BilevelProgram& problem, std::span<const double> v,
                     std::span<const double> lambda, std::span<const double> z);
/// The multipliers z of Y that the lower level's stationarity asks for at (v, lambda), where Y has
/// a bound on that side.
std::vector<double> bound_multipliers(const BilevelProgram& problem, std::span<const double> v,
                                      std::span<const double> lambda);
/// Multipliers per LowerConstraint from those of g and Y, and back.
std::vector<double> one_sided(const BilevelProgram& problem, std::span<const double> lambda,
                              std::span<const double> z);
void two_sided(const BilevelProgram& problem, std::span<const double> l,
               std::vector<double>& lambda, std::vector<double>& z);

/// A program solver for pieces and lower levels: `spec`, with `tolerance` and few iterations where
/// it has such options and the case does not set them.
std::unique_ptr<ProgramSolver> make_program_solver(const Context& context, ComponentSpec spec,
                                                   double tolerance, int max_iterations);

}  // namespace lv_hba
