/// \file
/// A hierarchy whose grids are cut into boxes, one for each rank.
///
/// Each rank works on its cells of a grid and on `width` cells around them, with the levels that one
/// rank uses: what a sweep gets wrong at the outermost of these cells moves inwards by one cell a
/// colour, and the rank's own cells are those of a whole grid as long as `width` counts the colours
/// of the sweeps before and after the coarse correction. (Two for red and black. The eight colours
/// of 27-point levels reach further: there the cells around make a good approximation.) So the
/// ranks talk twice on a level and visit: the right-hand side goes down to the next grid with the
/// cells around, the correction comes up with them; before a second visit z is brought up to date. Between two grids the boxes may change to fewer and larger ones; ranks without cells
/// wait. The last grids lie whole on one rank, in an ordinary Hierarchy.
#pragma once

#include <libsolve/linear/grid_halo.hpp>
#include <memory>
#include <vector>

#include "cycle.hpp"

namespace multigrid {

using libsolve::Box;
using libsolve::GridHalo;
using libsolve::GridPartition;

template <class Real>
class RankHierarchy {
 public:
  /// `level`: on this rank's cells of a grid and around, null where it has none. Its coarse numbers
  /// cover `box` of the next grid, of which `coarse` gives the rank its own part; the next level
  /// takes them as `next` gives them, with `next_box`. Collective.
  void add(std::unique_ptr<Level<Real>> level, bool repeat_below, const GridPartition& coarse,
           const Box& box, const GridPartition& next, const Box& next_box);
  /// What lies below on the rank that has the whole grid; null on the others.
  void set_bottom(std::unique_ptr<Hierarchy<Real>> bottom) { bottom_ = std::move(bottom); }

  /// One cycle from zero; rhs and z over this rank's box of the finest grid and the cells around,
  /// empty where it has none. Collective.
  void cycle(CycleKind kind, const View<Real>& rhs, const View<Real>& z);

  [[nodiscard]] int num_steps() const { return int(steps_.size()); }
  [[nodiscard]] const Hierarchy<Real>* bottom() const { return bottom_.get(); }
  /// Of this rank.
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Step {
    std::unique_ptr<Level<Real>> level;
    bool repeat_below = true;
    GridHalo down, up, around;
    View<Real> coarse_rhs, coarse_z;  // over what the level covers of the next grid
    View<Real> rhs, z;                // over what the next level covers
  };
  void visit(int l, CycleKind kind, Start start, const Rhs<Real>& rhs, Result<Real>& result);
  void visit_next(int l, CycleKind kind, Start start);
  std::vector<Step> steps_;
  std::unique_ptr<Hierarchy<Real>> bottom_;
};

}  // namespace multigrid
