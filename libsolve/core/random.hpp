#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>
#include <string_view>

namespace libsolve {

/// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random
/// numbers: as easy as 1, 2, 3", SC 2011). The number at (seed, purpose, index) depends on nothing
/// else, so results do not change with the number of threads or ranks. Usable in kernels; copy it
/// by value. `purpose` separates streams of one seed ("right_hand_side", "sketch").
class RandomStream {
 public:
  constexpr RandomStream(std::uint64_t seed, std::string_view purpose)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
        purpose_(hash(purpose)) {}

  /// Uniform on [0, 1), 53 bits.
  KOKKOS_INLINE_FUNCTION double uniform(std::uint64_t index) const {
    const Block b = block(index);
    return to_unit(b.word[0], b.word[1]);
  }

  /// Uniform on [low, high).
  KOKKOS_INLINE_FUNCTION double uniform(std::uint64_t index, double low, double high) const {
    return low + (high - low) * uniform(index);
  }

  /// Standard normal by Box-Muller; one number per index.
  KOKKOS_INLINE_FUNCTION double normal(std::uint64_t index) const {
    const Block b = block(index);
    const double u = 1.0 - to_unit(b.word[0], b.word[1]);  // (0, 1], so that log is finite
    const double v = to_unit(b.word[2], b.word[3]);
    return Kokkos::sqrt(-2.0 * Kokkos::log(u)) * Kokkos::cos(6.283185307179586476925286766559 * v);
  }

  /// 64 random bits.
  KOKKOS_INLINE_FUNCTION std::uint64_t bits(std::uint64_t index) const {
    const Block b = block(index);
    return (static_cast<std::uint64_t>(b.word[0]) << 32) | b.word[1];
  }

  struct Block {
    std::uint32_t word[4];
  };
  /// The four words of Philox4x32-10 with this stream's key and counter (index, purpose).
  KOKKOS_INLINE_FUNCTION Block block(std::uint64_t index) const {
    return philox({{static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                    static_cast<std::uint32_t>(purpose_), static_cast<std::uint32_t>(purpose_ >> 32)}},
                  key_[0], key_[1]);
  }

  /// The bijection itself, for tests against the published vectors.
  KOKKOS_INLINE_FUNCTION static Block philox(Block c, std::uint32_t k0, std::uint32_t k1) {
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t m0 = 0xD2511F53ULL * c.word[0];
      const std::uint64_t m1 = 0xCD9E8D57ULL * c.word[2];
      c = {{static_cast<std::uint32_t>(m1 >> 32) ^ c.word[1] ^ k0, static_cast<std::uint32_t>(m1),
            static_cast<std::uint32_t>(m0 >> 32) ^ c.word[3] ^ k1, static_cast<std::uint32_t>(m0)}};
      k0 += 0x9E3779B9U;
      k1 += 0xBB67AE85U;
    }
    return c;
  }

 private:
  KOKKOS_INLINE_FUNCTION static double to_unit(std::uint32_t high, std::uint32_t low) {
    const std::uint64_t bits = (static_cast<std::uint64_t>(high) << 21) ^ (low >> 11);
    return static_cast<double>(bits) * 0x1.0p-53;
  }
  /// FNV-1a, 64 bits.
  static constexpr std::uint64_t hash(std::string_view text) {
    std::uint64_t h = 14695981039346656037ULL;
    for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    return h;
  }

  std::uint32_t key_[2];
  std::uint64_t purpose_;
};

}  // namespace libsolve
