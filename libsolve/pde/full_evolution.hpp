#pragma once

#include <libsolve/optimize/probed_entries.hpp>
#include <libsolve/optimize/program_functions.hpp>
#include <libsolve/pde/evolution.hpp>

namespace libsolve {

/// An Evolution as a program in x = (y_1, ..., y_N, m) with its equations as constraints, all at once:
///   min sum_n g_n(y_n, m) + r(m)   subject to   c_n(y_{n-1}, y_n, m) = 0,  n = 1, ..., N;
/// the multipliers of c_n are the adjoints p_n. Products always, over the ranks of the evolution;
/// entries on one rank for up to 6000 variables, found by ProbedEntries when first asked for.
class LIBSOLVE_EXPORT FullEvolution final : public ProgramFunctions {
 public:
  explicit FullEvolution(std::shared_ptr<Evolution> evolution);
  ~FullEvolution() override;

  Evolution& evolution() const noexcept { return *evolution_; }
  /// x with the states that belong to m: a start with c = 0.
  Vector with_states_of(const Vector& m);

  Index num_variables() const override { return num_constraints() + parameter_size_; }
  Index num_constraints() const override { return num_steps_ * state_size_; }
  Communicator communicator() const override;
  bool has_entries() const override;
  const SparsePattern& jacobian_pattern() const override;
  const SparsePattern& hessian_pattern() const override;
  bool is_linear(Index) const override { return evolution_->is_linear(); }
  /// Of the states and m one after the other, Euclidean where the evolution has none.
  std::shared_ptr<const InnerProduct> variable_product() const override;
  std::vector<Field> fields(const ConstVectorView& x, const ConstVectorView& lambda) const override;
  std::vector<Field> data_fields() const override;

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
  class Parts;
  struct Entries;
  const Entries& entries() const;

  std::shared_ptr<Evolution> evolution_;
  int num_steps_;
  Index state_size_, parameter_size_;
  Vector x_, v_, y0_, zero_, work_;
  mutable std::unique_ptr<Entries> entries_;
};

}  // namespace libsolve
