#pragma once

#include <span>
#include <vector>

namespace bilevel_baselines {

/// Gradients near one point x of a box and the smallest element z (Euclidean norm) of their convex
/// hull plus the box's normal cone at x; -z is the steepest feasible descent of the piecewise
/// smooth function that they are from (Wolfe, Math. Program. 11, 1976).
class GradientHull {
 public:
  /// Where x_k is: on neither bound, on the lower, on the upper one, or on both.
  enum class Side : char { inside, lower, upper, fixed };
  explicit GradientHull(std::vector<Side> sides) : sides_(std::move(sides)) {}
  void add(std::span<const double> gradient);
  std::size_t size() const noexcept { return gradients_.size(); }
  /// Weights by pairwise exchanges: each step moves weight between the two gradients that violate
  /// optimality most, until that is below 1e-14 of the largest |gradient|^2.
  std::vector<double> smallest() const;

 private:
  double with_cone(std::size_t k, double sum) const;
  std::vector<Side> sides_;
  std::vector<std::vector<double>> gradients_, products_;  ///< products: of the parts inside
};

}  // namespace bilevel_baselines
