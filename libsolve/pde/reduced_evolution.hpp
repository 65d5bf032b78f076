#pragma once

#include <libsolve/optimize/program_functions.hpp>
#include <libsolve/pde/evolution_adjoint.hpp>

namespace libsolve {

/// An Evolution as a program in m alone, states eliminated, no constraints:
///   min f(m) = sum_n g_n(y_n(m), m) + r(m),
/// with the discrete derivatives of EvolutionAdjoint. Over the ranks of the evolution; entries of the
/// (dense) Hessian on one rank for up to 400 variables, products always. x = m.
class LIBSOLVE_EXPORT ReducedEvolution final : public ProgramFunctions, public SolvesInside {
 public:
  explicit ReducedEvolution(std::shared_ptr<Evolution> evolution,
                            const CheckpointChoice& checkpoints = {});
  ~ReducedEvolution() override;

  Evolution& evolution() const noexcept { return sweeps_->evolution(); }
  EvolutionAdjoint& sweeps() const noexcept { return *sweeps_; }

  Index num_variables() const override;
  Index num_constraints() const override { return 0; }
  Communicator communicator() const override;
  bool has_entries() const override { return !hessian_.rows.empty(); }
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }
  std::shared_ptr<const InnerProduct> variable_product() const override;
  std::vector<Field> fields(const ConstVectorView& x, const ConstVectorView& lambda) const override;
  std::vector<Field> data_fields() const override;
  SolveCounts solve_counts() const override { return sweeps_->counts(); }
  std::vector<Measure> work_counts() const override { return evolution().work_counts(); }
  std::string fault() const override { return evolution().fault(); }

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
  std::unique_ptr<EvolutionAdjoint> sweeps_;
  Vector m_, q_;
  SparsePattern jacobian_, hessian_;
  std::vector<double> constant_hessian_;  ///< for sigma 1, once made
};

}  // namespace libsolve
