#pragma once

#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/pde/q1_control_operator.hpp>
#include <libsolve/plugin/registry.hpp>
#include <memory>

#include "cycle.hpp"

namespace pde_control {

/// For the collective cycle: V and 2 sweeps; for the cycles of block preconditioners, the number of
/// them too.
struct CollectiveOptions : CycleOptions {
  static void describe(Fields<CollectiveOptions>& f) { describe_common(f); }
};
struct BlockOptions : CycleOptions {
  int cycles = 2;
  ComponentSpec solver = "none";
  BlockOptions();
  static void describe(Fields<BlockOptions>& f) {
    describe_common(f);
    f.add("cycles", &BlockOptions::cycles, Range::closed(1, 20),
          "multigrid cycles for each system with H = M + sqrt(alpha) K");
    f.add_component("solver", &BlockOptions::solver, LinearSolver::kind,
                    "solves the systems with H to its own tolerance, from zero; none: the cycles");
  }
};

/// What the preconditioners below share: the operator must be a Q1ControlOperator.
class ControlPreconditioner : public Preconditioner {
 public:
  explicit ControlPreconditioner(std::string name) : name_(std::move(name)) {}
  void setup(const LinearSystem& system) final;
  /// Cycles since it was made.
  virtual std::int64_t v_cycles() const { return 0; }
  virtual std::int64_t collective_v_cycles() const { return 0; }
  std::vector<Measure> metrics() const override;

 protected:
  virtual void prepare(const Q1ControlOperator& K) = 0;
  /// Whether W may have zeros, where controls are fixed.
  virtual bool takes_fixed_controls() const { return false; }
  virtual int num_levels() const = 0;
  std::string name_;
};

/// One collective multigrid cycle on the whole system.
class CollectiveMultigrid final : public ControlPreconditioner {
 public:
  using Options = CollectiveOptions;
  CollectiveMultigrid(const Options& options, const Context&)
      : ControlPreconditioner("collective-multigrid"), options_(options) {}
  void apply(const Vector& r, const Vector& z) override { cycle_->apply(r, z); }
  /// z by full multigrid, for starts.
  void apply_nested(const Vector& r, const Vector& z) { cycle_->apply_nested(r, z); }
  bool is_linear() const override { return true; }
  bool is_symmetric() const override { return false; }  // symmetric, not definite
  double memory_bytes() const override;
  std::int64_t collective_v_cycles() const override;

 protected:
  void prepare(const Q1ControlOperator& K) override;
  bool takes_fixed_controls() const override { return true; }
  int num_levels() const override { return cycle_->num_levels(); }

 private:
  Options options_;
  std::unique_ptr<Cycle<2>> cycle_;
};

/// Block preconditioners by H = M + s K and, for one of them, M^-1 by Chebyshev's iteration.
/// Systems with H take cycles of the plugin's own, or a linear solver by name, which gets H as a
/// Q1Operator.
class BlockPreconditioner : public ControlPreconditioner {
 public:
  using Options = BlockOptions;
  BlockPreconditioner(std::string name, const Options& options, const Context& context);
  double memory_bytes() const override;
  /// An iteration that stops by its residual is not linear.
  bool is_linear() const override { return solver_ == nullptr; }
  std::int64_t v_cycles() const override { return cycle_ == nullptr ? 0 : cycle_->num_cycles; }
  /// With a solver by name "inner_solves", "inner_iterations", and "inner_failures", those that did
  /// not converge, whose last iterates are taken as they are.
  std::vector<Measure> metrics() const override;

 protected:
  void prepare(const Q1ControlOperator& K) override;
  int num_levels() const override { return cycle_ == nullptr ? 0 : cycle_->num_levels(); }
  /// v = H^-1 f, about.
  void solve_H(const Vector& f, const Vector& v);
  /// v = M^-1 f: a fixed number of Chebyshev steps for D^-1 M, whose spectrum lies in [1/4, 9/4]
  /// for bilinear and [1/8, 27/8] for trilinear elements (Wathen 1987).
  void solve_M(const Vector& f, const Vector& v);
  void apply_M(const Vector& v, const Vector& f) const { M_->apply(v, f); }
  void apply_S(const Vector& v, const Vector& f) const { S_->apply(v, f); }
  Vector part(const Vector& v, int which) const;
  Vector scratch(int which) const { return scratch_[which]; }

 private:
  Options options_;
  NodeGrid grid_;
  std::unique_ptr<Cycle<1>> cycle_;
  std::unique_ptr<LinearSolver> solver_;
  std::int64_t inner_solves_ = 0, inner_iterations_ = 0, inner_failures_ = 0;
  std::shared_ptr<const LinearOperator> M_, S_, H_;
  double mass_diagonal_ = 1.0;
  Vector scratch_[2], residual_, correction_, step_;
};

/// PRESB (Axelsson, Farouq, Neytcheva, Comparison of preconditioned Krylov subspace iteration
/// methods for PDE-constrained optimization problems, Numer. Algorithms 73, 2016): the system is
///   (M, -B; B, M) (y, -q) = (f, g),  B = s K,   by   (M, -B; B, M + 2 B),
/// with eigenvalues in [1/2, 1]. One application: v = H^-1 (f + g), y = H^-1 (f + B v), q = y - v.
class Presb final : public BlockPreconditioner {
 public:
  Presb(const Options& options, const Context& context)
      : BlockPreconditioner("presb", options, context) {}
  void apply(const Vector& r, const Vector& z) override;
  bool is_symmetric() const override { return false; }
};

/// Pearson, Wathen, A new approximation of the Schur complement in preconditioners for
/// PDE-constrained optimization, Numer. Linear Algebra Appl. 19, 2012: diag(M, H M^-1 H), the
/// second block close to the Schur complement M + B M^-1 B with eigenvalues in [1/2, 1].
class PearsonWathen final : public BlockPreconditioner {
 public:
  PearsonWathen(const Options& options, const Context& context)
      : BlockPreconditioner("pearson-wathen", options, context) {}
  void apply(const Vector& r, const Vector& z) override;
  bool is_symmetric() const override { return true; }
};

/// Zulehner, Nonstandard norms and robust estimates for saddle point problems, SIAM J. Matrix Anal.
/// Appl. 32, 2011: diag(H, H), condition number sqrt 2 with exact H.
class Zulehner final : public BlockPreconditioner {
 public:
  Zulehner(const Options& options, const Context& context)
      : BlockPreconditioner("zulehner", options, context) {}
  void apply(const Vector& r, const Vector& z) override;
  bool is_symmetric() const override { return true; }
};

}  // namespace pde_control
