#pragma once

#include <libsolve/core/linear_operator.hpp>
#include <libsolve/optimize/program_functions.hpp>

namespace libsolve {

/// |w^T (A v) - v^T (A^T w)| over the larger of |w| |A v| and |v| |A^T w|, for random v and w: some
/// 1e-16 where apply_adjoint() is the adjoint of apply(), whatever A is. Collective.
LIBSOLVE_EXPORT double adjoint_gap(const LinearOperator& A, std::uint64_t seed);

/// The same for the products of a program at x: w^T (J v) against v^T (J^T w), and
/// v1^T (W v2) against v2^T (W v1) for random multipliers. Collective.
struct ProgramAdjointGaps {
  double jacobian = 0.0;
  double hessian = 0.0;
};
LIBSOLVE_EXPORT ProgramAdjointGaps adjoint_gaps(ProgramFunctions& functions, const Vector& x,
                                                std::uint64_t seed);

}  // namespace libsolve
