#pragma once

#include <cstdint>
#include <vector>

namespace learned_proximal {

/// Synthetic pictures of size x size cells, x fastest, grey values in [0, 1]: a background, black
/// in one half of them, under 1 to 6 discs, rings, turned rectangles, triangles or half planes of
/// one value each, one in twenty striped or checked. What covers a part of a cell counts by 4 x 4 points. Picture `number` of `seed`
/// depends on nothing else.
class Pictures {
 public:
  Pictures(int size, std::uint64_t seed, const char* purpose)
      : size_(size), seed_(seed), purpose_(purpose) {}
  int size() const noexcept { return size_; }
  void draw(std::uint64_t number, std::vector<double>& picture) const;
  /// Adds sigma times white noise; before that, to the part `sharpened` of all pictures, t (x - B
  /// x), B x the picture blurred, t in [0, 1).
  void add_noise(std::uint64_t number, double sigma, double sharpened,
                 std::vector<double>& picture) const;

 private:
  int size_;
  std::uint64_t seed_;
  const char* purpose_;
};

}  // namespace learned_proximal
