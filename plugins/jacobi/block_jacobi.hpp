#pragma once

#include <libsolve/linear/preconditioner.hpp>
#include <libsolve/plugin/registry.hpp>

namespace jacobi {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

struct BlockJacobiOptions {
  int block_size = 8;
  static void describe(Fields<BlockJacobiOptions>& f) {
    f.add("block_size", &BlockJacobiOptions::block_size, Range::closed(1, 256),
          "rows in a block; for systems of equations a multiple of the unknowns per node");
  }
};

/// z_B = A_BB^-1 r_B for consecutive blocks B of `block_size` rows (the last may be shorter). The
/// inverses are formed by elimination with partial pivoting and stored: block_size doubles a row,
/// streamed once per application. Symmetric where A is, positive definite where A is.
class BlockJacobi final : public Preconditioner {
 public:
  using Options = BlockJacobiOptions;
  BlockJacobi(const Options& options, const Context&) : size_(options.block_size) {}

  /// Throws NumericalError for a singular block.
  void setup(const LinearSystem& system) override;
  void apply(const Vector& r, const Vector& z) override;
  bool is_symmetric() const override { return is_symmetric_; }
  double memory_bytes() const override { return 8.0 * static_cast<double>(inverses_.span()); }
  std::vector<std::string> notes() const override { return notes_; }

 private:
  Index size_;
  bool is_symmetric_ = false;
  Kokkos::View<double*, MemSpace> inverses_;  ///< entry (i, j) of row i at size i + j
  std::vector<std::string> notes_;
};

}  // namespace jacobi
