#pragma once

#include <functional>
#include <libsolve/core/export.hpp>
#include <span>
#include <string>
#include <vector>

namespace libsolve {

/// What is wrong with `formula` as one in these variables; "" where nothing is.
LIBSOLVE_EXPORT std::string fault_of_formula(const std::string& formula,
                                             const std::vector<std::string>& variables);

/// The formula at points 0, ..., num_points - 1, whose variables `point` writes: of place and time,
/// say. On this rank alone. Throws FormulaError, and DataError for values that are not finite, with
/// `key`, the option that the formula came from.
LIBSOLVE_EXPORT std::vector<double> formula_values(
    const std::string& formula, const std::vector<std::string>& variables, std::size_t num_points,
    const std::function<void(std::size_t k, std::span<double> variables)>& point,
    const std::string& key = {});

}  // namespace libsolve
