#pragma once

#include <libsolve/core/component.hpp>
#include <libsolve/core/options.hpp>
#include <libsolve/plugin/registry.hpp>
#include <memory>
#include <string>

namespace formulas {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// As written in the case, so that errors can say where.
struct FormulasOptions {
  Value variables = Value::Array{};  ///< names, or a number n: x1 ... xn
  Value objective = "0";             ///< formula
  bool maximize = false;
  Value equalities = Value::Array{};    ///< formulas or relations; an array, or a table of names
  Value inequalities = Value::Array{};  ///< the same
  Value lower = "-inf";                 ///< a number, n numbers, or a table by name
  Value upper = "inf";
  Value start = 0.0;

  static void describe(Fields<FormulasOptions>& f);
  /// Reads all formulas and numbers.
  static void check(const FormulasOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// min (max) f(x) with equalities, inequalities and bounds written as text. One rank.
class FormulasSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = "optimize";
  using Options = FormulasOptions;
  FormulasSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

}  // namespace formulas
