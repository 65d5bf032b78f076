#pragma once

#include <initializer_list>
#include <libsolve/core/options.hpp>
#include <limits>
#include <string>
#include <vector>

/// What cases of solves and cases of trainings are read with. What is wrong goes to `problems`.
namespace libsolve::detail {

/// A duration or "none" as seconds; what it is written as stays text for the record.
double duration(const Value& table, const std::string& prefix, const char* key,
                const std::string& text, Diagnostics& problems);

/// Durations may be written as numbers; the options keep them as text.
void numbers_to_text(Value& table, std::initializer_list<const char*> keys);

/// A table of the case, or an empty one; other types are reported.
Value table_of(const Value& root, const char* name, Diagnostics& problems);

/// [problem], [method] or [train] as a component; false where it does not name one.
bool component_of(const Value& root, const char* table, const char* name_key,
                  const std::vector<std::string>& known, ComponentSpec& out,
                  Diagnostics& problems);

/// Tables and keys of the first level that are not `known`.
void refuse_unknown_tables(const Value& root, const std::vector<std::string>& known,
                           Diagnostics& problems);

/// One InputError with everything collected, in the order of the lines; nothing where there is none.
void throw_in_order(const Diagnostics& problems);

/// The tables [output] and [run] of any kind of case, their durations in seconds.
template <class AnyCase>
void resolve_output_and_run(const Value& root, AnyCase& c, Diagnostics& problems) {
  Value output = table_of(root, "output", problems);
  numbers_to_text(output, {"snapshot_interval"});
  c.output =
      parse_options<decltype(c.output)>(output, "output.", "the table [output]", problems);
  c.snapshot_interval_s =
      duration(output, "output.", "snapshot_interval", c.output.snapshot_interval, problems);
  if (c.snapshot_interval_s == 0.0) c.snapshot_interval_s = std::numeric_limits<double>::infinity();
  if (c.output.file.empty()) {
    const Value* written = output.find("file");
    problems.add(written != nullptr ? written->where : output.where, "output.file",
                 "must name a file");
  }
  Value run = table_of(root, "run", problems);
  numbers_to_text(run, {"time_limit"});
  c.run = parse_options<decltype(c.run)>(run, "run.", "the table [run]", problems);
  c.time_limit_s = duration(run, "run.", "time_limit", c.run.time_limit, problems);
}

}  // namespace libsolve::detail
