#pragma once

#include <libsolve/bilevel/bilevel_program.hpp>

namespace bilevel_baselines {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// What the upper level minimises: F, and where it has constraints lG <= G <= uG the augmented
/// Lagrangian of Hestenes, Powell and Rockafellar,
///   H = F + rho/2 |d|^2 - |mu|^2 / (2 rho),   d = s - P(s),  s = G + mu / rho,
/// P the projection onto [lG, uG]; its multipliers after a minimisation are rho d.
class UpperObjective {
 public:
  /// `problem` outlives it.
  explicit UpperObjective(const BilevelProgram& problem);
  bool has_constraints() const noexcept { return !multipliers_.empty(); }
  double value(std::span<const double> v);
  /// nv values.
  void gradient(std::span<const double> v, std::span<double> out);
  /// Largest violation of G, over max(1, |bound|).
  double violation(std::span<const double> v);
  /// mu <- rho d at v; rho grows tenfold where the violation has not fallen to a quarter.
  void update(std::span<const double> v);

 private:
  void evaluate(std::span<const double> v);
  const BilevelProgram* problem_;
  HostAccess at_;
  std::vector<double> multipliers_, G_, weights_, products_;
  double penalty_ = 10.0, last_violation_ = INFINITY;
};

}  // namespace bilevel_baselines
