#include "column_plan.hpp"

#include <algorithm>
#include <functional>

namespace sparse_transport {

/// gamma w times (sum of t - what k entries of theta / gamma hold), of the entries cut at theta / gamma:
/// decreasing in theta once divided by it, so it has one sign change.
double ColumnPlan::excess(const ColumnRule& rule, double theta) const {
  const double most = theta * rule.w / rule.gamma;
  double sum = -static_cast<double>(rule.k) * most;
  for (const double z : sorted_) {
    if (z <= theta) break;
    sum += std::min(z - theta, most);
  }
  return sum;
}

/// theta, full_ and tied_ where more than k of z are positive (sorted_, decreasing).
void ColumnPlan::split(const ColumnRule& rule) {
  const double stretch = 1.0 + rule.w / rule.gamma;
  double bound = 0.0;  // of full entries: z >= bound
  if (rule.w == 0.0) {
    theta_ = bound = sorted_[rule.k - 1];
  } else {
    ends_.clear();
    for (const double z : sorted_) {
      ends_.push_back(z);
      ends_.push_back(z / stretch);
    }
    std::sort(ends_.begin(), ends_.end());
    // The last end with a positive excess and the next one enclose theta.
    std::size_t low = 0, high = ends_.size();
    const auto positive = [&](std::size_t p) { return excess(rule, ends_[p]) > 0.0; };
    if (!positive(0)) high = 1;
    while (high - low > 1) {
      const std::size_t middle = (low + high) / 2;
      (positive(middle) ? low : high) = middle;
    }
    const double below = positive(low) ? ends_[low] : 0.0;
    const double above = positive(low) ? (high < ends_.size() ? ends_[high] : ends_[low]) : ends_[0];
    theta_ = 0.5 * (below + above);
    bound = theta_ * stretch;
  }
  for (std::size_t i = 0; i < z_.size(); ++i) {
    if (z_[i] >= bound && full_.size() < rule.k)
      full_.push_back(i);
    else if (z_[i] > theta_ && rule.w > 0.0)
      tied_.push_back(i);
  }
  if (tied_.empty()) return;
  tied_weight_ = static_cast<double>(tied_.size()) +
                 static_cast<double>(rule.k - full_.size()) * rule.w / rule.gamma;
  theta_ = 0.0;
  for (const std::size_t i : tied_) theta_ += z_[i] / tied_weight_;
}

void ColumnPlan::compute(const ColumnRule& rule, std::span<const double> s,
                         std::span<const double> t_old) {
  z_.resize(s.size());
  for (std::size_t i = 0; i < s.size(); ++i) z_[i] = s[i] + rule.w * t_old[i];
  t_.assign(s.size(), 0.0);
  full_.clear();
  tied_.clear();
  theta_ = tied_weight_ = 0.0;
  sorted_.clear();
  for (const double z : z_)
    if (z > 0.0) sorted_.push_back(z);
  const bool is_cut = sorted_.size() > rule.k;
  if (is_cut) {
    std::sort(sorted_.begin(), sorted_.end(), std::greater<>());
    split(rule);
  } else {
    for (std::size_t i = 0; i < z_.size(); ++i)
      if (z_[i] > 0.0) full_.push_back(i);
  }
  // y = z - w t is a subgradient of Omega** at t: Omega**(t) = <y, t> - Omega*(y).
  double of_y = 0.0, y_t = 0.0;
  for (const std::size_t i : full_) {
    t_[i] = z_[i] / (rule.gamma + rule.w);
    const double y = rule.gamma * t_[i];
    of_y += y * y;
    y_t += y * t_[i];
  }
  for (const std::size_t i : tied_) {
    t_[i] = (z_[i] - theta_) / rule.w;
    y_t += theta_ * t_[i];
  }
  if (!tied_.empty()) of_y += static_cast<double>(rule.k - full_.size()) * theta_ * theta_;
  hull_ = y_t - of_y / (2.0 * rule.gamma);
  value_ = -hull_;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const double d = t_[i] - t_old[i];
    value_ += s[i] * t_[i] - 0.5 * rule.w * d * d;
  }
  sorted_.clear();
  for (const double x : s)
    if (x > 0.0) sorted_.push_back(x);
  if (sorted_.size() > rule.k) {
    std::nth_element(sorted_.begin(), sorted_.begin() + static_cast<std::ptrdiff_t>(rule.k),
                     sorted_.end(), std::greater<>());
    sorted_.resize(rule.k);
  }
  conjugate_ = 0.0;
  for (const double x : sorted_) conjugate_ += x * x / (2.0 * rule.gamma);
}

}  // namespace sparse_transport
