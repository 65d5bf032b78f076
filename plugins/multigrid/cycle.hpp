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
  /// Levels are added from fine to coarse; the shape of each is the coarse shape of the one before,
  /// that of the direct solver the coarse shape of the last. There may be no level at all.
  void add(std::unique_ptr<Level<Real>> level);
  void set_coarse_solver(std::unique_ptr<CoarseSolver<Real>> solver);

  /// W and F cycles visit the levels l, l + 1, ... again, and those above once. Default 1: all. With
  /// 2 the second visits cost next to nothing in 3D, and a long hierarchy still converges as with 1.
  void set_first_repeated(int l) { first_repeated_ = l; }

  /// One cycle from zero: result <- M rhs, both outer.
  void cycle(CycleKind kind, const Rhs<Real>& rhs, Result<Real>& result);

  [[nodiscard]] int num_levels() const { return int(levels_.size()) + 1; }
  [[nodiscard]] const Level<Real>& level(int l) const { return *levels_[l].level; }
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Stored {
    std::unique_ptr<Level<Real>> level;
    View<Real> coarse_rhs, coarse_z;
  };
  void visit(int l, CycleKind kind, Start start, const Rhs<Real>& rhs, Result<Real>& result);
  std::vector<Stored> levels_;
  std::unique_ptr<CoarseSolver<Real>> coarse_;
  int first_repeated_ = 1;
};

}  // namespace multigrid
