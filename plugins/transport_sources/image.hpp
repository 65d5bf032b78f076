#pragma once

#include <libsolve/io/image.hpp>
#include <string>

namespace transport_sources {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// A file that libsolve::read_image() reads (PNG, portable anymap), or a dataset of an HDF5 file:
/// h x w, h x w x 3, or, with `index` >= 0, one of a stack of such. Integers up to 255 (65 535) are
/// divided by that; numbers within [0, 1] stay; other non-negative numbers are divided by the largest
/// of the dataset.
/// InputError and DataError name the file.
Image read_image(const std::string& path, const std::string& dataset, int index);

/// Another size: every new pixel is the mean of the bilinear interpolation at as many places as the
/// old pixels it covers.
Image resampled(const Image& image, int width, int height);

}  // namespace transport_sources
