#pragma once

#include <string>
#include <vector>

#include "sorption_program.hpp"

namespace hard_constraint_experts {

/// How far u is from fulfilling c(u) = 0, without knowing a solution. "residual":
///   L = |c(u)|^2 / (2 |c(initial)|^2).
/// "newton-step", the residual in the norm that the equations themselves give it: with d = c'(u)^-1
/// c(u),
///   L = |d|^2 / (2 |u - d|^2),
/// half the squared relative error but for terms of third order. Returns L, its exact derivative by
/// u in `gradient`.
double residual_loss(const std::string& kind, const SorptionGrid& grid,
                     const std::vector<double>& u, std::vector<double>& gradient);

/// |d| / |u - d|.
double relative_newton_step(const SorptionGrid& grid, const std::vector<double>& u);
/// |a - b| / |b|.
double relative_difference(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace hard_constraint_experts
