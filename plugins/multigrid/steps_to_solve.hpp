/// \file
/// How many steps a cycle needs.
#pragma once

#include <libsolve/linear/linear_system.hpp>

#include "multigrid.hpp"

namespace multigrid {

/// Steps of flexible conjugate gradients (Notay 2000) around `M` to a relative residual of 1e-8, as
/// a number between steps by the logarithm of the residual; `most` where they do not suffice.
[[nodiscard]] double steps_to_solve(const libsolve::LinearSystem& system, Multigrid& M, int most);

}  // namespace multigrid
