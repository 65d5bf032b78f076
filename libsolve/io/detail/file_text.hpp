/// \file
/// Text files, plain or gzip, and walking over them.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/types.hpp>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

namespace libsolve::detail {

struct FileCloser {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using FileHandle = std::unique_ptr<std::FILE, FileCloser>;

/// The first `at_most` bytes of the file, unpacked. Throws InputError with the reason.
std::string read_text(const std::string& path, size_t at_most = std::numeric_limits<size_t>::max());

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/// Walks over the text line by line; knows where it is, for messages.
class Scanner {
 public:
  Scanner(std::string path, std::string_view text)
      : path_(std::move(path)), at_(text.data()), end_(text.data() + text.size()) {}

  [[noreturn]] void fail(const std::string& message) const { fail_at(line_, message); }
  [[noreturn]] void fail_at(std::int64_t line, const std::string& message) const {
    const auto number = std::min<std::int64_t>(line, std::numeric_limits<int>::max());
    throw InputError({path_, static_cast<int>(number), 0}, {}, message);
  }

  /// The whole line, without its end; the scanner goes to the next one.
  std::string_view take_line() {
    const char* stop = static_cast<const char*>(std::memchr(at_, '\n', end_ - at_));
    if (stop == nullptr) stop = end_;
    std::string_view line(at_, static_cast<size_t>(stop - at_));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    at_ = stop;
    next_line();
    return line;
  }
  /// Goes to the first character of the next line that says something; false at the end.
  bool find_content() {
    while (at_ != end_) {
      while (at_ != end_ && is_blank(*at_)) ++at_;
      if (at_ == end_) break;
      if (*at_ == '\n') {
        next_line();
      } else if (*at_ == '%') {
        take_line();
      } else {
        return true;
      }
    }
    return false;
  }
  /// Nothing more may stand on this line.
  void end_line(const char* expected) {
    while (at_ != end_ && is_blank(*at_)) ++at_;
    if (at_ == end_) return;
    if (*at_ != '\n')
      fail(std::string("expected ") + expected + " and the end of the line, found " + found());
    next_line();
  }
  GlobalIndex integer(const char* expected) {
    skip_to_number(expected);
    GlobalIndex value = 0;
    const auto [stop, code] = std::from_chars(at_, end_, value);
    if (code != std::errc() || (stop != end_ && !is_blank(*stop) && *stop != '\n'))
      fail(std::string("expected ") + expected + ", found " + found());
    at_ = stop;
    return value;
  }
  double number(const char* expected) {
    skip_to_number(expected);
    double value = 0.0;
    auto [stop, code] = std::from_chars(at_, end_, value);
    if (code == std::errc::result_out_of_range) {  // too large, or so small that it is (nearly) 0
      value = std::strtod(std::string(at_, stop).c_str(), nullptr);
      code = std::errc();
    }
    if (code != std::errc() || (stop != end_ && !is_blank(*stop) && *stop != '\n'))
      fail(std::string("expected ") + expected + ", found " + found());
    if (!std::isfinite(value))
      fail(std::string("expected ") + expected + ", found " + found() +
           ", which is not a finite double");
    at_ = stop;
    return value;
  }
  std::int64_t line() const { return line_; }
  size_t remaining() const { return static_cast<size_t>(end_ - at_); }

 private:
  void next_line() {
    if (at_ != end_) ++at_;
    ++line_;
  }
  void skip_to_number(const char* expected) {
    while (at_ != end_ && is_blank(*at_)) ++at_;
    if (at_ == end_ || *at_ == '\n')
      fail(std::string("expected ") + expected + ", found the end of the line");
    if (*at_ == '+' && at_ + 1 != end_ && at_[1] != '-' && at_[1] != '+') ++at_;
  }
  /// The word at the cursor, for messages.
  std::string found() const {
    const char* stop = at_;
    while (stop != end_ && !is_blank(*stop) && *stop != '\n' && stop - at_ < 40) ++stop;
    return "\"" + std::string(at_, stop) + "\"";
  }

  std::string path_;
  const char* at_;
  const char* end_;
  std::int64_t line_ = 1;
};

}  // namespace libsolve::detail
