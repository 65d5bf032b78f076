#pragma once

#include <libsolve/core/component.hpp>
#include <libsolve/core/options.hpp>
#include <libsolve/plugin/registry.hpp>
#include <memory>
#include <string>

namespace nl {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct NlOptions {
  std::string file;
  int objective = 1;

  static void describe(Fields<NlOptions>& f);
};

/// A nonlinear program from an AMPL .nl file, text or binary:
///   min (max) f(x)  subject to  cl <= c(x) <= cu,  xl <= x <= xu.
/// Start (and multipliers) and, from the .col and .row files beside it, names are the file's.
/// Bounds of 1e20 and more are none. Runs on one rank.
class NlSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = "optimize";
  using Options = NlOptions;
  NlSource(const Options& options, const Context& context) : options_(options), context_(context) {}
  /// Throws InputError and DataError for files that cannot be read, Unsupported for integer
  /// variables, complementarity conditions, logical constraints and more than one rank.
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

}  // namespace nl
