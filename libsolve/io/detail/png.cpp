#include <libsolve/core/errors.hpp>
#include <libsolve/io/detail/file_text.hpp>
#include <libsolve/io/detail/png.hpp>

#if LIBSOLVE_HAVE_PNG  // from libsolve/CMakeLists.txt, for this file alone
#include <png.h>
#endif

namespace libsolve {

#if LIBSOLVE_HAVE_PNG

namespace {

/// A PNG file while it is read. libpng leaves by longjmp(), past functions whose locals need no
/// destructor only: hence the two below.
struct Decoder {
  std::FILE* file = nullptr;
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::string message = {};
  std::vector<png_byte> bytes = {};
  std::vector<png_bytep> rows = {};

  Decoder() {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, note, [](png_structp, auto) {});
    if (png != nullptr) info = png_create_info_struct(png);
    if (info == nullptr) throw std::bad_alloc();
  }
  ~Decoder() {
    png_destroy_read_struct(&png, &info, nullptr);
    if (file != nullptr) std::fclose(file);
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  [[noreturn]] static void note(png_structp png, png_const_charp text) {
    static_cast<Decoder*>(png_get_error_ptr(png))->message = text;
    png_longjmp(png, 1);
  }
  /// To 8 or 16 bits a channel, without a palette.
  bool read_header() {
    if (setjmp(png_jmpbuf(png))) return false;
    png_init_io(png, file);
    png_read_info(png, info);
    png_set_expand(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    return true;
  }
  bool read_pixels() {
    if (setjmp(png_jmpbuf(png))) return false;
    png_read_image(png, rows.data());
    png_read_end(png, nullptr);
    return true;
  }
};

/// Over white, without the opacity.
Image to_image(const Decoder& d, std::size_t width, std::size_t height) {
  const int stored = png_get_channels(d.png, d.info), colours = stored >= 3 ? 3 : 1;
  const bool has_opacity = stored == 2 || stored == 4;
  const int size = png_get_bit_depth(d.png, d.info) / 8;
  const double white = size == 1 ? 255.0 : 65535.0;
  Image image{static_cast<int>(width), static_cast<int>(height), colours, {}};
  image.values.reserve(width * height * static_cast<std::size_t>(colours));
  const auto value = [&](const png_byte* at) {
    return (size == 1 ? at[0] : 256 * at[0] + at[1]) / white;
  };
  for (const png_byte* row : d.rows)
    for (std::size_t i = 0; i < width; ++i, row += stored * size) {
      const double opacity = has_opacity ? value(row + colours * size) : 1.0;
      for (int c = 0; c < colours; ++c)
        image.values.push_back(opacity * value(row + c * size) + (1.0 - opacity));
    }
  return image;
}

}  // namespace

bool png_is_supported() noexcept {
  return true;
}

Image detail::read_png(const std::string& path) {
  Decoder d;
  const auto refuse = [&](const std::string& why) {
    throw InputError({path, 0, 0}, {}, why);
  };
  d.file = std::fopen(path.c_str(), "rb");
  if (d.file == nullptr) refuse(std::string("cannot be opened: ") + std::strerror(errno));
  if (!d.read_header()) refuse("is no whole PNG file (" + d.message + ")");
  const std::size_t width = png_get_image_width(d.png, d.info);
  const std::size_t height = png_get_image_height(d.png, d.info);
  if (width > 65536 || height > 65536 || width * height > std::size_t{1} << 28)
    refuse("has " + std::to_string(width) + " x " + std::to_string(height) +
           " pixels; 2^28 at most can be read");
  const std::size_t row = png_get_rowbytes(d.png, d.info);
  d.bytes.resize(row * height);
  for (std::size_t j = 0; j < height; ++j) d.rows.push_back(d.bytes.data() + j * row);
  if (!d.read_pixels()) refuse("is no whole PNG file (" + d.message + ")");
  return to_image(d, width, height);
}

#else

bool png_is_supported() noexcept {
  return false;
}

Image detail::read_png(const std::string& path) {
  throw Unsupported("'" + path +
                    "' is a PNG file and this build has no libpng: build with LIBSOLVE_ENABLE_PNG=ON, "
                    "or convert it (\"magick a.png a.pgm\")");
}

#endif

}  // namespace libsolve
