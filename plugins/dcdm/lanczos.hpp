#pragma once

#include <vector>

#include "host_operator.hpp"

namespace dcdm {

/// Ritz pairs of A from the Krylov space of `start`, ascending by value. The basis is made
/// orthogonal to all earlier vectors twice in each step, so that no pair comes twice.
struct RitzPairs {
  std::vector<double> values;
  std::vector<std::vector<double>> vectors;  ///< unit norm
};
/// At most m pairs; fewer where the space is exhausted. Work m^2 n and m^3, storage 2 m n.
RitzPairs lanczos(const HostOperator& A, std::vector<double> start, int m);

/// Eigenvalues (ascending) and orthonormal eigenvectors, [k] the k-th, of the symmetric tridiagonal
/// matrix with this diagonal and the entries beside it, by implicit QL steps (Wilkinson shifts).
struct TridiagonalEigen {
  std::vector<double> values;
  std::vector<std::vector<double>> vectors;
};
TridiagonalEigen tridiagonal_eigen(std::vector<double> diagonal, std::vector<double> beside);

}  // namespace dcdm
