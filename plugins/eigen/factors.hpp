#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

/// Eigen's factorisations behind an interface without its headers: this is plain C++, so that nvcc
/// never has to read Eigen.
namespace eigen {

/// A square matrix in compressed rows.
struct Entries {
  int num_rows = 0;
  std::span<const std::int64_t> row_pointers = {};
  std::span<const std::int32_t> columns = {};
  std::span<const double> values = {};
  bool is_symmetric = false;
};

class Factors {
 public:
  virtual ~Factors() = default;
  /// "" or why there are none.
  virtual std::string factor(const Entries& A) = 0;
  /// x = A^-1 b by the factors; b and x do not alias.
  virtual void solve(const double* b, double* x) const = 0;
  /// Entries of the factors.
  virtual double num_entries() const = 0;
  /// "L D L^T", "L U": which ones they are.
  virtual std::string kind() const = 0;
};

/// P A P^T = L D L^T without pivoting, in an order of minimum degree.
std::unique_ptr<Factors> sparse_ldlt();
/// Supernodal L U with partial pivoting, columns in an order of minimum degree.
std::unique_ptr<Factors> sparse_lu();
/// L D L^T of a symmetric matrix that turns out definite, else L U with partial pivoting.
std::unique_ptr<Factors> dense();

}  // namespace eigen
