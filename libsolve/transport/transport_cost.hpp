#pragma once

#include <libsolve/core/partition.hpp>
#include <libsolve/core/vector.hpp>
#include <memory>
#include <optional>
#include <string>

namespace libsolve {

/// Some entries of an n x m matrix in compressed rows, those of this rank's rows. Columns of a row
/// ascend.
struct SparseEntries {
  Kokkos::View<GlobalIndex*, MemSpace> row_pointers;  ///< rows + 1
  Kokkos::View<Index*, MemSpace> columns;
  VectorView values;
  GlobalIndex size() const { return static_cast<GlobalIndex>(columns.extent(0)); }
};

/// Rows of a dense matrix.
using DenseBlock = Kokkos::View<double**, Kokkos::LayoutRight, MemSpace>;

/// How scale_rows() works.
struct RowScaling {
  double damping = 1.0;  ///< lambda in (0, 1]: 1 for fixed marginals, rho / (rho + eps) for relaxed ones
  /// The exponent in double, its exp in float: relative error 1e-7 in the sums at any eps, exps
  /// below 1e-38 are lost and rows to be scaled by 1e20 count as underflowed. Ignored on devices.
  bool single_precision = false;
};

/// The cost C_ij >= 0 of moving a unit of mass from point i to point j, known by passes over all
/// its entries: C is stored, or computed where it is needed and never stored (O(n + m) memory).
/// Rows lie over the ranks; all m columns are known to each. `f` is of length rows().local_size(),
/// `g` of length num_columns() and the same on all ranks; both, and eps > 0, are in units of C.
/// Sums over columns hold this rank's rows only: the caller reduces them.
///
/// The plan of potentials f, g is P_ij = exp((f_i + g_j - C_ij) / eps). Every pass costs one exp an
/// entry at most, works on 8 entries at a time, and is deterministic for a number of threads.
class LIBSOLVE_EXPORT TransportCost {
 public:
  virtual ~TransportCost();

  const Partition& rows() const noexcept { return rows_; }
  Index num_columns() const noexcept { return num_columns_; }
  /// "point clouds, |x - y|^2 in 2D", ...
  virtual std::string description() const = 0;
  /// Largest entry over all ranks, infinite where one is negative or NaN; computed at the first
  /// call, which is collective.
  double maximum() const;

  /// r = P 1 (local rows) and c = P^T 1 (this rank's part); both overwritten.
  virtual void sums(const ConstVectorView& f, const ConstVectorView& g, double eps,
                    const VectorView& r, const VectorView& c) const = 0;
  /// A full Sinkhorn iteration but for its last m logarithms, one exp an entry: r = P 1, then
  ///   f_i := lambda (f_i + eps log(a_i / r_i)),   c = P^T 1 with the new f.
  /// `f` is updated in place; `r` keeps the sums from before. A row whose entries have underflowed
  /// gives r_i = 0; it, and one that is not finite, keeps its f and adds nothing to c: row_minima() and then sums() are the way out.
  virtual void scale_rows(const ConstVectorView& a, const VectorView& f, const ConstVectorView& g,
                          double eps, const VectorView& r, const VectorView& c,
                          const RowScaling& how = {}) const = 0;
  /// u_i = min_j (C_ij - g_j), the c-transform of g; no exp. Where `arg` has an extent: the
  /// (smallest) j of the minimum.
  virtual void row_minima(const ConstVectorView& g, const VectorView& u,
                          const Kokkos::View<Index*, MemSpace>& arg = {}) const = 0;
  /// v_j = min over this rank's rows of (C_ij - f_i): reduce by minimum.
  virtual void column_minima(const ConstVectorView& f, const VectorView& v) const = 0;
  /// Entries with slack s_ij = f_i + g_j - C_ij >= threshold_i; `values` are the slacks.
  virtual SparseEntries entries_above(const ConstVectorView& f, const ConstVectorView& g,
                                      const ConstVectorView& threshold) const = 0;
  /// Sum of C_ij P_ij over this rank's rows.
  virtual double weighted_sum(const ConstVectorView& f, const ConstVectorView& g,
                              double eps) const = 0;
  /// `values` of the entries := C_ij.
  virtual void evaluate(const SparseEntries& entries) const = 0;
  /// Rows [first, first + block.extent(0)) of C, local numbers.
  virtual void rows_of(Index first, const DenseBlock& block) const = 0;
  /// C^T, sharing what can be shared. Unsupported on several ranks.
  virtual std::shared_ptr<const TransportCost> transposed() const = 0;
  /// Bytes held by the cost itself.
  virtual double memory_bytes() const = 0;

 protected:
  TransportCost(Partition rows, Index num_columns);
  /// For transposed().
  void refuse_several_ranks() const;
  virtual double local_maximum() const = 0;

 private:
  Partition rows_;
  Index num_columns_ = 0;
  mutable std::optional<double> maximum_;
};

}  // namespace libsolve
