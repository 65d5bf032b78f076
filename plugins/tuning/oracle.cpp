#include "oracle.hpp"

#include <algorithm>

namespace tuning {

void Oracle::add(const std::vector<double>& costs) {
  totals_.resize(values_.size(), 0.0);
  costs_.insert(costs_.end(), costs.begin(), costs.end());
  for (size_t k = 0; k < costs.size(); ++k) totals_[k] += costs[k];
  total_of_best_ += *std::min_element(costs.begin(), costs.end());
}

size_t Oracle::best_fixed() const {
  return static_cast<size_t>(std::min_element(totals_.begin(), totals_.end()) - totals_.begin());
}

double Oracle::best(size_t system) const {
  const auto first = costs_.begin() + static_cast<std::ptrdiff_t>(system * values_.size());
  return *std::min_element(first, first + static_cast<std::ptrdiff_t>(values_.size()));
}

}  // namespace tuning
