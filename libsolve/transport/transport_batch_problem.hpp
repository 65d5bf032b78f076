#pragma once

#include <libsolve/core/component.hpp>
#include <libsolve/transport/transport_batch.hpp>
#include <string>

namespace libsolve {

/// Many small transport problems of one shape as one problem: minibatch couplings. One rank.
class LIBSOLVE_EXPORT TransportBatchProblem final : public Problem {
 public:
  static constexpr std::string_view class_name = "transport-batch";
  TransportBatchProblem(TransportBatch batch, std::string text);
  ~TransportBatchProblem() override;

  /// `eta` is the problem's, tolerance and limit are the method's.
  const TransportBatch& batch() const noexcept { return batch_; }
  const TransportBatchSolution& batch_solution() const noexcept { return solution_; }
  void set_solution(TransportBatchSolution solution) { solution_ = std::move(solution); }

  std::string_view problem_class() const override { return class_name; }
  std::string description() const override { return text_; }
  /// "f" (B, n), "g" (B, m), "transport_cost" (B), "marginal_violation" (B), "regularization" (B).
  std::vector<Field> solution() const override;
  /// Recomputed: "marginal_violation", the largest of all problems; "transport_cost", their mean.
  std::vector<Measure> verify() const override;
  GlobalIndex num_unknowns() const override;

 private:
  TransportBatch batch_;
  TransportBatchSolution solution_;
  std::string text_;
};

/// Solves batches.
class LIBSOLVE_EXPORT TransportBatchSolver : public Method {
 public:
  static constexpr std::string_view kind = "transport-batch-solver";
  static constexpr std::string_view problem_class = TransportBatchProblem::class_name;
  ~TransportBatchSolver() override;
  virtual Report solve(TransportBatchProblem& problem, Monitor& monitor) = 0;
  Report solve(Problem& problem, Monitor& monitor) final;
};

}  // namespace libsolve
