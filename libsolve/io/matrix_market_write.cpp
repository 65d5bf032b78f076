#include <cerrno>
#include <charconv>
#include <libsolve/io/detail/file_text.hpp>
#include <libsolve/io/matrix_market.hpp>

namespace libsolve {
namespace {

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
  detail::FileHandle file_;
  std::string buffer_;
};

}  // namespace

void write_matrix_market(const std::string& path, const CsrMatrix& A, const std::string& comment) {
  if (A.row_partition().communicator().size() > 1)
    throw Unsupported("'" + path + "': a matrix that lies on several ranks is not written; write it "
                      "from one rank");
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
