#pragma once

#include <libsolve/core/export.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace libsolve {

/// The candidate with the smallest edit distance to `name`, or "" when none is near enough to be a
/// typing mistake (more than about a third of the letters differ).
LIBSOLVE_EXPORT std::string nearest_name(std::string_view name,
                                         const std::vector<std::string>& candidates);
/// "a, b, c".
LIBSOLVE_EXPORT std::string join(const std::vector<std::string>& words,
                                 std::string_view separator = ", ");
/// Shortest text that reads back to the same double: "0.1", "1e-08".
LIBSOLVE_EXPORT std::string format_number(double value);
/// Three digits, for reasons and messages: "2.50e-10".
LIBSOLVE_EXPORT std::string short_number(double value);

}  // namespace libsolve
