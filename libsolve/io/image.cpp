#include <libsolve/core/errors.hpp>
#include <libsolve/io/detail/file_text.hpp>
#include <libsolve/io/detail/png.hpp>
#include <libsolve/io/image.hpp>

namespace libsolve {

namespace {

constexpr std::size_t most_pixels = std::size_t{1} << 28;  // as of PNG files

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
  const std::size_t num_pixels = static_cast<std::size_t>(image.width) * image.height;
  if (num_pixels > most_pixels)
    header.fail("has " + std::to_string(image.width) + " x " + std::to_string(image.height) +
                " pixels; 2^28 at most can be read");
  // Against the file's size before memory for them is asked for.
  const std::size_t count = num_pixels * static_cast<std::size_t>(image.channels);
  if (kind == '2' || kind == '3') {
    // Each value a digit at least, and white space between them.
    if (text.size() < 2 * count)
      header.fail("is of " + std::to_string(text.size()) + " bytes and has no value for each of " +
                  std::to_string(count) + " places");
    image.values.resize(count);
    for (double& v : image.values) v = header.number("value", largest) / double(largest);
    return image;
  }
  const std::size_t size = largest > 255 ? 2 : 1;
  const std::size_t begin = header.bytes_begin();
  if (text.size() < begin + count * size)
    header.fail("ends after " + std::to_string(text.size() - std::min(begin, text.size())) +
                " bytes of pixels; " + std::to_string(count * size) + " are needed");
  image.values.resize(count);
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

}  // namespace

Image read_image(const std::string& path) {
  if (detail::read_text(path, 8) == "\x89PNG\r\n\x1a\n") return detail::read_png(path);
  const std::string text = detail::read_text(path);
  const bool is_anymap = text.size() > 2 && text[0] == 'P' &&
                         (text[1] == '2' || text[1] == '3' || text[1] == '5' || text[1] == '6');
  if (!is_anymap)
    throw InputError({path, 0, 0}, "",
                     "is no PNG file and no portable anymap (P2, P3, P5 or P6): convert it "
                     "(\"magick a.jpg a.png\")");
  return read_anymap(text, path);
}

Image grey(const Image& image) {
  if (image.channels == 1) return image;
  Image out{image.width, image.height, 1, {}};
  for (std::size_t k = 0; k < image.values.size(); k += 3)
    out.values.push_back((image.values[k] + image.values[k + 1] + image.values[k + 2]) / 3.0);
  return out;
}

}  // namespace libsolve
