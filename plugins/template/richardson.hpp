#pragma once

#include <libsolve/linear/linear_solver.hpp>
#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/plugin/registry.hpp>
#include <memory>
#include <optional>

namespace richardson {

struct RichardsonOptions {
  libsolve::StoppingCriteria stopping = {};
  std::optional<double> step = std::nullopt;
  libsolve::ComponentSpec preconditioner = "none";

  static void describe(libsolve::Fields<RichardsonOptions>& f) {
    using O = RichardsonOptions;
    f.add_group(&O::stopping);
    f.add("step", &O::step, libsolve::Range::above(0.0),
          "length of a step; \"auto\" takes the one that leaves the smallest residual");
    f.add_component("preconditioner", &O::preconditioner, libsolve::Preconditioner::kind,
                    "approximate inverse of A, by name or as a table; \"none\" for none");
  }
};

/// Richardson's iteration for A x = b, preconditioned (Saad, Iterative Methods for Sparse Linear
/// Systems, 2nd edition, sections 4.1 and 5.3):
///   z = M r,   q = A z,   x <- x + omega z,   r <- r - omega q,
/// with omega given, or omega = r^T q / q^T q, which minimises ||r - omega q||.
///
/// Converges for a given omega when all eigenvalues of I - omega A M lie inside the unit circle;
/// for "auto" when A M has a positive definite symmetric part. Stops when
/// ||b - A x|| <= max(relative_tolerance ||b||, absolute_tolerance), recomputed before it says so.
/// Per iteration one product with A, one with M, and 7 (auto: 9) vectors moved. Holds three vectors
/// (two without a preconditioner), which are kept between solves.
class Richardson final : public libsolve::LinearSolver {
 public:
  using Options = RichardsonOptions;
  /// Throws InputError where the preconditioner's name or options are wrong.
  Richardson(const Options& options, const libsolve::Context& context);
  ~Richardson() override;

  void setup(const libsolve::LinearSystem& system) override;
  libsolve::Report solve(libsolve::LinearSystem& system, libsolve::Monitor& monitor) override;
  using libsolve::LinearSolver::solve;

 private:
  struct Stop;
  Stop iterate(libsolve::LinearSystem& system, libsolve::Monitor& monitor);

  Options options_;
  std::unique_ptr<libsolve::Preconditioner> preconditioner_;  ///< null for "none"
  std::shared_ptr<const libsolve::LinearOperator> prepared_for_;
  libsolve::Vector r_;
  libsolve::Vector z_;
  libsolve::Vector q_;
  // Of the solve at hand.
  std::int64_t iterations_ = 0;
  std::int64_t operator_applications_ = 0;
  std::int64_t preconditioner_applications_ = 0;
};

}  // namespace richardson
