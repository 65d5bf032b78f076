#pragma once

#include <libsolve/core/component.hpp>
#include <libsolve/core/options.hpp>
#include <libsolve/plugin/registry.hpp>
#include <memory>
#include <string>

namespace matrix_market {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct MatrixMarketOptions {
  std::string file;
  std::string right_hand_side = "random";
  std::string right_hand_side_file;
  int right_hand_side_column = 0;
  std::string initial_guess = "zero";

  static void describe(Fields<MatrixMarketOptions>& f);
  /// "file" and `right_hand_side_file` go together.
  static void check(const MatrixMarketOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// A x = b from a Matrix Market file, plain or gzip, coordinate or array. Where b is not read it is
///   random:         independent numbers, uniform on [-1, 1),
///   ones:           1,
///   solution-ones:  A 1, so that the solution is known and its error is measured.
class MatrixMarketSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = "linear";
  using Options = MatrixMarketOptions;
  MatrixMarketSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  /// Throws InputError for files that cannot be read, ShapeError where b does not fit A,
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

}  // namespace matrix_market
