#pragma once

#include <cstdint>
#include <libsolve/core/partition.hpp>
#include <memory>
#include <span>
#include <vector>

/// Entries that pass from the ranks that own them to the ranks that want them, by PETSc's PetscSF.
/// Behind an interface without PETSc's headers, which adapters/petsc.cpp implements; halo.hpp is what
/// the rest of libsolve uses.
namespace libsolve {

enum class EntryType { float32, float64, int64 };

/// One pattern of exchange. Buffers lie in host memory; one exchange at a time.
class LIBSOLVE_EXPORT Exchange {
 public:
  virtual ~Exchange();
  /// Positions in this rank's part that some rank wants, ascending. `sent` below holds the entries
  /// there, in this order.
  const std::vector<Index>& sent_rows() const noexcept { return sent_rows_; }
  /// Fills `wanted` with the owners' entries, between begin and end. Collective.
  virtual void begin(EntryType type, const void* sent, void* wanted) = 0;
  virtual void end(EntryType type, const void* sent, void* wanted) = 0;
  /// The transpose, in double: to each entry of `sent` adds what all ranks hold for it in `wanted`.
  virtual void add(const double* wanted, double* sent) = 0;
  /// To other ranks, each exchange.
  std::int64_t messages() const noexcept { return messages_; }
  /// Entries sent to other ranks, each exchange.
  std::int64_t entries() const noexcept { return entries_; }

 protected:
  std::vector<Index> sent_rows_;
  std::int64_t messages_ = 0;
  std::int64_t entries_ = 0;
};

/// `wanted`: rows of `owner`, on any rank, own ones included. Collective. Throws Unsupported in a
/// build without PETSc or where its indices are too narrow, ShapeError for rows that are not there.
LIBSOLVE_EXPORT std::unique_ptr<Exchange> make_exchange(const Partition& owner,
                                                        std::span<const GlobalIndex> wanted);

}  // namespace libsolve
