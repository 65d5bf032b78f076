#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/plugin/registry.hpp>
#include <optional>

#include "svm_functions.hpp"

namespace bilevel_sources {

struct SvmOptions {
  std::string file = {};
  int training = 500;
  int validation = 150;
  double flipped = 0.0;
  bool slack = true;
  double leak = 0.01;
  double lowest_penalty = -10.0;
  double highest_penalty = 10.0;

  static void describe(Fields<SvmOptions>& f);
  static void check(const SvmOptions& o, const std::string& prefix, const SourceLocation& where,
                    Diagnostics& problems);
};

/// With labels to be mistrusted.
struct CleaningOptions : SvmOptions {
  CleaningOptions() { flipped = 0.4; }
  static void describe(Fields<CleaningOptions>& f);
  static void check(const CleaningOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// The program of a split; see the README. The start has penalties drawn from [-6, -5] and the
/// lower level's solution there.
std::unique_ptr<BilevelProgram> make_svm_program(SvmSplit split, const SvmOptions& options,
                                                 std::uint64_t seed, const std::string& text);

/// One penalty for each training sample of a support vector machine, for the least loss over
/// validation samples. One rank.
template <class O>
class SvmSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = BilevelProgram::class_name;
  using Options = O;
  SvmSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

extern template class SvmSource<SvmOptions>;
extern template class SvmSource<CleaningOptions>;

}  // namespace bilevel_sources
