#pragma once

#include <libsolve/linear/ordering.hpp>
#include <string>
#include <vector>

namespace incomplete {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// `ordering`: "natural" or "rcm" (reverse Cuthill-McKee).
inline std::vector<Index> elimination_order(const HostCsr& A, const std::string& ordering) {
  return ordering == "rcm" ? reverse_cuthill_mckee(A) : natural_order(A.num_rows);
}

}  // namespace incomplete
