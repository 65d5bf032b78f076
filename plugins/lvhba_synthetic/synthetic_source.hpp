#pragma once

#include <libsolve/bilevel/bilevel_program.hpp>
#include <libsolve/plugin/registry.hpp>

namespace lvhba_synthetic {

using namespace libsolve;

struct SyntheticOptions {
  std::string problem = "merely-convex";
  int size = 1000;
  int rows = 0;
  std::string start = "zero";
  static void describe(Fields<SyntheticOptions>& f);
};

/// "lvhba-synthetic": see README.md.
class SyntheticSource final : public ProblemSource {
 public:
  using Options = SyntheticOptions;
  static constexpr std::string_view problem_class = BilevelProgram::class_name;
  SyntheticSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

}  // namespace lvhba_synthetic
