#pragma once

#include <libsolve/linear/csr_matrix.hpp>
#include <libsolve/linear/halo.hpp>
#include <string>
#include <vector>

namespace relaxation {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// d = (D / omega + L)^-1 r over several ranks, L the entries between a row and rows of earlier
/// colours: rows of one colour do not couple, on any rank, and are done together; between two colours
/// their d goes to the neighbours. Colours are the greedy ones in the order of the global row numbers, as
/// multicolour_order() has them on one rank: red and black on grids. So a sweep is that of one rank but
/// for rounding.
/// Cost of a sweep: half the off-diagonal entries, 12 bytes each, and one exchange for each colour after
/// the first.
class ColouredSweep {
 public:
  ColouredSweep() = default;
  /// Collective. Throws Unsupported where the pattern is not symmetric, NumericalError for a zero on the
  /// diagonal, both naming `asker`.
  ColouredSweep(const CsrMatrix& A, const std::string& asker);
  /// Collective.
  void solve(const Vector& r, const Vector& d, double omega) const;
  Index num_colours() const { return static_cast<Index>(first_.size()) - 1; }
  double memory_bytes() const;

 private:
  std::vector<Index> first_ = {0};  ///< rows of colour c: places [first_[c], first_[c + 1])
  Kokkos::View<const Index*, MemSpace> rows_;
  Kokkos::View<const GlobalIndex*, MemSpace> row_pointers_;
  /// Own columns as they are, entry w of the halo as num_rows + w.
  Kokkos::View<const Index*, MemSpace> columns_;
  Kokkos::View<const double*, MemSpace> values_;
  Kokkos::View<const double*, MemSpace> inverse_diagonal_;
  Halo halo_;
  VectorView ghosts_;
};

}  // namespace relaxation
