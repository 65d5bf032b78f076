#pragma once

#include <cstdint>
#include <string>

#include "image.hpp"

namespace transport_sources {

/// A few colours for a picture: `points` in rows of (red, green, blue), `masses` of total 1.
struct Palette {
  std::vector<double> points;
  std::vector<double> masses;
};

/// `count` pixels drawn without replacement, each of the same mass; then `steps` steps of Lloyd's
/// algorithm over at most 50 000 pixels (drawn, too): colours become the means of the pixels nearest
/// to them, masses the shares of those; colours without pixels are left out.
Palette palette_of(const Image& image, int count, int steps, std::uint64_t seed,
                   const std::string& purpose);

}  // namespace transport_sources
