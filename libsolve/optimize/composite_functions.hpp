#pragma once

#include <libsolve/optimize/program_functions.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/optimize/proximal_operator.hpp>
#include <memory>
#include <optional>

namespace libsolve {

/// How far x is from a stationary point of f + weight R in bounds C.
struct CompositeResidual {
  /// Largest entry of (x - prox_s(x - s f'(x))) / s, and what the proximal operator may have missed it by.
  double proximal = 0.0;
  /// The same over max(1, |f'|_inf).
  double relative = 0.0;
};

/// min f(x) + weight R(x), xl <= x <= xu: f smooth, with derivatives, R by its proximal operator. As
/// ProgramFunctions they are those of f alone; methods that can do R derive from CompositeSolver, others
/// refuse. Stationary points are those with x = prox_s(x - s f'(x)), for one s > 0 and then for all
/// (Parikh, Boyd, Proximal algorithms, 2014, section 4.2); prox_s is that of s weight R and the bounds.
/// NonlinearProgram::verify() measures that for programs of such functions.
class LIBSOLVE_EXPORT CompositeFunctions final : public ProgramFunctions {
 public:
  /// R is prepared for a space with the program's bounds; null: 0, and prox_s is the projection onto the
  /// bounds (empty: none). `partition`: of x. DataError for a weight that is not positive.
  CompositeFunctions(std::shared_ptr<ProgramFunctions> smooth, std::shared_ptr<ProximalOperator> R,
                     double weight, Bounds bounds, const Partition& partition);
  ~CompositeFunctions() override;

  ProgramFunctions& smooth() const noexcept { return *smooth_; }
  const std::shared_ptr<ProgramFunctions>& shared_smooth() const noexcept { return smooth_; }
  double weight() const noexcept { return weight_; }
  bool has_regularizer() const noexcept { return R_ != nullptr; }
  /// Sets curvature() to |f'(x - h g) - f'(x)| / |h g| with g = f'(x) and a small h: that of f along its
  /// gradient, at most its largest one. Two gradients, not counted.
  void measure_curvature(const Vector& x);
  /// At the start of a program by composite_program(): what steps and residuals are measured with. At least
  /// 1e-3 |f'| / max(1, |x|) there: f may be flat at the start and nowhere else.
  double curvature() const noexcept { return curvature_; }
  /// That of an earlier start, for one that goes on.
  void set_curvature(double curvature) noexcept { curvature_ = curvature; }

  /// The only s that prox() takes, 1 / weight times that of R.
  std::optional<double> fixed_step() const;
  /// z = prox_s(x) to |z - .| <= tolerance; returns a bound of the distance (ProximalOperator::apply).
  double prox(const Vector& x, double s, double tolerance, const Vector& z) const;
  /// weight R(x); nothing where R is not known.
  std::optional<double> regularizer(const Vector& x) const;
  std::vector<Measure> regularizer_counts() const;
  /// Who may stop R's iterations (ProximalOperator::heed).
  void heed(Monitor* monitor) const noexcept {
    if (R_ != nullptr) R_->heed(monitor);
  }

  /// With g = f'(x), s = 1 / curvature() but a step s g no longer than max(1, |x|) in its largest entry,
  /// or the fixed s.
  CompositeResidual residual(const Vector& x, const Vector& g) const;
  /// What residual() asks of R, in units of its `relative`. Methods ask for a third of their tolerance.
  void set_accuracy(double accuracy) noexcept { accuracy_ = accuracy; }

  /// "kkt_residual" (CompositeResidual::relative and the violation of bounds, the larger),
  /// "proximal_residual", "constraint_violation", "objective" (of f alone where R is not known),
  /// "smooth_objective", "regularizer" (weight R, where known). Not counted.
  std::vector<Measure> verify(const Vector& x) const;

