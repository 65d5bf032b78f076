#include "dense_functions.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>

namespace newton_variants {

namespace {

std::span<const double> in(const Numbers& v) {
  return {v.data(), static_cast<std::size_t>(v.size())};
}
std::span<double> out(Numbers& v) {
  return {v.data(), static_cast<std::size_t>(v.size())};
}

}  // namespace

DenseFunctions::DenseFunctions(NonlinearProgram& problem, const std::string& method, int max_size,
                               bool takes_equalities)
    : problem_(&problem),
      at_(problem.functions()),
      n_(problem.num_variables()),
      m_(problem.num_constraints()) {
  const Bounds& x = problem.variable_bounds();
  const Bounds& c = problem.constraint_bounds();
  const auto refuse = [&](const std::string& why) {
    throw Unsupported("method '" + method + "' " + why + "; use 'sketch-newton'");
  };
  if (n_ > max_size)
    refuse("works with dense matrices; " + std::to_string(n_) +
           " variables are more than max_size = " + std::to_string(max_size));
  if (!problem.functions().has_entries()) refuse("needs the entries of the derivatives");
  if (!takes_equalities && m_ > 0)
    refuse("is for unconstrained programs; this one has " + std::to_string(m_) + " constraints");
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x.lower[i] > -INFINITY || x.upper[i] < INFINITY)
      refuse("knows no bounds, and variable " + std::to_string(i + 1) + " has some");
  for (std::size_t i = 0; i < c.size(); ++i)
    if (!c.is_equality(i))
      refuse("is for equalities, and constraint " + std::to_string(i + 1) + " is none");
}

double DenseFunctions::f(const Numbers& x) const {
  return at_.objective(in(x));
}

Numbers DenseFunctions::gradient(const Numbers& x) const {
  Numbers g(n_);
  at_.gradient(in(x), out(g));
  return g;
}

Numbers DenseFunctions::constraints(const Numbers& x) const {
  Numbers c(m_);
  at_.constraints(in(x), out(c));
  for (Index i = 0; i < m_; ++i)
    c[i] -= problem_->constraint_bounds().lower[static_cast<std::size_t>(i)];
  return c;
}

Matrix DenseFunctions::jacobian(const Numbers& x) const {
  const SparsePattern& p = problem_->functions().jacobian_pattern();
  Numbers values(static_cast<Eigen::Index>(p.size()));
  at_.jacobian(in(x), out(values));
  Matrix J = Matrix::Zero(m_, n_);
  for (std::size_t k = 0; k < p.size(); ++k)
    J(p.rows[k], p.columns[k]) += values[static_cast<Eigen::Index>(k)];
  return J;
}

Matrix DenseFunctions::hessian(const Numbers& x, const Numbers& lambda) const {
  const SparsePattern& p = problem_->functions().hessian_pattern();
  Numbers values(static_cast<Eigen::Index>(p.size()));
  at_.hessian(in(x), 1.0, in(lambda), out(values));
  Matrix H = Matrix::Zero(n_, n_);
  for (std::size_t k = 0; k < p.size(); ++k) {
    const double v = values[static_cast<Eigen::Index>(k)];
    H(p.rows[k], p.columns[k]) += v;
    if (p.rows[k] != p.columns[k]) H(p.columns[k], p.rows[k]) += v;
  }
  return H;
}

Numbers saddle_free(const Matrix& H, const Numbers& g, double least, double& lowest,
                    Numbers& direction) {
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(H);
  const Numbers size = eigen.eigenvalues().cwiseAbs();
  const double floor = std::max(least * size.maxCoeff(), 1e-300);
  lowest = eigen.eigenvalues()[0];
  direction = eigen.eigenvectors().col(0);
  const Numbers inverse = size.cwiseMax(floor).cwiseInverse();
  return eigen.eigenvectors() * (inverse.asDiagonal() * (eigen.eigenvectors().transpose() * g));
}

void finish(NonlinearProgram& problem, const Numbers& x, const Numbers& lambda, double tolerance,
            const EvaluationCounts& before, Report& report) {
  const Numbers z = Numbers::Zero(x.size());
  problem.set_solution(in(x), in(lambda), in(z));
  add_evaluation_counts(problem.functions().counts(), before, report);
  verify_report(problem, tolerance, report);
}

}  // namespace newton_variants
