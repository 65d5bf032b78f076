#pragma once

#include <memory>

#include "collective_solver.hpp"

namespace pde_control {

/// The primal-dual active set method on one grid, in reduced unknowns (y, q), lambda = s q.
class ActiveSetProblem {
 public:
  struct Data {
    NodeGrid grid;
    VectorView b, d;          ///< of the first and third condition, weight 1
    VectorView lower, upper;  ///< of u
  };
  struct Step {
    CollectiveSolver::End end = CollectiveSolver::End::solved;
    std::int64_t changed = 0;  ///< nodes that changed sets since the last step
    double residual = 0.0;     ///< of the linear system
  };
  ActiveSetProblem(const Data& data, double control_cost,
                   const CollectiveSolver::Settings& settings);

  const Data& data() const noexcept { return data_; }
  const Vector& solution() const noexcept { return x_; }  ///< (y, q)
  /// Another alpha; lambda is kept.
  void set_control_cost(double control_cost);
  /// Back to zero, as before the first step.
  void forget();
  /// Sets from the current lambda, then the system for them to `tolerance`.
  Step step(double tolerance, const CollectiveSolver::Watch& watch);
  /// Nodes in another set than the last step's, by the current lambda.
  std::int64_t num_changes();
  /// |(b, s d)|.
  double data_norm() const;
  /// u and z (for weight 1) at the current point; the bound where it is active.
  void controls(const VectorView& u, const VectorView& z) const;
  /// P (y, q) of a coarser grid as the start; lambda is interpolated.
  void start_from(const ActiveSetProblem& coarse);
  std::int64_t cycles() const { return solver_ == nullptr ? 0 : solver_->iterations(); }
  std::int64_t setups() const { return solver_ == nullptr ? 0 : solver_->setups(); }
  double memory_bytes() const { return solver_ == nullptr ? 0.0 : solver_->memory_bytes(); }
  Index num_nodes() const { return data_.grid.partition().local_size(); }

 private:
  Data data_;
  double alpha_;
  CollectiveSolver::Settings settings_;
  Vector x_, r_, rhs_;
  VectorView w_;      ///< N on I, 0 on A
  VectorView state_;  ///< -1: lower, 0: free, 1: upper, 2: not known yet
  std::unique_ptr<CollectiveSolver> solver_;
  std::shared_ptr<Q1ControlOperator> K_;
  bool started_ = false;
  bool is_prepared_ = false;  ///< the solver has the current alpha
};

/// The data of every second node: right-hand sides restricted, bounds taken over.
ActiveSetProblem::Data coarse_data(const ActiveSetProblem::Data& fine);

}  // namespace pde_control
