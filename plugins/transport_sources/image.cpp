#include "image.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>

#include "datasets.hpp"

namespace transport_sources {

namespace {

/// What values of a dataset are divided by.
double white_of(const std::vector<double>& values) {
  double largest = 0.0;
  bool whole = true;
  for (const double v : values) {
    largest = std::max(largest, v);
    whole = whole && v == std::floor(v);
  }
  if (largest <= 1.0) return 1.0;
  if (!whole) return largest;
  return largest <= 255.0 ? 255.0 : largest <= 65535.0 ? 65535.0 : largest;
}

Image read_dataset(const std::string& path, const std::string& dataset, int index) {
  const Hdf5File file = open_data(path);
  const std::string meaning = index < 0 ? "an image, h x w or h x w x 3"
                                        : "a stack of images, count x h x w or count x h x w x 3";
  if (!file.exists(dataset) || file.is_group(dataset)) (void)shape_of(file, dataset, 2, meaning.c_str());
  std::vector<GlobalIndex> shape = file.shape(dataset);
  const std::string name = "'" + path + "': '" + dataset + "'";
  std::size_t first = 0;
  std::vector<double> values = file.numbers(dataset);
  if (index >= 0) {
    if (shape.empty() || index >= shape[0])
      throw DataError(name + " has no image " + std::to_string(index) + "; it has " +
                      std::to_string(shape.empty() ? 0 : shape[0]) + ", counted from 0");
    std::size_t size = 1;
    for (std::size_t k = 1; k < shape.size(); ++k) size *= static_cast<std::size_t>(shape[k]);
    first = size * static_cast<std::size_t>(index);
    shape.erase(shape.begin());
  }
  const bool colours = shape.size() == 3 && shape[2] == 3;
  if ((shape.size() != 2 && !colours) || shape[0] < 1 || shape[1] < 1)
    throw ShapeError(name + " has " + std::to_string(shape.size() + (index >= 0 ? 1 : 0)) +
                     " axes; needed is " + meaning);
  for (std::size_t k = 0; k < values.size(); ++k)
    if (!std::isfinite(values[k]) || values[k] < 0.0)
      throw DataError(name + ", entry " + std::to_string(k) + ", is " + format_number(values[k]) +
                      "; brightness must be finite and not negative");
  const double white = white_of(values);
  Image image;
  image.height = static_cast<int>(shape[0]);
  image.width = static_cast<int>(shape[1]);
  image.channels = colours ? 3 : 1;
  const std::size_t count = static_cast<std::size_t>(image.width) * image.height * image.channels;
  image.values.assign(values.begin() + static_cast<std::ptrdiff_t>(first),
                      values.begin() + static_cast<std::ptrdiff_t>(first + count));
  for (double& v : image.values) v /= white;
  return image;
}

}  // namespace

Image read_image(const std::string& path, const std::string& dataset, int index) {
  return dataset.empty() ? libsolve::read_image(path) : read_dataset(path, dataset, index);
}

namespace {

/// Bilinear interpolation between the middles of pixels; (x, y) in pixels from the upper left corner.
double interpolated(const Image& image, double x, double y, int channel) {
  const double u = std::clamp(x - 0.5, 0.0, image.width - 1.0);
  const double v = std::clamp(y - 0.5, 0.0, image.height - 1.0);
  const int i = std::min(static_cast<int>(u), std::max(image.width - 2, 0));
  const int j = std::min(static_cast<int>(v), std::max(image.height - 2, 0));
  const int i1 = std::min(i + 1, image.width - 1);
  const int j1 = std::min(j + 1, image.height - 1);
  const double s = u - i;
  const double t = v - j;
  return (1 - t) * ((1 - s) * image.at(j, i, channel) + s * image.at(j, i1, channel)) +
         t * ((1 - s) * image.at(j1, i, channel) + s * image.at(j1, i1, channel));
}

}  // namespace

Image resampled(const Image& image, int width, int height) {
  if (width == image.width && height == image.height) return image;
  Image out{width, height, image.channels, {}};
  const double sx = static_cast<double>(image.width) / width;
  const double sy = static_cast<double>(image.height) / height;
  const int nx = std::max(1, static_cast<int>(std::ceil(sx)));
  const int ny = std::max(1, static_cast<int>(std::ceil(sy)));
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column)
      for (int channel = 0; channel < image.channels; ++channel) {
        double sum = 0.0;
        for (int q = 0; q < ny; ++q)
          for (int p = 0; p < nx; ++p)
            sum += interpolated(image, (column + (p + 0.5) / nx) * sx, (row + (q + 0.5) / ny) * sy,
                                channel);
        out.values.push_back(sum / (nx * ny));
      }
  return out;
}

}  // namespace transport_sources
