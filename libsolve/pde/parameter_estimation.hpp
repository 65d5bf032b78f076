#pragma once

#include <libsolve/pde/log_diffusion.hpp>

namespace libsolve {

/// What the estimation of a logarithmic conductivity m from states y_s, s = 1, ..., S, offers
/// beside ProgramFunctions, for methods that use its structure (found by dynamic_cast). Variables x
/// = (y_1, ..., y_S, m), one of each for every cell:
///   min f = 1/2 sum_s w |Q y_s - d_s|^2 + 1/2 (m - m_r)^T R (m - m_r)   subject to  A(m) y_s =
///   b_s,
/// A(m) by LogDiffusion, c_s = A(m) y_s - b_s. Vectors of states are blocks, one after the other;
/// over ranks of the rank's cells, and calls are collective.
class LIBSOLVE_EXPORT ParameterEstimation {
 public:
  virtual ~ParameterEstimation();
  virtual int num_sources() const = 0;
  /// A(m) with nothing set yet.
  virtual LogDiffusion make_diffusion() const = 0;
  /// b_1, ..., b_S.
  virtual ConstVectorView sources() const = 0;
  /// 1/2 sum_s w |Q y_s - d_s|^2, its gradient, and its Hessian times v.
  virtual double misfit(const ConstVectorView& y) const = 0;
  virtual void misfit_gradient(const ConstVectorView& y, const VectorView& g) const = 0;
  virtual void misfit_hessian(const ConstVectorView& v, const VectorView& out) const = 0;
  /// R, of constant coefficients with insulated walls, and m_r.
  virtual StencilOperator::Constant regularization() const = 0;
  virtual ConstVectorView reference() const = 0;
  /// Derivatives of f with respect to the m of a cell are this times functions of place that the
  /// grid hardly changes.
  virtual double density() const = 0;
  /// The same problem with half the cells along each side: data of cells are means; null where
  /// the number is odd or too small.
  virtual std::shared_ptr<const ParameterEstimation> coarse() const = 0;
};

}  // namespace libsolve
