#pragma once

#include <libsolve/core/export.hpp>
#include <string>
#include <vector>

namespace libsolve {

/// The ten lines that open an AMPL .nl file (Gay, Writing .nl files, SAND2005-7907P, section 2).
struct NlHeader {
  bool is_binary = false;         ///< all after the ten lines
  std::vector<int> options = {};  ///< AMPL's flags of the first line, to be echoed in a .sol file
  double bound_tolerance = 0.0;   ///< of the first line, there where options[1] is 3
  int num_variables = 0;
  int num_constraints = 0;  ///< without the logical ones
  int num_objectives = 0;
  int num_logical_constraints = 0;
  int num_nonlinear_constraints = 0;
  int num_nonlinear_variables = 0;  ///< in constraints or objectives; the first ones
  int num_complementarities = 0;
  int num_integer_variables = 0;  ///< binary ones and nonlinear ones included
  int num_functions = 0;          ///< imported by name
  long num_jacobian_nonzeros = 0;
  int num_common_expressions = 0;
};

/// Throws InputError with file and line for a file that cannot be read or is none of AMPL's,
/// and where counts contradict each other.
LIBSOLVE_EXPORT NlHeader read_nl_header(const std::string& path);

}  // namespace libsolve
