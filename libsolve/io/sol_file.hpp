#pragma once

#include <libsolve/core/export.hpp>
#include <libsolve/io/nl_header.hpp>
#include <span>
#include <string>

namespace libsolve {

/// What a solver tells AMPL (Gay, Hooking your solver to AMPL, 1997, section "Solution files"; the
/// ranges of codes: AMPL book, section 14.2).
enum class SolveResult : int {
  solved = 0,
  uncertain = 100,  ///< a solution, but short of the tolerance
  infeasible = 200,
  locally_infeasible = 201,  ///< the violation has a local minimum, which proves nothing
  unbounded = 300,
  iteration_limit = 400,
  time_limit = 401,
  interrupted = 402,
  failure = 500,
};

/// Writes a .sol file for the problem that `header` opens: the message (its empty lines left out),
/// AMPL's options of the header, one dual for each constraint and one value for each variable, in
/// the file's order, to the last digit, and the code. Duals are AMPL's: the objective as stated
/// over the constraint's bound. The file appears whole or not at all. Throws ShapeError for other
/// lengths, IoError where it cannot be written.
LIBSOLVE_EXPORT void write_sol_file(const std::string& path, const NlHeader& header,
                                    const std::string& message, std::span<const double> x,
                                    std::span<const double> duals, SolveResult result,
                                    int objective = 1);

}  // namespace libsolve
