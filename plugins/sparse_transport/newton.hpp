#pragma once

#include <libsolve/core/monitor.hpp>
#include <libsolve/core/report.hpp>

#include "k_sparse_dual.hpp"

namespace sparse_transport {

/// Where a maximisation of the dual stands, and its limits.
struct Ascent {
  KSparseDual& dual;
  Potentials x;
  Monitor& monitor;
  double tolerance = 0.0;      ///< L1 violation of the marginals, in mass
  double gap_tolerance = 0.0;  ///< primal - dual value of the relaxation, in cost
  std::int64_t max_iterations = 0;

  DualPoint point = {};
  Status status = Status::max_iterations;
  std::int64_t iterations = 0;
  std::int64_t stages = 0;
  bool is_restricted = false;  ///< the plan is one on k entries a column
  std::int64_t restricted_iterations = 0;
  std::int64_t fill = 0;  ///< largest factor
  double shift = 1e-3;    ///< of the Newton matrix, over its diagonal
  double relative_violation() const;  ///< over the mass, at most 1
  double gap() const { return point.primal - point.dual; }
  /// Samples for the monitor; true where the ascent has to end, with `status` set.
  bool has_to_stop();
};

/// Semismooth Newton with the active sets of ColumnPlan, on the smooth dual of k = n first, then on
/// proximal point problems around the plan (Rockafellar 1976) with falling weight w, whose duals are
/// smooth where that of the k largest is not:
///   (H + D) d = -(T 1 - a, T^T 1 - b),  H in the generalised Hessian,  D = shift diag H.
/// The shift takes the null vectors (one per piece of the support): it grows where steps are short, falls
/// where they are full, and is at most sqrt(violation / mass) (Levenberg, Marquardt). Entries that are zero by
/// less than a band, which narrows with the violation, count in H by how near they are: the pieces that the
/// step would move into each other hang together then. The step length is the least value along d, roughly.
void ascend_by_newton(Ascent& ascent);
/// The first part alone, for k = n or a given support.
void ascend_smooth(Ascent& ascent);
/// L-BFGS (10 pairs) on the dual or the semi-dual, as published.
void ascend_by_lbfgs(Ascent& ascent, bool semi_dual);

}  // namespace sparse_transport
