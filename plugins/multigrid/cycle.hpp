/// \file
/// The levels of a hierarchy and the order in which a cycle visits them.
#pragma once

#include <memory>
#include <vector>

#include "level.hpp"

namespace multigrid {

enum class CycleKind {
  v,  ///< each coarser level once
  w,  ///< each coarser level twice
  f   ///< first an F cycle, then a V cycle on each coarser level
};

/// Levels from fine to coarse and the direct solver below them.
template <class Real>
class Hierarchy {
 public:
  /// Levels are added from fine to coarse, then the direct solver; the shape of each is the coarse
  /// shape of the one before, that of the direct solver the coarse shape of the last. There may be
  /// no level at all. W and F cycles visit what lies below the level twice where `repeat_below`:
  /// without it on the first level the second visits cost little, and without it where the grid
  /// shrinks by two alone a W cycle keeps the work of a V cycle.
  void add(std::unique_ptr<Level<Real>> level, bool repeat_below = true);
  void set_coarse_solver(std::unique_ptr<CoarseSolver<Real>> solver);

  /// The part of a cycle below a level of another hierarchy: z <- S(z, rhs) from `start`, as a
  /// level is visited.
  void visit_below(CycleKind kind, Start start, const View<Real>& rhs, const View<Real>& z);

  /// One cycle from zero: result <- M rhs, both outer.
  void cycle(CycleKind kind, const Rhs<Real>& rhs, Result<Real>& result);

  [[nodiscard]] int num_levels() const { return int(levels_.size()) + 1; }
  [[nodiscard]] const Level<Real>& level(int l) const { return *levels_[l].level; }
  [[nodiscard]] std::size_t bytes() const;
  /// Set-up and one cycle.
  [[nodiscard]] Work work(CycleKind kind) const;

 private:
  struct Stored {
    std::unique_ptr<Level<Real>> level;
    View<Real> coarse_rhs, coarse_z;
    bool repeat_below = true;
  };
  void solve_directly(const Rhs<Real>& rhs, Result<Real>& result);
  void visit(int l, CycleKind kind, Start start, const Rhs<Real>& rhs, Result<Real>& result);
  std::vector<Stored> levels_;
  std::unique_ptr<CoarseSolver<Real>> coarse_;
  View<Real> direct_rhs_, direct_z_;  ///< where there is no level
};

}  // namespace multigrid
