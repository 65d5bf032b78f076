#pragma once

#include <libsolve/run/run.hpp>
#include <string>
#include <vector>

namespace libsolve {

/// One method of a comparison.
struct ComparedMethod {
  std::string label = {};   ///< as written: "cg+multigrid"
  ComponentSpec spec = {};  ///< the solver, its preconditioner an option of it
  Value resolved = {};      ///< every option, defaults included
};

/// What `list` ("cg+multigrid,hypre-pfmg") names: solvers of the case's problem class, "A+B" for
/// solver A with preconditioner B; A alone has none but its default. Tolerances and the iteration
/// limit come from the case's [method], where the solver has such options; its other options, and
/// those of its preconditioner, hold for the solver and the preconditioner of the same name.
/// InputError with everything wrong at once: unknown names with the nearest one or with the plugin
/// that this build has left out, solvers without preconditioners, options that do not parse.
LIBSOLVE_EXPORT std::vector<ComparedMethod> compared_methods(const std::string& list, const Case& c,
                                                             const Registry& registry);

/// What one method did.
struct ComparisonRow {
  std::string method = {};
  std::string status = {};  ///< that of the report; "unsupported" or "failed" where it threw
  std::string reason = {};
  ExitCode exit_code = ExitCode::failure;
  double setup_seconds = 0.0;
  double solve_seconds = 0.0;
  std::int64_t iterations = 0;
  double memory_bytes = 0.0;  ///< held by the method beside the problem; NaN: it does not say
  double td = 0.0;            ///< set-up and solve, for each unknown, in times of a triad's double
  double ratio = 0.0;         ///< set-up and solve over those of the first row
  double relative_residual = 0.0;  ///< the problem's deciding measure, recomputed
  std::vector<std::string> notes = {};
  std::string options = {};  ///< TOML
  History history = {};
};

struct Comparison {
  std::string problem = {};
  double unknowns = 0.0;
  double triad_seconds_per_double = 0.0;
  int num_ranks = 1;
  int num_threads = 1;
  std::string measure = {};  ///< what `relative_residual` is called by the problem
  std::vector<ComparisonRow> rows = {};
  /// converged where all are; interrupted where that came; else breakdown before not_converged.
  ExitCode exit_code = ExitCode::failure;
  std::string results_path = {};  ///< "" where they could not be written
  std::string error = {};         ///< why they could not be written
};

/// Builds the problem once and lets each method solve it from the same start, `repeat` times with
/// a new method each (the fastest is kept); a method that fails is a row that says why. The results
/// file holds the table under /compare and the solution of the first method. The time limit of
/// the case holds for each solve. Collective over settings.comm.
LIBSOLVE_EXPORT Comparison compare_case(const Case& c, const std::vector<ComparedMethod>& methods,
                                        const Registry& registry, const RunSettings& settings,
                                        int repeat = 1);

/// The table as text, with reasons below for rows that did not converge.
LIBSOLVE_EXPORT std::string comparison_text(const Comparison& comparison);
/// One JSON object: the fields of Comparison and of its rows, by their names; NaN is null.
LIBSOLVE_EXPORT std::string comparison_json(const Comparison& comparison);

}  // namespace libsolve
