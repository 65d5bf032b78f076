#pragma once

#include <libsolve/core/communicator.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/report.hpp>
#include <libsolve/plugin/registry.hpp>
#include <libsolve/run/case.hpp>
#include <libsolve/run/exit_code.hpp>
#include <string>
#include <vector>

/// What a run and a comparison of several methods share.
namespace libsolve::detail {

/// "SIGTERM".
std::string signal_name(int number);

/// The plugins that provide what the resolved options name, inner components included.
void add_plugins(const Registry& registry, std::string_view kind, const Value& resolved,
                 const char* name_key, std::vector<PluginRecord>& plugins);

/// Solution fields that [output] asks for; unknown names are input errors.
std::vector<Field> chosen_fields(const Case& c, const std::vector<Field>& fields);

/// Adds a measure, or replaces the one of its name.
void put(std::vector<Measure>& list, const Measure& m);

/// The deciding measures are those that the problem recomputes; what the method said is checked
/// against them.
void take_verified(Report& report, const std::vector<Measure>& verified);

/// Unsupported where the job has several ranks and no field of the problem lies over them: each
/// rank would solve all of it. Fields that are small and wanted everywhere may be whole.
void refuse_whole_on_each_rank(const Problem& problem, const std::string& source,
                               const Communicator& comm);

/// Rank 0's words on all ranks, for results that all of them write. Collective.
void take_words_of_first_rank(const Communicator& comm, std::string& reason,
                              std::vector<std::string>& notes);

/// A run or a comparison whose results could not be written.
template <class Outcome>
void set_unwritable(Outcome& outcome, const IoError& e) {
  outcome.error = e.what();
  outcome.exit_code = ExitCode::unwritable;
  outcome.results_path.clear();
}

/// The newer of the snapshot and the finished file; "" where there is neither.
std::string file_to_resume(const std::string& results);

/// IoError on all ranks where `path` could not be written with `bytes` of data.
void refuse_unwritable(const std::string& path, double bytes, const Communicator& comm);

}  // namespace libsolve::detail
