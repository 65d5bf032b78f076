#include "cycle.hpp"

#include <libsolve/core/row_kernels.hpp>
#include <utility>

namespace multigrid {
namespace {

template <class Real>
struct Import {
  const double* from;
  double scale;
  Real* to;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t i) const { to[i] = Real(scale * from[i]); }
};

template <class Real>
struct Export {
  const Real* from;
  double scale;
  double* to;
  const double* rhs;
  const double* other;
  KOKKOS_INLINE_FUNCTION void operator()(std::ptrdiff_t i, double& a, double& b) const {
    to[i] = scale * double(from[i]);
    a += to[i] * rhs[i];
    if (other) b += to[i] * other[i];
  }
};

}  // namespace

template <class Real>
void Hierarchy<Real>::add(std::unique_ptr<Level<Real>> level, bool repeat_below) {
  const auto n = std::size_t(level->coarse_shape().size());
  levels_.push_back({std::move(level), View<Real>("multigrid::coarse_rhs", n),
                     View<Real>("multigrid::coarse_z", n), repeat_below});
}

template <class Real>
void Hierarchy<Real>::set_coarse_solver(std::unique_ptr<CoarseSolver<Real>> solver) {
  coarse_ = std::move(solver);
  const auto n = levels_.empty() ? std::size_t(coarse_->shape().size()) : 0;
  direct_rhs_ = View<Real>("multigrid::direct_rhs", n);
  direct_z_ = View<Real>("multigrid::direct_z", n);
}

/// No level at all: the direct solver alone.
template <class Real>
void Hierarchy<Real>::solve_directly(const Rhs<Real>& rhs, Result<Real>& result) {
  const auto n = libsolve::Index(coarse_->shape().size());
  const auto& exec = libsolve::default_space();
  libsolve::for_rows(exec, "multigrid::import", n,
                     Import<Real>{rhs.outer.data(), rhs.scale, direct_rhs_.data()});
  coarse_->solve(direct_rhs_, direct_z_);
  const auto dots = libsolve::reduce_rows<libsolve::Sums<2>>(
      exec, "multigrid::export", n,
      Export<Real>{direct_z_.data(), result.scale, result.outer.data(), rhs.outer.data(),
                   result.other.data()});
  result.dot_rhs = dots.value[0];
  result.dot_other = dots.value[1];
}

template <class Real>
std::size_t Hierarchy<Real>::bytes() const {
  std::size_t sum = coarse_->bytes() + sizeof(Real) * (direct_rhs_.size() + direct_z_.size());
  for (const auto& s : levels_)
    sum += s.level->bytes() + sizeof(Real) * (s.coarse_rhs.size() + s.coarse_z.size());
  return sum;
}

template <class Real>
Work Hierarchy<Real>::work(CycleKind kind) const {
  Work sum;
  double v = 1, w = 1, f = 1;  // visits: W doubles, F adds a V cycle
  for (const auto& s : levels_) {
    const Work here = s.level->work();
    const double visits = kind == CycleKind::v ? v : kind == CycleKind::w ? w : f;
    sum += {here.setup, visits * here.visit};
    if (s.repeat_below) {
      w *= 2;
      f += 1;
    }
  }
  const Work last = coarse_->work();
  sum += {last.setup, (kind == CycleKind::v ? v : kind == CycleKind::w ? w : f) * last.visit};
  return sum;
}

template <class Real>
void Hierarchy<Real>::visit(int l, CycleKind kind, Start start, const Rhs<Real>& rhs,
                            Result<Real>& result) {
  Stored& here = levels_[l];
  here.level->descend(rhs, start, here.coarse_rhs);
  if (l + 1 == int(levels_.size())) {
    coarse_->solve(here.coarse_rhs, here.coarse_z);
  } else {
    const Rhs<Real> below{here.coarse_rhs, {}, 1.0};
    Result<Real> z{here.coarse_z, {}, {}, 1.0, 0.0, 0.0};
    visit(l + 1, kind, Start::zero, below, z);
    if (here.repeat_below && kind == CycleKind::w)
      visit(l + 1, CycleKind::w, Start::continued, below, z);
    if (here.repeat_below && kind == CycleKind::f)
      visit(l + 1, CycleKind::v, Start::continued, below, z);
  }
  here.level->ascend(rhs, here.coarse_z, result);
}

template <class Real>
void Hierarchy<Real>::visit_below(CycleKind kind, Start start, const View<Real>& rhs,
                                  const View<Real>& z) {
  if (levels_.empty()) return coarse_->solve(rhs, z);
  Result<Real> result{z, {}, {}, 1.0, 0.0, 0.0};
  visit(0, kind, start, Rhs<Real>{rhs, {}, 1.0}, result);
}

template <class Real>
void Hierarchy<Real>::cycle(CycleKind kind, const Rhs<Real>& rhs, Result<Real>& result) {
  if (levels_.empty())
    solve_directly(rhs, result);
  else
    visit(0, kind, Start::zero, rhs, result);
}

template class Hierarchy<float>;
template class Hierarchy<double>;

}  // namespace multigrid
