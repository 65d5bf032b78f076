#pragma once

#include <functional>
#include <libsolve/pde/q1_control_operator.hpp>
#include <vector>

#include "cycle.hpp"

namespace pde_control {

/// Iterates collective multigrid cycles on K x = b, in double around the cycles in float, until
/// |b - K x| <= tolerance. Plain: x += z; accelerated: the z of the last steps are combined for the
/// smallest residual (generalised conjugate residuals, Eisenstat, Elman, Schultz 1983), at one
/// product a step, truncated to `kept` directions.
class CollectiveSolver {
 public:
  struct Settings {
    CycleOptions cycle;
    bool nested = true;  ///< the first correction by full multigrid
    bool accelerated = true;
    std::int64_t max_iterations = 100;
  };
  enum class End { solved, limit, stopped, stagnated, non_finite };
  /// Told of each residual norm; false stops.
  using Watch = std::function<bool(std::int64_t iteration, double residual)>;

  CollectiveSolver(std::shared_ptr<Q1ControlOperator> K, const Settings& settings);
  ~CollectiveSolver();

  /// The operator has other coefficients now; the grid is the same.
  void reset(std::shared_ptr<Q1ControlOperator> K);
  /// From the x given and its residual r = b - K x; both are updated.
  End solve(const Vector& x, const Vector& r, double tolerance, bool nested, const Watch& watch);

  double residual_norm() const noexcept { return residual_norm_; }
  std::int64_t iterations() const noexcept { return iterations_; }  ///< over all solves
  std::int64_t setups() const noexcept { return setups_; }
  double memory_bytes() const;
  int num_levels() const { return cycle_.num_levels(); }

 private:
  struct Direction {
    Vector z, Kz;  ///< |Kz| = 1
  };
  void step(const Vector& x, const Vector& r, bool nested);

  static constexpr std::size_t kept = 6;
  std::shared_ptr<Q1ControlOperator> K_;
  Settings settings_;
  Cycle<2> cycle_;
  std::vector<Direction> directions_;  ///< a ring
  std::size_t num_directions_ = 0;
  double residual_norm_ = 0.0;
  std::int64_t iterations_ = 0, setups_ = 1;
};

}  // namespace pde_control
