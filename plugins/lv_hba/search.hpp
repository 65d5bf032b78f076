#pragma once

#include <deque>
#include <libsolve/bilevel/lower_level.hpp>
#include <map>
#include <optional>

#include "pieces.hpp"

namespace lv_hba {

/// Looks for the best certified point: from a first one over the neighbouring pieces of the lower
/// level's KKT conditions, and on small problems over all pieces from several points. See
/// README.md.
class Search {
 public:
  /// All outlive it. pieces: null where the problem offers no entries.
  Search(BilevelProgram& problem, Pieces* pieces, LowerLevel& level, double tolerance,
         std::uint64_t seed, Monitor& monitor);

  /// The problem's point as it is, with its certificate.
  bool offer_certified();
  struct Outcome {
    bool is_better = false;  ///< the best point got better
    bool is_solved = false;  ///< the piece has a KKT point, F there
    double F = 0.0;
  };
  /// One piece from one point, and the lower level's answers to what comes of it.
  Outcome try_piece(const ActiveSet& active, const KktPoint& from);
  /// A point from elsewhere, with its multipliers and stationarity: certified, and the best one
  /// where it is better.
  bool offer(std::span<const double> v, std::span<const double> lambda, std::span<const double> z,
             double stationarity);
  /// The pieces that meet at the best point, all choices of its degenerate constraints, until none
  /// is better. With too many of them (or no pieces) its stationarity becomes NaN.
  void neighbours();
  /// Where nobody looks at those pieces: NaN for a point with degenerate constraints.
  void leave_unverified();
  /// All pieces with at most as many active inequalities as lower variables, from several points;
  /// at most `most` solves.
  void everywhere(std::int64_t most);
  static bool is_small(const BilevelProgram& problem);

  struct Best {
    KktPoint at = {};
    BilevelCertificate certificate = {};
  };
  const std::optional<Best>& best() const { return best_; }
  bool is_stopped();
  std::int64_t num_cuts() const { return num_cuts_; }

 private:
  bool accept(const KktPoint& at, double stationarity);
  KktPoint lower_solution_at(std::span<const double> x, std::span<const double> y);
  std::vector<std::size_t> degenerate(const KktPoint& at) const;
  /// Takes active cuts away whose response is infeasible at the x of v; whether there were any.
  bool drop_invalid_cuts(const std::vector<double>& v);
  Cut make_cut(const std::vector<double>& v);
  ActiveSet active_at(const KktPoint& at);
  std::vector<KktPoint> starting_points();

  BilevelProgram& problem_;
  Pieces* pieces_;  ///< null: points come from elsewhere only
  LowerLevel& level_;
  double tolerance_;
  std::uint64_t seed_;
  Monitor& monitor_;
  bool lower_depends_on_x_ = false;  ///< whether g does
  Cuts cuts_;
  std::optional<Best> best_;
  std::int64_t num_cuts_ = 0;
};

}  // namespace lv_hba
