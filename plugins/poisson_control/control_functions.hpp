#pragma once

#include <libsolve/pde/mass_inner_product.hpp>
#include <libsolve/pde/q1_control.hpp>
#include <vector>

namespace poisson_control {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// The functions of Q1Control:
///   f = w (1/2 e^T M e + alpha/2 u^T N u), e = y - y_d at all nodes, boundary included,
///   c = w (K y - N u - d), d = -K_IB y_B.
/// Kernels on views; entries where they are not too many. Over the ranks of the grid. On a grid with a mask
/// y and u of the nodes outside are variables that end at 0, coupled to nothing.
class ControlFunctions final : public ProgramFunctions, public Q1Control {
 public:
  struct Data {
    NodeGrid grid;
    double weight = 1.0;
    double control_cost = 1e-4;  ///< alpha
    bool lumped = false;         ///< N
    bool zero_boundary = false;  ///< y = 0 there, else y = y_d
    std::vector<double> target;  ///< y_d in a padded array; with a mask 0 outside and on the boundary
  };
  explicit ControlFunctions(const Data& data);

  Index num_variables() const override { return 2 * n_; }
  Index num_constraints() const override { return n_; }
  Communicator communicator() const override { return grid_.communicator(); }
  bool has_entries() const override;
  const SparsePattern& jacobian_pattern() const override { return jacobian_; }
  const SparsePattern& hessian_pattern() const override { return hessian_; }
  bool is_linear(Index) const override { return true; }
  /// w M for y, w N for u; w M for c.
  std::shared_ptr<const InnerProduct> variable_product() const override;
  std::shared_ptr<const InnerProduct> constraint_product() const override;
  /// "state", "control", "adjoint" p = -lambda, and "target", to be drawn beside them.
  std::vector<Field> fields(const ConstVectorView& x, const ConstVectorView& lambda) const override;

  /// Of the inner nodes of the rank, which are in the domain.
  std::vector<bool> nodes_inside() const;

  const NodeGrid& nodes() const override { return grid_; }
  double weight() const override { return weight_; }
  double control_cost() const override { return control_cost_; }
  bool control_is_lumped() const override { return lumped_; }

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
  void set_boundary(const std::vector<double>& target, bool zero_boundary);
  void make_entries();
  /// M e at the inner nodes, e = y - y_d.
  void apply_to_error(const ConstVectorView& x, const VectorView& Me) const;
  Field field(const char* name, const VectorView& values, const char* text) const;
  void scale_halves(double first, double second, const VectorView& v) const;

  NodeGrid grid_;
  Index n_;
  double weight_, control_cost_;
  bool lumped_;
  Q1Operator M_, K_, N_;
  VectorView target_;             ///< y_d at the inner nodes
  VectorView d_;                  ///< -K_IB y_B
  VectorView boundary_misfit_;    ///< M_IB e_B
  double constant_misfit_ = 0.0;  ///< 1/2 e_B^T M_BB e_B
  VectorView error_;              ///< e at the inner nodes
  VectorView product_;
  SparsePattern jacobian_, hessian_;
  std::vector<double> jacobian_values_, hessian_values_;  ///< for weight 1, sigma 1
};

}  // namespace poisson_control
