#pragma once

#include <libsolve/core/vector.hpp>
#include <libsolve/optimize/program_functions.hpp>

namespace proximal_splitting {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// f(x) + rho/2 |x - v|^2 without constraints, f and its inner product another program's. Entries of the
/// Hessian where f has them.
class AugmentedFunctions final : public ProgramFunctions {
 public:
  /// `f` outlives it.
  AugmentedFunctions(ProgramFunctions& f, const Partition& partition);
  /// Of the next calls.
  void set(double rho, const Vector& v);

  Index num_variables() const override { return f_.num_variables(); }
  Index num_constraints() const override { return 0; }
  Communicator communicator() const override { return f_.communicator(); }
  bool has_entries() const override { return f_.has_entries(); }
  const SparsePattern& jacobian_pattern() const override { return no_entries_; }
  const SparsePattern& hessian_pattern() const override;
  std::shared_ptr<const InnerProduct> variable_product() const override {
    return f_.variable_product();
  }

 protected:
  double do_objective(const ConstVectorView& x) override;
  void do_gradient(const ConstVectorView& x, const VectorView& g) override;
  void do_constraints(const ConstVectorView&, const VectorView&) override {}
  void do_jacobian(const ConstVectorView&, const VectorView&) override {}
  void do_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                  const VectorView& values) override;
  void do_apply_jacobian(const ConstVectorView&, const ConstVectorView&,
                         const VectorView&) override {}
  void do_apply_jacobian_adjoint(const ConstVectorView&, const ConstVectorView&,
                                 const VectorView& y) override;
  void do_apply_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                        const ConstVectorView& v, const VectorView& y) override;

 private:
  ProgramFunctions& f_;
  Partition partition_;
  double rho_ = 0.0;
  Vector v_, x_, w_;
  SparsePattern no_entries_;
  mutable SparsePattern hessian_;  ///< that of f and the diagonal
};

}  // namespace proximal_splitting
