#pragma once

#include <libsolve/bilevel/bilevel_program.hpp>
#include <libsolve/optimize/program_solver.hpp>
#include <memory>
#include <vector>

namespace libsolve {

/// f(x, .) and g(x, .) for a fixed x, as functions of y.
class LIBSOLVE_EXPORT LowerFunctions final : public ProgramFunctions {
 public:
  /// `problem` outlives it; x is that of the problem's point.
  explicit LowerFunctions(const BilevelProgram& problem);
  ~LowerFunctions() override;
  void set_x(const ConstVectorView& x);  ///< nx values, MemSpace
  void set_x(std::span<const double> x);

  Index num_variables() const override;
  Index num_constraints() const override;
  std::vector<std::string> constraint_names() const override;
  bool has_entries() const override;
  const SparsePattern& jacobian_pattern() const override;
  const SparsePattern& hessian_pattern() const override;
  bool is_linear(Index constraint) const override;

 protected:
  double do_objective(const ConstVectorView& y) override;
  void do_gradient(const ConstVectorView& y, const VectorView& g) override;
  void do_constraints(const ConstVectorView& y, const VectorView& c) override;
  void do_jacobian(const ConstVectorView& y, const VectorView& values) override;
  void do_hessian(const ConstVectorView& y, double sigma, const ConstVectorView& lambda,
                  const VectorView& values) override;
  void do_apply_jacobian(const ConstVectorView& y, const ConstVectorView& w,
                         const VectorView& out) override;
  void do_apply_jacobian_adjoint(const ConstVectorView& y, const ConstVectorView& w,
                                 const VectorView& out) override;
  void do_apply_hessian(const ConstVectorView& y, double sigma, const ConstVectorView& lambda,
                        const ConstVectorView& w, const VectorView& out) override;

 private:
  struct Slice;  ///< which entries of a pattern in v belong to y, and their pattern
  const ConstVectorView& at(const ConstVectorView& y);
  std::shared_ptr<ProgramFunctions> lower_;
  Index nx_, ny_;
  VectorView v_, direction_, result_;
  ConstVectorView v_const_;
  std::unique_ptr<Slice> jacobian_, hessian_;
};

/// The lower level at one x after the other, as a nonlinear program, by a program solver.
class LIBSOLVE_EXPORT LowerLevel {
 public:
  /// `problem` outlives it.
  LowerLevel(const BilevelProgram& problem, std::unique_ptr<ProgramSolver> solver);
  ~LowerLevel();

  struct Solution {
    std::vector<double> y = {};
    std::vector<double> lambda = {};  ///< of g
    std::vector<double> z = {};       ///< of Y
    double objective = 0.0;           ///< f(x, y)
    KktResidual residual = {};
    Status status = Status::breakdown;
  };
  /// From y as start, with multipliers where these are not empty; or from the problem's own
  /// solution (BilevelParts::lower_solution), which is returned where it is one. Stops with
  /// `monitor`.
  Solution solve(std::span<const double> x, std::span<const double> y,
                 std::span<const double> lambda, std::span<const double> z, Monitor& monitor);
  /// Solves made and iterations of the solver in them.
  std::int64_t solves() const noexcept { return solves_; }
  std::int64_t iterations() const noexcept { return iterations_; }

 private:
  Solution solution(Status status) const;  ///< of program_
  const BilevelProgram* problem_;
  std::unique_ptr<ProgramSolver> solver_;
  std::shared_ptr<LowerFunctions> functions_;
  std::unique_ptr<NonlinearProgram> program_;
  std::int64_t solves_ = 0, iterations_ = 0;
};

/// Solves the lower level at the x of v from the y of v and says what that proves of v; the
/// point of the problem becomes (x, y) with y solved again where that lowers f, its multipliers
/// those of the solution. `upper_stationarity` is taken over. With a lower_range, and a lower level
/// not known to be convex, the bound is proved by branch and bound where its effort allows.
LIBSOLVE_EXPORT BilevelCertificate certify(BilevelProgram& problem, LowerLevel& level,
                                           std::span<const double> v, double upper_stationarity,
                                           Monitor& monitor);

}  // namespace libsolve
