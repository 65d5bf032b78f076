#pragma once

#include <libsolve/core/report.hpp>

namespace libsolve {

/// What a program that runs a case tells the shell.
enum class ExitCode : int {
  converged = 0,
  failure = 1,        ///< anything no other code names: out of memory, a fault of libsolve
  bad_input = 2,      ///< case, data, plugin, command line
  not_converged = 3,  ///< iteration limit, time limit, stagnation, infeasible or unbounded problem
  breakdown = 4,      ///< numerical breakdown, divergence, non-finite numbers
  interrupted = 5,    ///< by a signal; the results are written
  unwritable = 6,     ///< the results could not be written
};

LIBSOLVE_EXPORT ExitCode exit_code_of(Status status) noexcept;

}  // namespace libsolve
