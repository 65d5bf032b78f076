#pragma once

#include <libsolve/optimize/program_functions.hpp>
#include <libsolve/pde/parameter_estimation.hpp>
#include <memory>
#include <vector>

#include "observation.hpp"

namespace log_conductivity {

/// What a problem of ParameterEstimation is made of. Over ranks values of cells are those of the
/// rank's cells (LogDiffusion's partition), everything else is the same on all.
struct ConductivityData {
  Communicator communicator = Communicator::self();
  int dimension = 2;
  Index cells = 64;
  LogDiffusion::Walls walls = LogDiffusion::Walls::fixed;
  int num_sources = 1;
  std::vector<double> sources = {};            ///< b
  std::vector<Observation::Point> points = {}; ///< none: all cells
  std::vector<double> data = {};               ///< d, source by source, of cells or of all points
  double misfit_weight = 1.0;                  ///< w
  double weight = 1.0;     ///< R = weight h^D (gamma_1 Grad^T Grad + gamma_0), Grad the differences
  double gradient_cost = 1e-8;                 ///< gamma_1
  double value_cost = 0.0;                     ///< gamma_0
  double reference = 0.0;                      ///< m_r
  std::vector<double> truth = {};              ///< of m, for results
};

/// ParameterEstimation's functions with their products by kernels; entries where the problem is
/// small enough.
class ConductivityFunctions final : public ProgramFunctions, public ParameterEstimation {
 public:
  explicit ConductivityFunctions(const ConductivityData& data);

  Communicator communicator() const override { return data_.communicator; }
  Index num_variables() const override { return (data_.num_sources + 1) * n_; }
  Index num_constraints() const override { return data_.num_sources * n_; }
  bool has_entries() const override { return !jacobian_.rows.empty(); }
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }
  bool is_linear(Index) const override { return false; }
  /// "parameter" m, "state", "adjoint" (= lambda) of the first source.
  std::vector<Field> fields(const ConstVectorView& x, const ConstVectorView& lambda) const override;
  /// "true_parameter".
  std::vector<Field> data_fields() const override;

  int num_sources() const override { return data_.num_sources; }
  LogDiffusion make_diffusion() const override {
    return LogDiffusion(data_.dimension, data_.cells, data_.walls, data_.communicator);
  }
  ConstVectorView sources() const override { return b_; }
  double misfit(const ConstVectorView& y) const override;
  void misfit_gradient(const ConstVectorView& y, const VectorView& g) const override;
  void misfit_hessian(const ConstVectorView& v, const VectorView& out) const override;
  StencilOperator::Constant regularization() const override;
  ConstVectorView reference() const override { return reference_; }
  double density() const override { return data_.weight * volume(); }
  std::shared_ptr<const ParameterEstimation> coarse() const override;
  /// What it was made of.
  const ConductivityData& made_of() const { return data_; }

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
  double volume() const;
  /// The parts of a vector over the variables.
  ConstVectorView states(const ConstVectorView& x) const;
  ConstVectorView parameter(const ConstVectorView& x) const;
  VectorView states(const VectorView& x) const;
  VectorView parameter(const VectorView& x) const;
  /// difference_ = m - m_r, product_ = R of it.
  void regularize(const ConstVectorView& m) const;
  /// conductivity_entries.cpp: all entries in a fixed order to put(row, column, value).
  template <class Put>
  void visit_jacobian(const double* x, const Put& put) const;
  template <class Put>
  void visit_hessian(const double* x, double sigma, const double* lambda, const Put& put) const;
  void make_patterns();

  ConductivityData data_;
  Index n_;
  LogDiffusion A_;
  Observation Q_;
  std::unique_ptr<StencilOperator> R_;
  Vector difference_, product_;
  VectorView b_, d_, reference_, residual_, block_, second_block_, cells_;
  SparsePattern jacobian_, hessian_;
};

}  // namespace log_conductivity
