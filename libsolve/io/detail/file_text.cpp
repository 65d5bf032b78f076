#include <cerrno>
#include <libsolve/core/config.hpp>
#include <libsolve/io/detail/file_text.hpp>

#if LIBSOLVE_HAVE_ZLIB
#include <zlib.h>
#endif

namespace libsolve::detail {

namespace {

[[noreturn]] void refuse(const std::string& path, const std::string& message) {
  throw InputError({path, 0, 0}, {}, message);
}

FileHandle open_for_reading(const std::string& path) {
  FileHandle file(std::fopen(path.c_str(), "rb"));
  if (!file) refuse(path, std::string("cannot be opened: ") + std::strerror(errno));
  return file;
}

bool is_gzip(std::FILE* file) {
  unsigned char magic[2] = {0, 0};
  const bool gzip = std::fread(magic, 1, 2, file) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
  std::rewind(file);
  return gzip;
}

#if LIBSOLVE_HAVE_ZLIB
std::string read_gzip(const std::string& path, size_t at_most) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) refuse(path, std::string("cannot be opened: ") + std::strerror(errno));
  gzbuffer(file, 1 << 18);
  std::string text;
  constexpr unsigned step = 1 << 22;
  int got = 0;
  do {
    const size_t size = text.size();
    const auto wanted = static_cast<unsigned>(std::min<size_t>(step, at_most - size));
    if (wanted == 0) break;
    text.resize(size + wanted);
    got = gzread(file, text.data() + size, wanted);
    text.resize(size + static_cast<size_t>(std::max(got, 0)));
  } while (got > 0);
  int code = Z_OK;
  const std::string reason = gzerror(file, &code);
  gzclose(file);
  if (got < 0 || (code != Z_OK && code != Z_STREAM_END))
    refuse(path, "is not a whole gzip file (" + reason + "); fetch it again");
  return text;
}
#else
std::string read_gzip(const std::string& path, size_t) {
  refuse(path,
         "is compressed and this build has no zlib: unpack it with gunzip, or build with "
         "LIBSOLVE_ENABLE_ZLIB=ON");
}
#endif

}  // namespace

std::string read_text(const std::string& path, size_t at_most) {
  const FileHandle file = open_for_reading(path);
  if (is_gzip(file.get())) return read_gzip(path, at_most);
  std::string text;
  constexpr size_t step = 1 << 22;
  for (;;) {
    const size_t size = text.size();
    const size_t wanted = std::min(step, at_most - size);
    text.resize(size + wanted);
    const size_t got = wanted == 0 ? 0 : std::fread(text.data() + size, 1, wanted, file.get());
    text.resize(size + got);
    if (got < wanted || wanted == 0) break;
  }
  if (std::ferror(file.get()) != 0)
    refuse(path, std::string("cannot be read: ") + std::strerror(errno));
  return text;
}

}  // namespace libsolve::detail
