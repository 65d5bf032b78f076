#pragma once

#include <string>
#include <vector>

namespace tuning {

/// What each arm has cost in each system, and what one would have chosen knowing that.
class Oracle {
 public:
  explicit Oracle(std::vector<double> values) : values_(std::move(values)) {}
  /// Costs of all arms in the next system.
  void add(const std::vector<double>& costs);
  size_t num_systems() const { return costs_.size() / values_.size(); }
  /// The arm whose costs sum to least, over all systems so far.
  size_t best_fixed() const;
  double total(size_t arm) const { return totals_[arm]; }
  /// Sum over systems of the cheapest arm's cost.
  double total_of_best() const { return total_of_best_; }
  double best(size_t system) const;
  const std::vector<double>& values() const { return values_; }
  /// [system][arm]
  const std::vector<double>& costs() const { return costs_; }

 private:
  std::vector<double> values_;
  std::vector<double> costs_;  ///< [system][arm]
  std::vector<double> totals_;
  double total_of_best_ = 0.0;
};

}  // namespace tuning
