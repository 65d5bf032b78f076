#pragma once

#include <libsolve/linear/assembled.hpp>
#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/linear/verified_solve.hpp>
#include <libsolve/plugin/registry.hpp>
#include <memory>
#include <string>

#include "factors.hpp"

namespace eigen {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct DirectOptions {
  double relative_tolerance = 1e-8;
  double absolute_tolerance = 0.0;
  int max_refinements = 10;
  template <class O>
  static void describe_common(Fields<O>& f) {
    f.add("relative_tolerance", &O::relative_tolerance, Range::closed(0.0, 1.0),
          "refine until the residual norm is below this times that of the right-hand side");
    f.add("absolute_tolerance", &O::absolute_tolerance, Range::at_least(0.0), "or below this");
    f.add("max_refinements", &O::max_refinements, Range::at_least(0.0),
          "steps x += F (b - A x) after the first");
  }
};

/// x += F (b - A x) with the factors F of A, until the residual is small enough: one step, and more
/// where rounding asks for it (iterative refinement, Wilkinson 1963). Factors and solves run on one
/// thread of the host. Where the system has a null space, A + alpha e_k e_k^T is factored, one k
/// for each of its components: not singular, and the same x for right-hand sides in the range.
class DirectSolver : public LinearSolver {
 public:
  DirectSolver(std::string name, const DirectOptions& options, std::unique_ptr<Factors> factors)
      : name_(std::move(name)), options_(options), factors_(std::move(factors)) {}

  void setup(const LinearSystem& system) final;
  Report solve(LinearSystem& system, Monitor& monitor) final;
  using LinearSolver::solve;

 protected:
  /// The operator's entries; Unsupported where there are none, or too many of them.
  virtual std::shared_ptr<const CsrMatrix> entries(const LinearSystem& system);
  virtual bool needs_symmetric() const { return false; }
  std::vector<std::string> notes_;
  const std::string& name() const { return name_; }

 private:
  void factor(const LinearSystem& system);

  std::string name_;
  DirectOptions options_;
  std::unique_ptr<Factors> factors_;
  VerifiedSolve frame_;
  Vector z_;
  PreparedFor prepared_for_;
};

struct SparseOptions : DirectOptions {
  static void describe(Fields<SparseOptions>& f) { describe_common(f); }
};

/// "eigen-ldlt"
class SparseLdltSolver final : public DirectSolver {
 public:
  using Options = SparseOptions;
  SparseLdltSolver(const Options& options, const Context&)
      : DirectSolver("eigen-ldlt", options, sparse_ldlt()) {}

 protected:
  bool needs_symmetric() const override { return true; }
};

/// "eigen-lu"
class SparseLuSolver final : public DirectSolver {
 public:
  using Options = SparseOptions;
  SparseLuSolver(const Options& options, const Context&)
      : DirectSolver("eigen-lu", options, sparse_lu()) {}
};

struct DenseOptions : DirectOptions {
  int max_rows = 4000;
  static void describe(Fields<DenseOptions>& f) {
    describe_common(f);
    f.add("max_rows", &DenseOptions::max_rows, Range::at_least(1.0),
          "refuse larger systems: n rows take 8 n^2 bytes and 2/3 n^3 operations");
  }
};

/// "eigen-dense": any operator, column by column where it has no entries.
class DenseSolver final : public DirectSolver {
 public:
  using Options = DenseOptions;
  DenseSolver(const Options& options, const Context&)
      : DirectSolver("eigen-dense", options, dense()), max_rows_(options.max_rows) {}

 protected:
  std::shared_ptr<const CsrMatrix> entries(const LinearSystem& system) override;

 private:
  int max_rows_;
};

}  // namespace eigen
