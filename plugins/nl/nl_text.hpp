#pragma once

#include <libsolve/io/nl_header.hpp>
#include <string>

namespace nl {

/// Reads the segments of a text file after its header as the library would (Gay, Writing .nl files,
/// SAND2005-7907P), and keeps nothing: the library believes what it reads. Throws InputError with
/// file and line for indices out of range, counts that do not fit, segments that are missing or
/// twice there, expressions that end early, and variables of a constraint that its Jacobian does
/// not have.
void check_nl_text(const std::string& path, const libsolve::NlHeader& header);

}  // namespace nl
