#pragma once

#include <libsolve/core/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace libsolve {

/// The whole text of a file. Throws InputError naming it where it is missing or cannot be read.
LIBSOLVE_EXPORT std::string read_text_file(const std::string& path);

/// TOML text as a value tree; every value knows its line and column of `file`, and tables keep the
/// order in which they were written. Dates and times become strings. Throws InputError with file,
/// line and column for text that is not TOML.
LIBSOLVE_EXPORT Value parse_toml(std::string_view text, const std::string& file);

/// Applies one "key.sub=value" of the command line to `root`. The value is read as TOML, and as a
/// string where it is no TOML ("cg", "results/a.h5", "55m"); missing tables are made, and a
/// component given by its name alone becomes a table where the key reaches into it
/// (`preconditioner.cycle=W` on `preconditioner = "multigrid"`). What is set points to "--set" as
/// its place. Errors go to `problems`.
LIBSOLVE_EXPORT void apply_override(Value& root, const std::string& assignment,
                                    Diagnostics& problems);

/// Tables as TOML text with [table] headers on the first level: text that parse_toml reads back.
LIBSOLVE_EXPORT std::string to_toml(const Value& root);

/// Seconds of a duration: 90, "90", "90s", "55m", "1h30m", "2d", "1500ms", "01:30:00", "30:00".
/// False, with what is accepted in `problem`, for anything else and for negative ones.
LIBSOLVE_EXPORT bool parse_duration(const Value& value, double& seconds, std::string& problem);

}  // namespace libsolve
