#pragma once

#include "regularization_options.hpp"

namespace transport_sources {

struct CostMatrixOptions {
  std::string file = {};
  RegularizationOptions common = {};
  static void describe(Fields<CostMatrixOptions>& f);
  static void check(const CostMatrixOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// A stored cost from an HDF5 file: `cost` (n x m, finite, not negative), `a` (n) and `b` (m);
/// masses that are not there are uniform, 1 / n and 1 / m. Each rank reads and holds its rows.
class CostMatrixSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = TransportProblem::class_name;
  using Options = CostMatrixOptions;
  CostMatrixSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  /// InputError, DataError and ShapeError name the file, the dataset and the index.
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

struct AssignmentOptions {
  int size = 1000;
  RegularizationOptions common = {};
  static void describe(Fields<AssignmentOptions>& f);
  static void check(const AssignmentOptions& o, const std::string& prefix,
                    const SourceLocation& where, Diagnostics& problems);
};

/// C_ij uniform on [0, 1) from the run's seed, the same for any number of ranks; a = b = 1 / n.
class AssignmentSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = TransportProblem::class_name;
  using Options = AssignmentOptions;
  AssignmentSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

}  // namespace transport_sources
