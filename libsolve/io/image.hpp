#pragma once

#include <cstddef>
#include <libsolve/core/export.hpp>
#include <string>
#include <vector>

namespace libsolve {

/// A picture: values in [0, 1] as stored (no gamma correction), channel fastest, then column, then
/// row from the top.
struct Image {
  int width = 0;
  int height = 0;
  int channels = 1;  ///< 1 (grey) or 3 (red, green, blue)
  std::vector<double> values = {};
  double at(int row, int column, int channel = 0) const {
    return values[(static_cast<std::size_t>(row) * width + column) * channels + channel];
  }
};

/// A portable anymap (P2, P3, P5, P6; 8 or 16 bits) or a PNG file of any kind (libpng; palettes are
/// resolved, what is transparent shows white behind it), told apart by their first bytes. InputError,
/// naming the file, where it cannot be opened, is neither, or is broken; Unsupported for PNG files in
/// a build without libpng.
LIBSOLVE_EXPORT Image read_image(const std::string& path);

/// The mean of the channels.
LIBSOLVE_EXPORT Image grey(const Image& image);

/// True in a build with libpng.
LIBSOLVE_EXPORT bool png_is_supported() noexcept;

}  // namespace libsolve
