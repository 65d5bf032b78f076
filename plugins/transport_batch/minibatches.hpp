#pragma once

#include <libsolve/core/options.hpp>
#include <libsolve/plugin/registry.hpp>
#include <libsolve/transport/point_cost.hpp>
#include <libsolve/transport/transport_batch_problem.hpp>

namespace transport_batch {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct MinibatchesOptions {
  ComponentSpec clouds = {};
  int batches = 64;
  int batch_size = 64;
  double relative_regularization = 1e-2;
  static void describe(Fields<MinibatchesOptions>& f);
};

/// Minibatch couplings: pairs of `batch_size` points each, drawn with replacement between batches and
/// without inside of one from two clouds (any source of point problems: `clouds`), uniform masses, the
/// clouds' own cost. One rank.
class MinibatchesSource final : public ProblemSource {
 public:
  static constexpr std::string_view problem_class = TransportBatchProblem::class_name;
  using Options = MinibatchesOptions;
  MinibatchesSource(const Options& options, const Context& context)
      : options_(options), context_(context) {}
  std::unique_ptr<Problem> create() override;

 private:
  Options options_;
  Context context_;
};

struct BatchedSinkhornOptions {
  double tolerance = 1e-9;
  int max_iterations = 10000;
  static void describe(Fields<BatchedSinkhornOptions>& f);
};

/// solve_transport_batch(): Sinkhorn's iteration with eps scaling for all problems in one launch.
class BatchedSinkhorn final : public TransportBatchSolver {
 public:
  using Options = BatchedSinkhornOptions;
  BatchedSinkhorn(const Options& options, const Context&) : options_(options) {}
  Report solve(TransportBatchProblem& problem, Monitor& monitor) override;
  using TransportBatchSolver::solve;

 private:
  Options options_;
};

}  // namespace transport_batch
