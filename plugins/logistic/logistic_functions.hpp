#pragma once

#include <vector>

#include "sample_data.hpp"

namespace logistic {

/// min 1/N sum_i log(1 + exp(-z_i^T x)) + r/2 |x|^2  subject to  A x = b  and  |x|^2 = 1.
struct LogisticProgram {
  SampleData data;
  double regularization = 0.0;
  std::vector<double> A = {};  ///< by rows, of n
  std::vector<double> b = {};
  bool has_sphere = true;
};

/// Its functions over the first `count` samples: constraints A x - b, then |x|^2 - 1. The Hessian
/// has entries (the dense lower triangle) up to n = 2000, products always. One pass over the
/// samples gives f, f' and the weights of f''; they are kept for the last x.
class LogisticFunctions final : public ProgramFunctions, public SampleSum {
 public:
  static constexpr Index largest_dense = 2000;
  /// `by_columns`: the kernels for devices (see passes.hpp), also on the host.
  LogisticFunctions(std::shared_ptr<const LogisticProgram> program, Index count, bool by_columns);

  Index num_variables() const override { return n_; }
  Index num_constraints() const override { return num_linear_ + (program_->has_sphere ? 1 : 0); }
  bool has_entries() const override { return n_ <= largest_dense; }
  const SparsePattern& jacobian_pattern() const override;
  const SparsePattern& hessian_pattern() const override;
  bool is_linear(Index constraint) const override { return constraint < num_linear_; }

  SampleRows samples() const override;
  ConstVectorView weights(const ConstVectorView& x) override;
  double regularization() const override { return program_->regularization; }
  Index sphere() const override { return program_->has_sphere ? num_linear_ : -1; }
  std::shared_ptr<ProgramFunctions> over_first(Index count) const override;

 protected:
  double do_objective(const ConstVectorView& x) override;
  void do_gradient(const ConstVectorView& x, const VectorView& g) override;
  void do_constraints(const ConstVectorView& x, const VectorView& c) override;
  void do_jacobian(const ConstVectorView& x, const VectorView& values) override;
  void do_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                  const VectorView& values) override;
  void do_apply_jacobian(const ConstVectorView& x, const ConstVectorView& v,
                         const VectorView& y) override;
  void do_apply_jacobian_adjoint(const ConstVectorView& x, const ConstVectorView& w,
                                 const VectorView& y) override;
  void do_apply_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                        const ConstVectorView& v, const VectorView& y) override;

 private:
  void evaluate(const ConstVectorView& x);
  double shift(double sigma, const ConstVectorView& lambda) const;

  std::shared_ptr<const LogisticProgram> program_;
  Index n_, count_, num_linear_;
  bool by_columns_;
  VectorView A_, b_;
  SparsePattern jacobian_, hessian_;
  // Of the last x.
  VectorView x_, gradient_, weights_, work_;
  double objective_ = 0.0;
  bool is_evaluated_ = false;
};

}  // namespace logistic
