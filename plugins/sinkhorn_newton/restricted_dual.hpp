#pragma once

#include <memory>

#include "newton_solver.hpp"

namespace sinkhorn_newton {

/// F of SemiDual with the plan's small entries frozen: a model of it around a base point, of cost
/// O(entries kept) an evaluation. With x = (g - g_base) / eps, p_ij = P_ij / r_i of the entries
/// kept and the row's rest k_i = 1 - sum_j p_ij,
///   f_i(x) = f_i - lambda eps log K_i,   K_i = sum_j p_ij exp(x_j) + k_i,
///   c_j(x) = exp(x_j) sum_i P_ij K_i^-lambda + (c_j - sum_i P_ij).
/// Value and gradient at the base are F's own. Of each row the smallest entries are left out while
/// their sum is at most `delta` of the row's mass.
///
/// A list of candidates with their costs is kept between bases, as neighbour lists are in molecular
/// dynamics: what it misses of a row is known exactly, so it is made anew only when that is too
/// much.
class RestrictedDual {
 public:
  /// Takes the state of `dual` as base. False where about more than `most` entries would be needed.
  bool rebase(const SemiDual& dual, double delta, double most);
  /// About how many entries the list of a base at the potentials of `dual` would have.
  static double length(const SemiDual& dual, double delta);
  /// Adds to the candidates the entries that matter at the state of `dual`, a step that the model
  /// has proposed and F refused: from then on the model knows them, however small they are at the
  /// base.
  void enrich(const SemiDual& dual);
  /// Forgets the list, at a new eps.
  void clear() { list_eps_ = 0.0; }

  /// At x = 0.
  void reset();
  /// One Newton step with a line search on the model; `ridge` times the columns' sums is added to
  /// the diagonal. False where there was no step to take.
  bool step(NewtonSolver& solver, double ridge, double relative_tolerance);
  const Numbers& x() const { return x_; }
  /// |gradient|_1 at x.
  double violation() const { return violation_; }
  /// The base plus scale * x into the potentials of `dual`, f as the model has it.
  void apply(SemiDual& dual, double scale) const;

  /// The potentials' tangent in eps: from the base at `eps` to what keeps the plan's entries of the
  /// base at `next` in the sense of least squares weighted by P; into the potentials of `dual`.
  bool predict(SemiDual& dual, NewtonSolver& solver, double next);

  double entries_per_row() const;
  double memory_bytes() const;
  std::int64_t lists = 0;  ///< times the candidates were searched for, a pass over all entries
  std::int64_t evaluations = 0;
  std::int64_t largest = 0;  ///< entries of the longest list

 private:
  bool make_list(const SemiDual& dual, double delta, double most);
  /// Entries of the list into the plan; the largest part of a row that the list misses.
  double collect(const SemiDual& dual, double delta);
  void evaluate(const Numbers& x);
  std::shared_ptr<const NewtonMatrix> matrix(double ridge);
  HostPlan plan(const Numbers& values) const;

  // Candidates.
  double list_eps_ = 0.0;
  std::vector<GlobalIndex> list_first_;
  std::vector<Index> list_columns_;
  Numbers list_costs_;
  std::vector<char> list_forced_;  ///< kept whatever their size
  // The base.
  const SemiDual* dual_ = nullptr;
  Numbers base_f_, base_g_;
  std::vector<GlobalIndex> first_;
  std::vector<Index> columns_;
  Numbers values_;  ///< P at the base
  Numbers rest_;    ///< k_i
  Numbers frozen_;  ///< c_j - sum_i P_ij
  Numbers row_;     ///< r_i at the base
  // The point x.
  Numbers x_, expx_, K_, gradient_, sums_, targets_;
  double violation_ = 0.0;
};

}  // namespace sinkhorn_newton
