#include "curvature_pairs.hpp"

#include <libsolve/core/vector_kernels.hpp>

namespace reduced_newton {

void CurvaturePairs::add(const Vector& s, const Vector& y) {
  const double sy = dot(s, y);
  if (!(sy > 0.0) || most_ == 0) return;
  Pair pair{s.like("reduced_newton::s"), s.like("reduced_newton::y"), sy};
  copy(s, pair.s);
  copy(y, pair.y);
  pairs_.push_back(pair);
  if (pairs_.size() > most_) pairs_.pop_front();
}

void CurvaturePairs::apply(const Vector& r, const Vector& z,
                           const std::function<void(const Vector&, const Vector&)>& base) const {
  if (pairs_.empty()) {
    base(r, z);
    return;
  }
  const Vector q = r.like("reduced_newton::q");
  copy(r, q);
  std::vector<double> alpha(pairs_.size());
  for (std::size_t k = pairs_.size(); k-- > 0;) {
    alpha[k] = dot(pairs_[k].s, q) / pairs_[k].sy;
    axpy(-alpha[k], pairs_[k].y, q);
  }
  base(q, z);
  for (std::size_t k = 0; k < pairs_.size(); ++k)
    axpy(alpha[k] - dot(pairs_[k].y, z) / pairs_[k].sy, pairs_[k].s, z);
}

}  // namespace reduced_newton
