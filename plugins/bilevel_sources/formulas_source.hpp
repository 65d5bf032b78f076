#pragma once

#include <libsolve/bilevel/bilevel_program.hpp>
#include <libsolve/core/options.hpp>
#include <libsolve/plugin/registry.hpp>

namespace bilevel_sources {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// As written in the case, so that errors can say where.
struct BilevelFormulasOptions {
  Value upper_variables = Value::Array{};  ///< names, or a number n: x1 ... xn
  Value lower_variables = Value::Array{};  ///< names, or a number n: y1 ... yn
  Value upper_objective = "0";
  Value lower_objective = "0";
  Value upper_constraints =
      Value::Array{};  ///< formulas or relations; an array, or a table of names
  Value lower_constraints = Value::Array{};
  Value lower = "-inf";  ///< bounds of all variables: a number, nx + ny numbers, or a table by name
  Value upper = "inf";
  Value start = 0.0;  ///< the same
  bool lower_convex = false;

  static void describe(Fields<BilevelFormulasOptions>& f);
  /// Reads all formulas and numbers.
  static void check(const BilevelFormulasOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// The parts of the program that a case states; see the README for what becomes bounds and what is
/// found out about the lower level. Problems as FormulaCaseReader's.
BilevelParts read_bilevel_case(const BilevelFormulasOptions& o, const std::string& prefix,
                               const SourceLocation& where, Diagnostics& problems);

/// A bilevel program written as text. One rank.
class BilevelFormulasSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = BilevelProgram::class_name;
  using Options = BilevelFormulasOptions;
  BilevelFormulasSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

}  // namespace bilevel_sources
