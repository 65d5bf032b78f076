#pragma once

#include <libsolve/adapters/petsc.hpp>

namespace libsolve::petsc::detail {

/// Unsupported where hypre was not found.
std::unique_ptr<Solver> make_hypre_pfmg(const PfmgSettings& settings);
/// "hypre 2.26.0", "" without it.
std::string hypre_version();

}  // namespace libsolve::petsc::detail
