#include "image.hpp"

#include <algorithm>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/io/case_file.hpp>

#include "datasets.hpp"

namespace transport_sources {

namespace {

/// The header of a portable anymap: words separated by white space, '#' to the end of the line.
class AnymapText {
 public:
  AnymapText(const std::string& text, const std::string& path) : text_(text), path_(path) {}

  int number(const char* what, int largest) {
    skip();
    int value = 0;
    const std::size_t begin = at_;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && value <= 100000000; ++at_)
      value = 10 * value + (text_[at_] - '0');
    if (at_ == begin) fail(std::string("has no ") + what + " at byte " + std::to_string(at_));
    if (value > largest)
      fail(std::string("has the ") + what + " " + std::to_string(value) + "; at most " +
           std::to_string(largest) + " can be read");
    return value;
  }
  /// The one white space between header and bytes.
  std::size_t bytes_begin() const { return at_ + 1; }
  [[noreturn]] void fail(const std::string& what) const {
    throw InputError({path_, 0, 0}, "", "the portable anymap " + what);
  }

 private:
  void skip() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#')
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      else if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
        ++at_;
      else
        return;
    }
  }
  const std::string& text_;
  const std::string& path_;
  std::size_t at_ = 2;
};

Image read_anymap(const std::string& text, const std::string& path) {
  const char kind = text[1];
  AnymapText header(text, path);
  Image image;
  image.channels = kind == '3' || kind == '6' ? 3 : 1;
  image.width = header.number("width", 65536);
  image.height = header.number("height", 65536);
  const int largest = header.number("largest value", 65535);
  if (image.width == 0 || image.height == 0 || largest == 0)
    header.fail("has no pixels, or 0 as its largest value");
  const std::size_t count =
      static_cast<std::size_t>(image.width) * image.height * image.channels;
  image.values.resize(count);
  if (kind == '2' || kind == '3') {
    for (double& v : image.values) v = header.number("value", largest) / double(largest);
    return image;
  }
  const std::size_t size = largest > 255 ? 2 : 1;
  const std::size_t begin = header.bytes_begin();
  if (text.size() < begin + count * size)
    header.fail("ends after " + std::to_string(text.size() - std::min(begin, text.size())) +
                " bytes of pixels; " + std::to_string(count * size) + " are needed");
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data()) + begin;
  for (std::size_t k = 0; k < count; ++k) {
    const int v = size == 1 ? bytes[k] : 256 * bytes[2 * k] + bytes[2 * k + 1];
    if (v > largest)
      header.fail("has the value " + std::to_string(v) + " above its largest, " +
                  std::to_string(largest));
    image.values[k] = v / double(largest);
  }
  return image;
}

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
  if (!dataset.empty()) return read_dataset(path, dataset, index);
  const std::string text = read_text_file(path);
  const bool anymap = text.size() > 2 && text[0] == 'P' &&
                      (text[1] == '2' || text[1] == '3' || text[1] == '5' || text[1] == '6');
  if (!anymap)
    throw InputError({path, 0, 0}, "",
                     "is no portable anymap (P2, P3, P5 or P6): convert it (\"magick a.png a.ppm\"), "
                     "or name the dataset of an HDF5 file");
  return read_anymap(text, path);
}

Image grey(const Image& image) {
  if (image.channels == 1) return image;
  Image out{image.width, image.height, 1, {}};
  for (std::size_t k = 0; k < image.values.size(); k += 3)
    out.values.push_back((image.values[k] + image.values[k + 1] + image.values[k + 2]) / 3.0);
  return out;
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
