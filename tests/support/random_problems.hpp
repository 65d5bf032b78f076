#pragma once

#include <libsolve/linear/linear_system.hpp>
#include <memory>
#include "dense_operator.hpp"

/// Random problems with known spectra, the same for the same seed.
namespace libsolve::test {

/// n values from 1 down to 1 / condition, equally spaced on a logarithmic scale.
std::vector<double> log_spectrum(Index n, double condition);
/// Standard normal numbers.
std::vector<double> random_vector(Index n, std::uint64_t seed);
/// The columns of a random orthogonal matrix: q[j] is column j, n long; num <= n of them.
std::vector<std::vector<double>> random_orthonormal(Index n, Index num, std::uint64_t seed);

/// Q diag(spectrum) Q^T.
std::shared_ptr<DenseOperator> random_symmetric(const std::vector<double>& spectrum,
                                                std::uint64_t seed);
/// U diag(spectrum) V^T with m rows and spectrum.size() columns.
std::shared_ptr<DenseOperator> random_with_singular_values(Index m,
                                                           const std::vector<double>& spectrum,
                                                           std::uint64_t seed);
/// Symmetric positive definite, condition number given.
std::shared_ptr<DenseOperator> random_spd(Index n, double condition, std::uint64_t seed);
/// Symmetric with half of the spectrum negative.
std::shared_ptr<DenseOperator> random_indefinite(Index n, double condition, std::uint64_t seed);
/// I + 0.5 G / sqrt(n) with G normal: unsymmetric, well conditioned, spectrum in the right half.
std::shared_ptr<DenseOperator> random_unsymmetric(Index n, std::uint64_t seed);
/// The matrix of a path graph with n nodes: singular, null space of constants.
std::shared_ptr<DenseOperator> path_laplacian(Index n);

/// A x = b with b = A x_true for a normal x_true (stored as exact_solution), x = 0.
std::unique_ptr<LinearSystem> consistent_system(std::shared_ptr<const DenseOperator> A,
                                                std::uint64_t seed);
/// The same matrix with right-hand side `b`, x = 0.
std::unique_ptr<LinearSystem> system_with(std::shared_ptr<const DenseOperator> A,
                                          const std::vector<double>& b);

}  // namespace libsolve::test
