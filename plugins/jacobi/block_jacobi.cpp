#include "block_jacobi.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/linear/assembled.hpp>
#include <vector>

namespace jacobi {

/// Inverts block after block on the host; `singular` becomes the smallest block that cannot be.
struct InvertBlocks {
  HostCsr A;
  Index size;
  bool symmetric;
  Kokkos::View<double*, Kokkos::HostSpace> inverses;

  void operator()(Index block, Index& singular) const {
    const Index first = block * size;
    const Index m = std::min(size, A.num_rows - first);
    // [A_BB | I] -> [I | A_BB^-1]
    std::vector<double> a(static_cast<size_t>(m) * m, 0.0);
    std::vector<double> inverse(a.size(), 0.0);
    for (Index i = 0; i < m; ++i) {
      inverse[i * m + i] = 1.0;
      for (GlobalIndex k = A.begin(first + i); k < A.end(first + i); ++k) {
        const Index j = A.columns(k) - first;
        if (j >= 0 && j < m) a[i * m + j] = A.values(k);
      }
    }
    for (Index k = 0; k < m; ++k) {
      Index pivot = k;
      for (Index i = k + 1; i < m; ++i)
        if (std::abs(a[i * m + k]) > std::abs(a[pivot * m + k])) pivot = i;
      const double inverse_pivot = 1.0 / a[pivot * m + k];
      if (!std::isfinite(inverse_pivot)) {
        singular = std::min(singular, block);
        return;
      }
      for (Index j = 0; j < m; ++j) {
        std::swap(a[k * m + j], a[pivot * m + j]);
        std::swap(inverse[k * m + j], inverse[pivot * m + j]);
        a[k * m + j] *= inverse_pivot;
        inverse[k * m + j] *= inverse_pivot;
      }
      for (Index i = 0; i < m; ++i) {
        const double factor = a[i * m + k];
        if (i == k || factor == 0.0) continue;
        for (Index j = 0; j < m; ++j) {
          a[i * m + j] -= factor * a[k * m + j];
          inverse[i * m + j] -= factor * inverse[k * m + j];
        }
      }
    }
    double* out = inverses.data() + static_cast<size_t>(first) * size;
    for (Index i = 0; i < m; ++i)
      for (Index j = 0; j < m; ++j)
        out[static_cast<size_t>(i) * size + j] =
            symmetric ? 0.5 * (inverse[i * m + j] + inverse[j * m + i]) : inverse[i * m + j];
  }
};

/// Row i of z_B = A_BB^-1 r_B.
struct MultiplyBlockRow {
  const double* inverses;
  Index size;
  Index num_rows;
  const double* r;
  double* z;
  KOKKOS_FUNCTION void operator()(Index i) const {
    const Index first = i - i % size;
    const Index m = num_rows - first < size ? num_rows - first : size;
    const double* row = inverses + static_cast<size_t>(i) * size;
    double sum = 0.0;
    for (Index j = 0; j < m; ++j) sum += row[j] * r[first + j];
    z[i] = sum;
  }
};

void BlockJacobi::setup(const LinearSystem& system) {
  notes_.clear();
  const auto A = assembled(system.shared_A(), "preconditioner 'block-jacobi'", notes_);
  if (A->num_rows() != A->num_columns())
    throw Unsupported("preconditioner 'block-jacobi' needs a square matrix, got " +
                      A->description());
  is_symmetric_ = A->is_symmetric();
  const Index n = A->row_partition().local_size();
  const Kokkos::View<double*, Kokkos::HostSpace> inverses("jacobi::inverses",
                                                          static_cast<size_t>(n) * size_);
  const Index num_blocks = n / size_ + (n % size_ != 0 ? 1 : 0);
  Index singular = num_blocks;
  Kokkos::parallel_reduce(
      "jacobi::invert_blocks",
      Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace, Kokkos::IndexType<Index>>(0,
                                                                                       num_blocks),
      InvertBlocks{host_csr(*A), size_, is_symmetric_, inverses}, Kokkos::Min<Index>(singular));
  if (num_blocks > 0 && singular < num_blocks)
    throw NumericalError("preconditioner 'block-jacobi': the block of rows " +
                         std::to_string(singular * size_) + " to " +
                         std::to_string(std::min(n, (singular + 1) * size_) - 1) +
                         " is singular; choose another block_size, or 'ilu0'");
  inverses_ = Kokkos::create_mirror_view_and_copy(MemSpace(), inverses);
}

void BlockJacobi::apply(const Vector& r, const Vector& z) {
  const Index n = z.local_size();
  Kokkos::parallel_for("jacobi::apply_blocks",
                       Kokkos::RangePolicy<ExecSpace, Kokkos::IndexType<Index>>(0, n),
                       MultiplyBlockRow{inverses_.data(), size_, n, r.data(), z.data()});
}

}  // namespace jacobi