  Index num_variables() const override { return smooth_->num_variables(); }
  Index num_constraints() const override { return smooth_->num_constraints(); }
  Communicator communicator() const override { return smooth_->communicator(); }
  std::vector<std::string> variable_names() const override { return smooth_->variable_names(); }
  bool has_entries() const override { return smooth_->has_entries(); }
  const SparsePattern& jacobian_pattern() const override { return smooth_->jacobian_pattern(); }
  const SparsePattern& hessian_pattern() const override { return smooth_->hessian_pattern(); }
  std::shared_ptr<const InnerProduct> variable_product() const override {
    return smooth_->variable_product();
  }
  std::vector<Field> fields(const ConstVectorView& x, const ConstVectorView& lambda) const override {
    return smooth_->fields(x, lambda);
  }
  std::vector<Field> data_fields() const override { return smooth_->data_fields(); }

 protected:
  double do_objective(const ConstVectorView& x) override { return smooth_->objective(x); }
  void do_gradient(const ConstVectorView& x, const VectorView& g) override {
    smooth_->gradient(x, g);
  }
  void do_constraints(const ConstVectorView& x, const VectorView& c) override {
    smooth_->constraints(x, c);
  }
  void do_jacobian(const ConstVectorView& x, const VectorView& values) override {
    smooth_->jacobian(x, values);
  }
  void do_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                  const VectorView& values) override {
    smooth_->hessian(x, sigma, lambda, values);
  }
  void do_apply_jacobian(const ConstVectorView& x, const ConstVectorView& v,
                         const VectorView& y) override {
    smooth_->apply_jacobian(x, v, y);
  }
  void do_apply_jacobian_adjoint(const ConstVectorView& x, const ConstVectorView& w,
                                 const VectorView& y) override {
    smooth_->apply_jacobian_adjoint(x, w, y);
  }
  void do_apply_hessian(const ConstVectorView& x, double sigma, const ConstVectorView& lambda,
                        const ConstVectorView& v, const VectorView& y) override {
    smooth_->apply_hessian(x, sigma, lambda, v, y);
  }

 private:
  std::shared_ptr<ProgramFunctions> smooth_;
  std::shared_ptr<ProximalOperator> R_;
  double weight_ = 1.0, curvature_ = 1.0, accuracy_ = 1e-9;
  Bounds bounds_;
  Partition partition_;
  VectorView lower_, upper_;  ///< without R only; empty: none
};

/// A method for f + weight R: ProgramSolver::solve() gives programs of CompositeFunctions to these only.
class LIBSOLVE_EXPORT CompositeSolver : public ProgramSolver {
 public:
  ~CompositeSolver() override;
  using ProgramSolver::solve;

 protected:
  /// The functions of the program as a sum: its own, or f with its bounds and R = 0. Unsupported for
  /// programs with constraints; `method` is named in messages.
  static std::shared_ptr<CompositeFunctions> sum_of(const NonlinearProgram& problem,
                                                    const std::string& method);
  /// R hears `monitor` during its life.
  class Heeded {
   public:
    Heeded(const CompositeFunctions& sum, Monitor& monitor) : sum_(sum) { sum_.heed(&monitor); }
    ~Heeded() { sum_.heed(nullptr); }
    Heeded(const Heeded&) = delete;
    Heeded& operator=(const Heeded&) = delete;

   private:
    const CompositeFunctions& sum_;
  };
  /// Ends a solve: multipliers of bounds where there is no R, what R took, verify_report().
  /// After a stop by time or signal verify() does not wait for R to iterate: it adds the bound of what R misses.
  static void finish(NonlinearProgram& problem, CompositeFunctions& sum, double tolerance,
                     Report& report);
};

/// Prepares R for the program and puts both together. The grid is that of the field of the program's
/// solution whose cells go into x without a rest. What R cannot do is Unsupported.
LIBSOLVE_EXPORT std::unique_ptr<NonlinearProgram> composite_program(
    const NonlinearProgram& smooth, std::shared_ptr<ProximalOperator> R, double weight);

}  // namespace libsolve
