#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace libsolve::test {

/// Colour types of the PNG specification.
enum class PngKind : std::uint8_t { grey = 0, rgb = 2, palette = 3, grey_alpha = 4, rgba = 6 };

inline std::string big_endian(std::uint32_t n) {
  std::string s;
  for (int shift = 24; shift >= 0; shift -= 8) s += static_cast<char>(n >> shift & 255U);
  return s;
}

inline std::string png_chunk(const std::string& type, const std::string& data) {
  std::uint32_t crc = ~0U;
  for (const char c : type + data) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1 ^ 0xedb88320U : crc >> 1;
  }
  return big_endian(static_cast<std::uint32_t>(data.size())) + type + data + big_endian(~crc);
}

/// The bytes of a PNG file, written without any library: not compressed, not filtered. `rows`: the
/// packed bytes of all rows, less than 65 536 with one more for each; `extra`: chunks before the
/// pixels (PLTE, tRNS).
inline std::string png_bytes(std::uint32_t width, std::uint32_t height, int bit_depth, PngKind kind,
                             const std::string& rows, const std::string& extra = {}) {
  std::string raw;
  const std::size_t row = rows.size() / height;
  for (std::uint32_t j = 0; j < height; ++j) raw += '\0' + rows.substr(j * row, row);
  std::uint32_t a = 1, b = 0;  // Adler's checksum
  for (const char c : raw) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  const auto low = [](std::size_t n) { return static_cast<char>(n & 255U); };
  const std::size_t n = raw.size();
  const std::string block = {'\x78', '\x01', '\x01', low(n), low(n >> 8), low(~n), low(~n >> 8)};
  const std::string header = big_endian(width) + big_endian(height) +
                             std::string{static_cast<char>(bit_depth), static_cast<char>(kind), 0, 0, 0};
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", header) + extra +
         png_chunk("IDAT", block + raw + big_endian(b << 16 | a)) + png_chunk("IEND", "");
}

}  // namespace libsolve::test
