#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <libsolve/core/config.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/io/matrix_market.hpp>
#include <libsolve/linear/matrix_entries.hpp>
#include <limits>
#include <string_view>
#include <vector>

#if LIBSOLVE_HAVE_ZLIB
#include <zlib.h>
#endif

namespace libsolve {
namespace {

using Header = MatrixMarketHeader;

// ---- the bytes of a file -----------------------------------------------------------------------

struct FileCloser {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using FileHandle = std::unique_ptr<std::FILE, FileCloser>;

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

/// The first `at_most` bytes of the file, unpacked.
std::string read_bytes(const std::string& path,
                       size_t at_most = std::numeric_limits<size_t>::max()) {
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

// ---- lines and numbers -------------------------------------------------------------------------

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

// ---- banner and size line ----------------------------------------------------------------------

std::vector<std::string> lower_case_words(std::string_view line) {
  std::vector<std::string> words;
  for (size_t i = 0; i < line.size();) {
    while (i < line.size() && is_blank(line[i])) ++i;
    std::string word;
    for (; i < line.size() && !is_blank(line[i]); ++i)
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(line[i])));
    if (!word.empty()) words.push_back(word);
  }
  return words;
}

constexpr const char* banner_form =
    "%%MatrixMarket matrix coordinate|array real|integer|pattern general|symmetric|skew-symmetric";

Header read_header(Scanner& in) {
  Header h;
  const std::vector<std::string> words = lower_case_words(in.take_line());
  const auto fail = [&](const std::string& message) { in.fail_at(1, message); };
  if (words.empty() || words[0] != "%%matrixmarket")
    fail(std::string("is not a Matrix Market file: expected the banner \"") + banner_form +
         "\" on the first line");
  if (words.size() != 5)
    fail("the banner has " + std::to_string(words.size()) + " words; expected \"" + banner_form +
         "\"");
  const auto choose = [&](const std::string& word, const std::vector<std::string>& known,
                          const char* what) {
    for (size_t i = 0; i < known.size(); ++i)
      if (word == known[i]) return i;
    const std::string near = nearest_name(word, known);
    fail(std::string("the banner gives the ") + what + " as \"" + word + "\"; expected " +
         join(known, " or ") + (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
    return size_t{0};
  };
  choose(words[1], {"matrix"}, "object");
  h.format = choose(words[2], {"coordinate", "array"}, "format") == 0 ? Header::Format::coordinate
                                                                      : Header::Format::array;
  if (words[3] == "complex" || words[4] == "hermitian")
    fail(
        "holds complex numbers, and libsolve is real; write the system with twice the unknowns: "
        "[Re A, -Im A; Im A, Re A] [Re x; Im x] = [Re b; Im b]");
  const size_t field = choose(words[3], {"real", "integer", "pattern", "double"}, "field");
  h.field = field == 1   ? Header::Field::integer
            : field == 2 ? Header::Field::pattern
                         : Header::Field::real;
  const size_t symmetry = choose(words[4], {"general", "symmetric", "skew-symmetric"}, "symmetry");
  h.symmetry = static_cast<Header::Symmetry>(symmetry);
  const bool pattern = h.field == Header::Field::pattern;
  if (pattern && h.format == Header::Format::array)
    fail("an array of pattern has no entries; expected the field real or integer");
  if (pattern && h.symmetry == Header::Symmetry::skew_symmetric)
    fail("a pattern has no signs, so it cannot be skew-symmetric; expected general or symmetric");

  const bool coordinate = h.format == Header::Format::coordinate;
  const char* expected =
      coordinate ? "the size line, \"rows columns entries\"" : "the size line, \"rows columns\"";
  if (!in.find_content()) in.fail(std::string("the file ends before ") + expected);
  h.num_rows = in.integer("the number of rows");
  h.num_columns = in.integer("the number of columns");
  if (coordinate) h.num_entries = in.integer("the number of entries");
  const std::int64_t line = in.line();
  in.end_line(expected);
  if (h.num_rows < 0 || h.num_columns < 0 || h.num_entries < 0)
    in.fail_at(line, "expected sizes of 0 or more in the size line");
  constexpr GlobalIndex most = std::numeric_limits<Index>::max();
  if (h.num_rows > most || h.num_columns > most)
    in.fail_at(line, "has " + std::to_string(h.num_rows) + " rows and " +
                         std::to_string(h.num_columns) + " columns; one rank holds at most " +
                         std::to_string(most) + " of each");
  if (h.symmetry != Header::Symmetry::general && h.num_rows != h.num_columns)
    in.fail_at(line, "a " + words[4] + " matrix is square, this one is " +
                         std::to_string(h.num_rows) + " x " + std::to_string(h.num_columns));
  if (!coordinate) {
    const GlobalIndex n = h.num_rows;
    h.num_entries = h.symmetry == Header::Symmetry::general ? n * h.num_columns
                    : h.symmetry == Header::Symmetry::symmetric
                        ? (n % 2 == 0 ? n / 2 * (n + 1) : (n + 1) / 2 * n)
                        : (n % 2 == 0 ? n / 2 * (n - 1) : (n - 1) / 2 * n);
  }
  return h;
}

// ---- entries -----------------------------------------------------------------------------------

/// Reads all entries and calls use(row, column, value) for each, those of the other triangle
/// included.
template <class Use>
void read_entries(Scanner& in, const Header& h, const Use& use) {
  using Symmetry = Header::Symmetry;
  const bool pattern = h.field == Header::Field::pattern;
  const bool coordinate = h.format == Header::Format::coordinate;
  const char* line_form = !coordinate ? "one value on a line"
                          : pattern   ? "\"row column\" on a line"
                                      : "\"row column value\" on a line";
  const auto ends_early = [&](GlobalIndex got) {
    in.fail("expected " + std::to_string(h.num_entries) + " entries, the file ends after " +
            std::to_string(got));
  };
  const auto with_mirror = [&](Index i, Index j, double value) {
    use(i, j, value);
    if (h.symmetry == Symmetry::symmetric && i != j) use(j, i, value);
    if (h.symmetry == Symmetry::skew_symmetric) use(j, i, -value);
  };
  if (coordinate) {
    for (GlobalIndex k = 0; k < h.num_entries; ++k) {
      if (!in.find_content()) ends_early(k);
      const GlobalIndex i = in.integer("a row number");
      const GlobalIndex j = in.integer("a column number");
      double value = 1.0;
      if (h.field == Header::Field::integer)
        value = static_cast<double>(in.integer("an integer value"));
      else if (!pattern)
        value = in.number("a value");
      if (i < 1 || i > h.num_rows)
        in.fail("expected a row from 1 to " + std::to_string(h.num_rows) + ", found " +
                std::to_string(i));
      if (j < 1 || j > h.num_columns)
        in.fail("expected a column from 1 to " + std::to_string(h.num_columns) + ", found " +
                std::to_string(j));
      if (h.symmetry != Symmetry::general && j > i)
        in.fail("entry (" + std::to_string(i) + ", " + std::to_string(j) +
                ") lies above the diagonal; a symmetric or skew-symmetric file holds the lower "
                "triangle only");
      if (h.symmetry == Symmetry::skew_symmetric && i == j)
        in.fail("entry (" + std::to_string(i) + ", " + std::to_string(j) +
                ") lies on the diagonal, which is 0 in a skew-symmetric matrix and not stored");
      in.end_line(line_form);
      with_mirror(static_cast<Index>(i - 1), static_cast<Index>(j - 1), value);
    }
  } else {
    GlobalIndex k = 0;
    for (Index j = 0; j < h.num_columns; ++j) {
      const Index first = h.symmetry == Symmetry::general     ? 0
                          : h.symmetry == Symmetry::symmetric ? j
                                                              : j + 1;
      for (Index i = first; i < h.num_rows; ++i, ++k) {
        if (!in.find_content()) ends_early(k);
        const double value = h.field == Header::Field::integer
                                 ? static_cast<double>(in.integer("an integer value"))
                                 : in.number("a value");
        in.end_line(line_form);
        with_mirror(i, j, value);
      }
    }
  }
  if (in.find_content())
    in.fail("expected the end of the file after " + std::to_string(h.num_entries) +
            " entries, found more");
}

/// A size line that promises more than the file can hold is refused before memory is taken.
void check_length(Scanner& in, const Header& h) {
  const GlobalIndex shortest = h.format == Header::Format::array   ? 2
                               : h.field == Header::Field::pattern ? 4
                                                                   : 6;
  const auto possible = static_cast<GlobalIndex>(in.remaining() + 1) / shortest;
  if (h.num_entries > possible)
    in.fail("expected " + std::to_string(h.num_entries) +
            " entries as the size line says, but the file has room for " +
            std::to_string(possible) + " at most: it is cut off or the size line is wrong");
}

// ---- writing -----------------------------------------------------------------------------------

/// Collects text and writes it in large pieces; the file appears under its name when complete.
class Writer {
 public:
  explicit Writer(const std::string& path) : path_(path), part_(path + ".part") {
    file_.reset(std::fopen(part_.c_str(), "wb"));
    if (!file_) fail();
  }
  ~Writer() {
    if (file_) {  // not finished: leave nothing behind
      file_.reset();
      std::remove(part_.c_str());
    }
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void text(std::string_view t) {
    buffer_ += t;
    if (buffer_.size() > (1 << 20)) flush();
  }
  template <class Number>
  void number(Number value, char after) {
    char digits[40];
    const auto [stop, code] = std::to_chars(digits, digits + sizeof digits, value);
    (void)code;  // 40 characters hold every number
    text({digits, static_cast<size_t>(stop - digits)});
    text({&after, 1});
  }
  /// Each line of `comment` behind a %.
  void comment(const std::string& comment) {
    for (size_t at = 0; at < comment.size();) {
      const size_t stop = std::min(comment.find('\n', at), comment.size());
      text("% " + comment.substr(at, stop - at) + "\n");
      at = stop + 1;
    }
  }
  void finish() {
    flush();
    std::FILE* file = file_.release();
    if (std::fclose(file) != 0 || std::rename(part_.c_str(), path_.c_str()) != 0) {
      const int code = errno;
      std::remove(part_.c_str());
      errno = code;
      fail();
    }
  }

 private:
  void flush() {
    if (std::fwrite(buffer_.data(), 1, buffer_.size(), file_.get()) != buffer_.size()) fail();
    buffer_.clear();
  }
  [[noreturn]] void fail() const {
    throw IoError("cannot write " + path_ + ": " + std::strerror(errno));
  }
  std::string path_;
  std::string part_;
  FileHandle file_;
  std::string buffer_;
};

}  // namespace

MatrixMarketHeader read_matrix_market_header(const std::string& path) {
  // Comments above the size line may be long; a megabyte of them is not to be met.
  const std::string text = read_bytes(path, 1 << 20);
  Scanner in(path, text);
  return read_header(in);
}

std::shared_ptr<CsrMatrix> read_matrix_market(const std::string& path) {
  const std::string text = read_bytes(path);
  Scanner in(path, text);
  const Header h = read_header(in);
  check_length(in, h);
  std::vector<MatrixEntry> entries;
  const bool coordinate = h.format == Header::Format::coordinate;
  entries.reserve(static_cast<size_t>(h.symmetry == Header::Symmetry::general ? h.num_entries
                                                                              : 2 * h.num_entries));
  read_entries(in, h, [&](Index i, Index j, double value) {
    if (coordinate || value != 0.0) entries.push_back({i, j, value});
  });
  return make_csr_matrix(h.num_rows, h.num_columns, entries);
}

Vector read_matrix_market_vector(const std::string& path, Index column) {
  const std::string text = read_bytes(path);
  Scanner in(path, text);
  const Header h = read_header(in);
  if (column < 0 || column >= h.num_columns)
    refuse(path, "expected a column from 0 to " + std::to_string(h.num_columns - 1) +
                     ", was asked for " + std::to_string(column));
  check_length(in, h);
  Vector v("matrix_market::vector", Partition(h.num_rows));
  const auto values = Kokkos::create_mirror_view(v.view());
  Kokkos::deep_copy(values, 0.0);
  read_entries(in, h, [&](Index i, Index j, double value) {
    if (j == column) values(i) += value;
  });
  Kokkos::deep_copy(v.view(), values);
  return v;
}

void write_matrix_market(const std::string& path, const CsrMatrix& A, const std::string& comment) {
  using Kokkos::create_mirror_view_and_copy;
  const Kokkos::HostSpace host;
  const auto row_pointers = create_mirror_view_and_copy(host, A.row_pointers());
  const auto columns = create_mirror_view_and_copy(host, A.columns());
  const auto values = create_mirror_view_and_copy(host, A.values());
  const bool symmetric = A.asymmetry() == 0.0;
  const auto is_stored = [&](Index i, GlobalIndex k) { return !symmetric || columns(k) <= i; };
  const auto num_rows = static_cast<Index>(A.num_rows());
  GlobalIndex num_entries = 0;
  for (Index i = 0; i < num_rows; ++i)
    for (GlobalIndex k = row_pointers(i); k < row_pointers(i + 1); ++k)
      num_entries += is_stored(i, k) ? 1 : 0;

  Writer out(path);
  out.text(std::string("%%MatrixMarket matrix coordinate real ") +
           (symmetric ? "symmetric\n" : "general\n"));
  out.comment(comment);
  out.number(A.num_rows(), ' ');
  out.number(A.num_columns(), ' ');
  out.number(num_entries, '\n');
  for (Index i = 0; i < num_rows; ++i)
    for (GlobalIndex k = row_pointers(i); k < row_pointers(i + 1); ++k) {
      if (!is_stored(i, k)) continue;
      out.number(i + 1, ' ');
      out.number(columns(k) + 1, ' ');
      out.number(values(k), '\n');
    }
  out.finish();
}

void write_matrix_market(const std::string& path, const Vector& v, const std::string& comment) {
  const auto values = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v.view());
  Writer out(path);
  out.text("%%MatrixMarket matrix array real general\n");
  out.comment(comment);
  out.number(v.local_size(), ' ');
  out.number(1, '\n');
  for (Index i = 0; i < v.local_size(); ++i) out.number(values(i), '\n');
  out.finish();
}

}  // namespace libsolve
