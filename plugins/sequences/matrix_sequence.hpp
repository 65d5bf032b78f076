#pragma once

#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/linear_system_sequence.hpp>
#include <libsolve/plugin/registry.hpp>

namespace sequences {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct MatrixSequenceOptions {
  std::vector<std::string> matrices = {};
  std::vector<std::string> right_hand_sides = {"random"};
  std::vector<double> contexts = {};
  std::int64_t systems = 0;
  bool warm_start = true;
  static void describe(Fields<MatrixSequenceOptions>& f);
  static void check(const MatrixSequenceOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// Matrices from Matrix Market files one after the other, from the first again after the last.
/// Each is read when it comes, and kept while the next system has the same.
class MatrixSequence final : public LinearSystemSequence {
 public:
  MatrixSequence(const MatrixSequenceOptions& options, const Context& context);
  std::string description() const override;
  std::optional<std::pair<double, double>> context_range() const override;

 private:
  System make(std::int64_t t, const Vector* last) override;
  Vector right_hand_side(std::int64_t t) const;
  MatrixSequenceOptions options_;
  Context context_;
  std::string at_hand_;
  std::shared_ptr<CsrMatrix> matrix_;
};

class MatrixSequenceSource final : public ProblemSource {
 public:
  using Options = MatrixSequenceOptions;
  static constexpr std::string_view problem_class = LinearSystemSequence::class_name;
  MatrixSequenceSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override {
    return std::make_unique<MatrixSequence>(options_, context_);
  }

 private:
  Options options_;
  Context context_;
};

}  // namespace sequences
