#include "rank_cycle.hpp"

#include <utility>

namespace multigrid {

template <class Real>
void RankHierarchy<Real>::add(std::unique_ptr<Level<Real>> level, bool repeat_below,
                              const GridPartition& coarse, const Box& box,
                              const GridPartition& next, const Box& next_box) {
  Step s;
  s.level = std::move(level);
  s.repeat_below = repeat_below;
  s.down = GridHalo(coarse, next_box, box);
  s.up = GridHalo(next, box, next_box);
  s.around = GridHalo(next, next_box, next_box);
  const auto numbers = [](const char* label, const Box& b) {
    return View<Real>(label, std::size_t(b.num_cells()));
  };
  s.coarse_rhs = numbers("multigrid::coarse_rhs", box);
  s.coarse_z = numbers("multigrid::coarse_z", box);
  s.rhs = numbers("multigrid::next_rhs", next_box);
  s.z = numbers("multigrid::next_z", next_box);
  steps_.push_back(std::move(s));
}

/// The grid below step l, from the right-hand side in its rhs, to its z.
template <class Real>
void RankHierarchy<Real>::visit_next(int l, CycleKind kind, Start start) {
  Step& s = steps_[l];
  if (l + 1 == int(steps_.size())) {
    if (bottom_) bottom_->visit_below(kind, start, s.rhs, s.z);
    return;
  }
  if (start == Start::continued) {
    // Of the last visit's z the own cells alone are right.
    s.around.template fetch<Real>(s.z, s.z);
    if (steps_[l + 1].level) steps_[l + 1].level->set_iterate(s.z);
  }
  const Rhs<Real> rhs{s.rhs, {}, 1.0};
  Result<Real> z{s.z, {}, {}, 1.0, 0.0, 0.0};
  visit(l + 1, kind, start, rhs, z);
}

template <class Real>
void RankHierarchy<Real>::visit(int l, CycleKind kind, Start start, const Rhs<Real>& rhs,
                                Result<Real>& result) {
  Step& s = steps_[l];
  if (s.level) s.level->descend(rhs, start, s.coarse_rhs);
  s.down.template fetch<Real>(s.coarse_rhs, s.rhs);
  visit_next(l, kind, Start::zero);
  if (s.repeat_below && kind != CycleKind::v)
    visit_next(l, kind == CycleKind::w ? CycleKind::w : CycleKind::v, Start::continued);
  s.up.template fetch<Real>(s.z, s.coarse_z);
  if (s.level) s.level->ascend(rhs, s.coarse_z, result);
}

template <class Real>
void RankHierarchy<Real>::cycle(CycleKind kind, const View<Real>& rhs, const View<Real>& z) {
  Result<Real> result{z, {}, {}, 1.0, 0.0, 0.0};
  if (!steps_.empty())
    visit(0, kind, Start::zero, Rhs<Real>{rhs, {}, 1.0}, result);
  else if (bottom_)
    bottom_->visit_below(kind, Start::zero, rhs, z);
}

template <class Real>
std::size_t RankHierarchy<Real>::bytes() const {
  std::size_t sum = bottom_ ? bottom_->bytes() : 0;
  for (const Step& s : steps_) {
    if (s.level) sum += s.level->bytes();
    sum += sizeof(Real) * (s.coarse_rhs.size() + s.coarse_z.size() + s.rhs.size() + s.z.size());
    sum += std::size_t(s.down.halo().memory_bytes() + s.up.halo().memory_bytes() +
                       s.around.halo().memory_bytes());
  }
  return sum;
}

template class RankHierarchy<float>;
template class RankHierarchy<double>;

}  // namespace multigrid
