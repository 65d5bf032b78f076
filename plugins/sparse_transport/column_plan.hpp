#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace sparse_transport {

/// A column t of the plan from its slacks s_i = alpha_i + beta_j - C_ij:
///   max_t <s, t> - Omega**(t) - (w / 2) |t - t_old|^2,
/// Omega** the convex hull of gamma / 2 |t|^2 on nonnegative vectors with at most k nonzeros (half the
/// squared k-support norm times gamma, Argyriou, Foygel, Srebro, NeurIPS 2012). With z = s + w t_old:
///   t_i = z_i / (gamma + w)   where z_i >= theta (1 + w / gamma)             ("full"),
///   t_i = (z_i - theta) / w   where theta < z_i < theta (1 + w / gamma)      ("tied"),
///   t_i = 0                   else,
/// theta = 0 where at most k of the z_i are positive; else such that the tied entries sum to
/// (k - number of full ones) theta / gamma. w = 0 is the paper's own problem: the k largest of [s]_+,
/// divided by gamma, any of them on a tie.
struct ColumnRule {
  double gamma;
  double w;
  std::size_t k;
};

class ColumnPlan {
 public:
  /// s, t_old: the entries that can be positive; others are zero in t.
  void compute(const ColumnRule& rule, std::span<const double> s, std::span<const double> t_old);
  const std::vector<double>& t() const { return t_; }
  /// The maximum above.
  double value() const { return value_; }
  /// Omega**(t), and Omega*(s) = 1 / (2 gamma) sum of the squares of the k largest [s]_+.
  double hull() const { return hull_; }
  double conjugate() const { return conjugate_; }
  double theta() const { return theta_; }
  /// Places of full and tied entries. dt/ds is diagonal 1 / (gamma + w) on the full ones and
  /// (I - 1 1^T / tied_weight) / w on the tied ones.
  const std::vector<std::size_t>& full() const { return full_; }
  const std::vector<std::size_t>& tied() const { return tied_; }
  double tied_weight() const { return tied_weight_; }

 private:
  void split(const ColumnRule& rule);
  double excess(const ColumnRule& rule, double theta) const;
  std::vector<double> t_, z_, sorted_, ends_;
  std::vector<std::size_t> full_, tied_;
  double value_ = 0.0, hull_ = 0.0, conjugate_ = 0.0, theta_ = 0.0, tied_weight_ = 0.0;
};

}  // namespace sparse_transport
