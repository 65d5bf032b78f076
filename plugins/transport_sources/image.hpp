#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace transport_sources {

/// A picture: values in [0, 1], channel fastest, then column, then row from the top.
struct Image {
  int width = 0;
  int height = 0;
  int channels = 1;  ///< 1 (grey) or 3 (red, green, blue)
  std::vector<double> values = {};
  double at(int row, int column, int channel = 0) const {
    return values[(static_cast<std::size_t>(row) * width + column) * channels + channel];
  }
};

/// A portable anymap (P2, P3, P5, P6; 8 or 16 bits), or a dataset of an HDF5 file: h x w, h x w x 3, or,
/// with `index` >= 0, one of a stack of such. Integers up to 255 (65 535) are divided by that; numbers
/// within [0, 1] stay; other non-negative numbers are divided by the largest of the dataset.
/// InputError and DataError name the file.
Image read_image(const std::string& path, const std::string& dataset, int index);

/// The mean of the channels.
Image grey(const Image& image);

/// Another size: every new pixel is the mean of the bilinear interpolation at as many places as the
/// old pixels it covers.
Image resampled(const Image& image, int width, int height);

}  // namespace transport_sources
