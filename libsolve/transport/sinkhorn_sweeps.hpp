#pragma once

#include <libsolve/transport/transport_problem.hpp>

namespace libsolve {

/// Full Sinkhorn iterations (rows, then columns) on the potentials of a problem, balanced or not,
/// at any eps: what methods of this class share. Over ranks, one reduction of m numbers a sweep.
///
/// A sum that underflows or overflows because the potentials are far from this eps is computed anew
/// with the largest term taken out (log-sum-exp): it costs passes, never an answer.
class LIBSOLVE_EXPORT SinkhornSweeps {
 public:
  /// Works on problem.f() and problem.g(), in place.
  explicit SinkhornSweeps(const TransportProblem& problem);

  /// Where all potentials are zero: f = c-transform of g, so that every row has an entry near 1.
  /// Returns whether they were.
  bool start();
  struct Swept {
    /// |P 1 - a|_1 before the sweep (unbalanced: of the relaxed condition). NaN where potentials or
    /// sums are not finite and could not be repaired: stop then.
    double violation = 0.0;
    /// The columns fitted exactly before the sweep, so that `violation` is that of both marginals:
    /// always but for the first sweep at an eps.
    bool of_both = false;
  };
  Swept sweep(double eps, bool single_precision = false);
  /// To be called where others have changed the potentials: the columns need not fit any more.
  void potentials_changed() noexcept { eps_of_columns_ = 0.0; }

  std::int64_t passes() const noexcept { return passes_; }
  std::int64_t sweeps() const noexcept { return sweeps_; }
  std::int64_t repaired() const noexcept { return repaired_; }
  /// Held beside the problem.
  double work_bytes() const;

 private:
  double damping(double eps) const;
  void repair_rows(double eps);
  void repair_columns(double eps, double least);
  const TransportProblem& problem_;
  VectorView row_sums_, column_sums_, last_f_, spare_rows_, spare_columns_;
  double eps_of_columns_ = 0.0;  ///< at which the columns fit exactly
  std::int64_t passes_ = 0;
  std::int64_t sweeps_ = 0;
  std::int64_t repaired_ = 0;
};

}  // namespace libsolve
