#pragma once

#include <cstdint>
#include <libsolve/core/component.hpp>
#include <libsolve/optimize/inner_product.hpp>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace libsolve {

/// Places of a sparse matrix's values, in any order; values of equal places add up.
struct SparsePattern {
  std::vector<Index> rows = {};
  std::vector<Index> columns = {};
  std::size_t size() const noexcept { return rows.size(); }
};

/// How often the functions of a program were called.
struct EvaluationCounts {
  std::int64_t objective = 0;
  std::int64_t gradient = 0;
  std::int64_t constraints = 0;
  std::int64_t jacobian = 0;
  std::int64_t hessian = 0;
  std::int64_t products = 0;  ///< with the Jacobian, its transpose or the Hessian
};

/// The functions of min f(x) with constraints on c(x), n variables, m constraints, and their
/// derivatives, by entries with fixed patterns or by products. Views lie in MemSpace, lengths n and
/// m; outputs are overwritten and alias nothing. What cannot be evaluated at x is NaN, no
/// exception. The Lagrangian's Hessian is W = sigma f'' + sum_i lambda_i c_i''. Calls are counted
/// and complete on return. On one rank, but for programs with a communicator() of more: there every
/// rank has a part of x and of c, n and m are the numbers of its own, the objective is the same on
/// all ranks, and every call is collective.
class LIBSOLVE_EXPORT ProgramFunctions {
 public:
  virtual ~ProgramFunctions();

  virtual Index num_variables() const = 0;
  virtual Index num_constraints() const = 0;
  /// The ranks that x and c lie over; the default is one.
  virtual Communicator communicator() const;
  /// Names for messages; empty: x1, x2, ... and c1, c2, ...
  virtual std::vector<std::string> variable_names() const;
  virtual std::vector<std::string> constraint_names() const;

  /// Whether the patterns and the values of Jacobian and Hessian can be had; products always can.
  virtual bool has_entries() const = 0;
  /// m x n, and the lower triangle of n x n (row >= column). Unsupported where there are none.
  virtual const SparsePattern& jacobian_pattern() const;
  virtual const SparsePattern& hessian_pattern() const;
  /// Whether the constraint is known to be linear; the default knows nothing.
  virtual bool is_linear(Index constraint) const;

  /// The inner products of the spaces of x and of c; null: Euclidean.
  virtual std::shared_ptr<const InnerProduct> variable_product() const;
  virtual std::shared_ptr<const InnerProduct> constraint_product() const;
  /// What to store beside x and the multipliers: parts of them with their grids, ...; and data.
  virtual std::vector<Field> fields(const ConstVectorView& x, const ConstVectorView& lambda) const;
  virtual std::vector<Field> data_fields() const;

  double objective(const ConstVectorView& x);
  void gradient(const ConstVectorView& x, const VectorView& g);
  void constraints(const ConstVectorView& x, const VectorView& c);
  /// values: as many as the pattern has.
  void jacobian(const ConstVectorView& x, const VectorView& values);
  void hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
               const VectorView& values);
  /// y = J v (m), y = J^T w (n), y = W v (n).
  void apply_jacobian(const ConstVectorView& x, const ConstVectorView& v, const VectorView& y);
  void apply_jacobian_adjoint(const ConstVectorView& x, const ConstVectorView& w,
                              const VectorView& y);
  void apply_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                     const ConstVectorView& v, const VectorView& y);

  const EvaluationCounts& counts() const noexcept { return counts_; }
  void reset_counts() noexcept { counts_ = {}; }

 protected:
  virtual double do_objective(const ConstVectorView& x) = 0;
  virtual void do_gradient(const ConstVectorView& x, const VectorView& g) = 0;
  virtual void do_constraints(const ConstVectorView& x, const VectorView& c) = 0;
  virtual void do_jacobian(const ConstVectorView& x, const VectorView& values);
  virtual void do_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                          const VectorView& values);
  /// The defaults multiply by the entries (on the host).
  virtual void do_apply_jacobian(const ConstVectorView& x, const ConstVectorView& v,
                                 const VectorView& y);
  virtual void do_apply_jacobian_adjoint(const ConstVectorView& x, const ConstVectorView& w,
                                         const VectorView& y);
  virtual void do_apply_hessian(const ConstVectorView& x, double sigma,
                                const ConstVectorView& lambda, const ConstVectorView& v,
                                const VectorView& y);

 private:
  EvaluationCounts counts_;
};

/// Functions that live on the host: arrays in place of views. On a device build they are copied.
class LIBSOLVE_EXPORT HostProgramFunctions : public ProgramFunctions {
 public:
  ~HostProgramFunctions() override;

 protected:
  using In = std::span<const double>;
  using Out = std::span<double>;
  virtual double host_objective(In x) = 0;
  virtual void host_gradient(In x, Out g) = 0;
  virtual void host_constraints(In x, Out c) = 0;
  virtual void host_jacobian(In x, Out values) = 0;
  virtual void host_hessian(In x, double sigma, In lambda, Out values) = 0;

  double do_objective(const ConstVectorView& x) final;
  void do_gradient(const ConstVectorView& x, const VectorView& g) final;
  void do_constraints(const ConstVectorView& x, const VectorView& c) final;
  void do_jacobian(const ConstVectorView& x, const VectorView& values) final;
  void do_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                  const VectorView& values) final;
};

/// The functions for methods that work on the host: arrays in place of views, without a copy where
/// kernels run on the host.
class LIBSOLVE_EXPORT HostAccess {
 public:
  /// `functions` outlives it.
  explicit HostAccess(ProgramFunctions& functions) : functions_(&functions) {}
  double objective(std::span<const double> x) const;
  void gradient(std::span<const double> x, std::span<double> g) const;
  void constraints(std::span<const double> x, std::span<double> c) const;
  void jacobian(std::span<const double> x, std::span<double> values) const;
  void hessian(std::span<const double> x, double sigma, std::span<const double> lambda,
               std::span<double> values) const;
  void apply_jacobian(std::span<const double> x, std::span<const double> v,
                      std::span<double> y) const;
  void apply_jacobian_adjoint(std::span<const double> x, std::span<const double> w,
                              std::span<double> y) const;
  void apply_hessian(std::span<const double> x, double sigma, std::span<const double> lambda,
                     std::span<const double> v, std::span<double> y) const;
  ProgramFunctions& functions() const noexcept { return *functions_; }

 private:
  ProgramFunctions* functions_;
};

}  // namespace libsolve
