#pragma once

#include <libsolve/transport/transport_problem.hpp>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "column_plan.hpp"
#include "sparse_plan.hpp"

namespace sparse_transport {

/// Some entries of each column of the plan: those of column j are [first[j], first[j + 1]), rows ascend.
struct ColumnEntries {
  std::vector<GlobalIndex> first;
  std::vector<Index> rows;
  std::vector<double> values;  ///< T_ij
  std::vector<double> costs;   ///< C_ij
};

/// Potentials of rows and columns.
struct Potentials {
  std::vector<double> alpha;
  std::vector<double> beta;
};

/// The negated dual at some potentials, with what Newton's method needs. `rule.w > 0`: of the proximal
/// point problem around the plan `old`,
///   phi = sum_j max_t (<s_j, t> - Omega**(t) - w / 2 |t - old_j|^2) - <alpha, a> - <beta, b>.
struct DualPoint {
  double value = 0.0;
  std::vector<double> of_rows;     ///< T 1 - a
  std::vector<double> of_columns;  ///< T^T 1 - b
  double violation = 0.0;          ///< their L1 norm
  double dual = 0.0;               ///< <alpha, a> + <beta, b> - sum_j Omega*(s_j)
  double primal = 0.0;             ///< <C, T> + sum_j Omega**(t_j)
  Index most_entries = 0;          ///< of a column
  Index crowded_columns = 0;       ///< columns of more than k entries
  ColumnEntries plan;              ///< T, positive entries
  /// Of each column: its full and tied entries as rows, and what the tied ones weigh.
  std::vector<std::vector<Index>> full, tied;
  std::vector<double> tied_weight;
  /// Of each column: entries that are zero by less than the band, as rows, and how near they are, in
  /// (0, 1].
  std::vector<std::vector<std::pair<Index, double>>> near;
};

/// Evaluates the dual by one pass over all entries, columns of C being rows of its transpose.
class KSparseDual {
 public:
  KSparseDual(const TransportProblem& problem, double gamma, std::size_t k);

  ColumnRule rule;
  ColumnEntries old;  ///< centre of the proximal term
  double band = 0.0;  ///< slack below which a zero entry is in `near`
  /// Where given, all entries but these are taken to be forbidden.
  std::optional<ColumnEntries> support;
  DualPoint at(const Potentials& x);
  /// The same for the semi-dual: beta_j solves sum of the k largest [alpha + beta_j - c_j]_+ = gamma b_j,
  /// so that columns fit; sets x.beta.
  DualPoint at_semi_dual(Potentials& x);
  std::int64_t passes() const { return passes_; }
  const std::vector<double>& a() const { return a_; }
  const std::vector<double>& b() const { return b_; }
  double total() const { return total_; }
  double largest_cost() const { return largest_; }

 private:
  struct Slacks {
    std::vector<GlobalIndex> first;
    std::vector<Index> rows;
    std::vector<double> values;
  };
  Slacks slacks_above(const Potentials& x, const std::vector<double>& threshold);
  Slacks slacks_of_support(const Potentials& x) const;
  DualPoint assemble(const Potentials& x, const Slacks& found);
  void add_column(const Potentials& x, Index j, const Slacks& found, DualPoint& p);

  std::shared_ptr<const TransportCost> columns_;  ///< C^T
  std::vector<double> a_, b_;
  double total_ = 0.0, largest_ = 0.0;
  std::int64_t passes_ = 0;
  ColumnPlan column_;
  std::vector<double> s_, t_old_, c_;  ///< of one column
  std::vector<Index> rows_;
};

}  // namespace sparse_transport
