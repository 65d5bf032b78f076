#pragma once

#include <Eigen/Dense>
#include <libsolve/optimize/program_solver.hpp>
#include <libsolve/plugin/registry.hpp>
#include <string>

namespace newton_variants {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

using Numbers = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;

/// A program's functions with dense derivatives, on the host.
class DenseFunctions {
 public:
  /// Unsupported for more than max_size variables, for bounds and inequalities, and, for methods
  /// that have no use for them, for constraints at all; `method` is named in the message.
  DenseFunctions(NonlinearProgram& problem, const std::string& method, int max_size,
                 bool takes_equalities);
  double f(const Numbers& x) const;
  Numbers gradient(const Numbers& x) const;
  Numbers constraints(const Numbers& x) const;  ///< c(x) minus its bound
  Matrix jacobian(const Numbers& x) const;
  /// Of f + lambda^T c.
  Matrix hessian(const Numbers& x, const Numbers& lambda) const;
  Index n() const { return n_; }
  Index m() const { return m_; }

 private:
  NonlinearProgram* problem_;
  HostAccess at_;
  Index n_, m_;
};

/// |H|^-1 g with eigenvalues' absolute values, none below `least` times the largest one; `lowest`
/// and `direction`: smallest eigenvalue and its eigenvector.
Numbers saddle_free(const Matrix& H, const Numbers& g, double least, double& lowest,
                    Numbers& direction);

/// x (and multipliers) into the problem; what all methods report.
void finish(NonlinearProgram& problem, const Numbers& x, const Numbers& lambda, double tolerance,
            const EvaluationCounts& before, Report& report);

}  // namespace newton_variants
