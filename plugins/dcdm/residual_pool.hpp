#pragma once

#include <array>
#include <libsolve/core/random.hpp>
#include <libsolve/learn/weights.hpp>
#include <vector>

#include "host_operator.hpp"

namespace dcdm {

/// Residuals that the method meets on its way, for training: entries of a pool are solves under
/// way, each with its residual and last two directions. An answer q of the network to an entry's
/// residual moves that solve on by one step, so that computing the loss is also the simulation.
/// A solve is begun anew with probability 0.04 and where it has gained 3e-6.
class ResidualPool {
 public:
  static constexpr int num_entries = 64;
  ResidualPool(const HostOperator& A, const std::array<int, 3>& cells, std::uint64_t seed);

  /// The residual of an entry, of unit norm.
  const std::vector<double>& residual(int entry) const { return entries_[size_t(entry)].r; }
  /// One step of the method with q (of which A q is known) in training step `step`. Entries are
  /// independent of each other: threads may take one each.
  void advance(int entry, std::int64_t step, const std::vector<double>& q,
               const std::vector<double>& Aq);

  std::vector<NamedArray> state() const;
  void resume(const Weights& state);

 private:
  struct Entry {
    std::vector<double> r;
    std::array<std::vector<double>, 2> d, Ad;  ///< the older first
    int num_directions = 0;
    double reached = 1.0;  ///< norm of the residual, of its first one
  };
  /// White noise, A times white noise, or noise on every fourth cell interpolated, by chance.
  void begin(Entry& e, std::uint64_t draw) const;
  void coarse_noise(std::uint64_t first, std::vector<double>& r) const;

  const HostOperator& A_;
  std::array<int, 3> cells_;
  RandomStream noise_;
  RandomStream choices_;
  std::vector<Entry> entries_;
};

}  // namespace dcdm
