/// \file
/// The lower level over one box of y after the other: bounds and cuts (see global_lower.hpp).
#pragma once

#include <libsolve/bilevel/bilevel_program.hpp>
#include <libsolve/bilevel/detail/interval_math.hpp>

namespace libsolve::detail {

/// A point strictly inside, near the middle; where an end is infinite, at 0, +-1, +-10, ...; false
/// where there is none, or none that helps.
bool split_point(const Interval& y, double& at);

class LowerBox {
 public:
  using Box = std::vector<Interval>;

  /// Constraint bounds are widened by slack * max(1, |bound|).
  LowerBox(const BilevelProgram& problem, std::span<const double> x, double slack);

  /// lambda >= 0 with f_y + g_y^T lambda near 0 at y, by coordinate descent over the constraints
  /// active there.
  void estimate_multipliers(std::span<const double> y);

  /// Encloses values and gradients over the box; false where it has no feasible point.
  bool enclose(const Box& y);
  /// The following are about the box enclosed last.
  double natural_bound() const { return values_[0].low; }
  /// Shrinks y to a face where f only falls towards it and no constraint is in the way.
  bool is_monotone_and_shrinks(Box& y) const;
  /// Mean value forms of f and of the Lagrangian. A feasible centre that is better than
  /// `best_objective` replaces it and `best`.
  double centred_bound(const Box& y, double& best_objective, std::vector<double>& best);

  struct Cut {
    bool is_empty = false;
    bool shrank = false;        ///< by enough to enclose it anew
    bool by_objective = false;  ///< points with f >= cutoff were taken away
  };
  /// Takes away what the mean value forms at the centre of centred_bound() show to be infeasible
  /// or above the cutoff.
  Cut cut(Box& y, double cutoff) const;
  /// Along which f, and the constraints with their multipliers, vary most; y.size(): none is wide
  /// enough.
  std::size_t direction_to_split(const Box& y) const;

 private:
  const Interval* gradient(std::size_t k) const { return &gradients_[k * v_.size() + nx_]; }
  bool is_inactive(std::size_t i) const;
  /// Values of f and g at `centre` into `at`.
  void evaluate(std::span<const double> centre, std::vector<Interval>& at);
  bool is_feasible(const std::vector<Interval>& at) const;
  /// The point at which the mean value form with slopes s has the largest lower bound.
  void optimal_centre(const Box& y, const Interval* slopes, std::vector<double>& centre) const;
  double mean_value_bound(const Box& y, const Interval* slopes, const Interval& at_centre,
                          std::span<const double> centre) const;
  void cut_by(Box& y, const Interval* slopes, const Interval& excess, Cut& cut) const;

  std::shared_ptr<ValueRange> range_;
  std::size_t nx_, ny_, m_;
  std::vector<double> low_, high_;  ///< bounds of g
  std::vector<double> lambda_;
  Box v_, point_;  ///< with x
  Box values_, gradients_, at_centre_, at_lagrangian_;
  Box slopes_;  ///< of the Lagrangian
  std::vector<double> centre_, lagrangian_centre_;
};

}  // namespace libsolve::detail
