#include <cctype>
#include <exception>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/io/detail/file_text.hpp>
#include <libsolve/io/matrix_market.hpp>
#include <libsolve/linear/matrix_entries.hpp>
#include <vector>

namespace libsolve {
namespace {

using detail::is_blank;
using detail::read_text;
using detail::Scanner;
using Header = MatrixMarketHeader;

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

}  // namespace

MatrixMarketHeader read_matrix_market_header(const std::string& path) {
  // Comments above the size line may be long; a megabyte of them is not to be met.
  const std::string text = read_text(path, 1 << 20);
  Scanner in(path, text);
  return read_header(in);
}

namespace {

/// read() on every rank; where one throws, all do.
template <class Read>
void read_together(const std::string& path, const Communicator& comm, const Read& read) {
  if (comm.size() == 1) return read();
  std::exception_ptr problem;
  try {
    read();
  } catch (...) {
    problem = std::current_exception();
  }
  if (!comm.any(problem != nullptr)) return;
  if (problem) std::rethrow_exception(problem);
  throw IoError("'" + path + "': another rank could not read this file");
}

}  // namespace

std::shared_ptr<CsrMatrix> read_matrix_market(const std::string& path, const Communicator& comm) {
  Header h;
  std::vector<MatrixEntry> entries;
  Partition rows, columns;
  read_together(path, comm, [&] { h = read_matrix_market_header(path); });
  rows = even_partition(comm, h.num_rows);
  columns = even_partition(comm, h.num_columns);
  read_together(path, comm, [&] {
    const std::string text = read_text(path);
    Scanner in(path, text);
    h = read_header(in);
    check_length(in, h);
    const bool coordinate = h.format == Header::Format::coordinate;
    const auto expected = static_cast<size_t>(
        h.symmetry == Header::Symmetry::general ? h.num_entries : 2 * h.num_entries);
    entries.reserve(expected / static_cast<size_t>(comm.size()) + 1);
    const GlobalIndex begin = rows.first_row();
    const GlobalIndex end = begin + rows.local_size();
    read_entries(in, h, [&](Index i, Index j, double value) {
      if ((coordinate || value != 0.0) && i >= begin && i < end) entries.push_back({i, j, value});
    });
  });
  return make_csr_matrix(rows, columns, entries);
}

Vector read_matrix_market_vector(const std::string& path, Index column, const Communicator& comm) {
  Header h;
  read_together(path, comm, [&] { h = read_matrix_market_header(path); });
  Vector v("matrix_market::vector", even_partition(comm, h.num_rows));
  const auto values = Kokkos::create_mirror_view(v.view());
  Kokkos::deep_copy(values, 0.0);
  read_together(path, comm, [&] {
    const std::string text = read_text(path);
    Scanner in(path, text);
    h = read_header(in);
    if (column < 0 || column >= h.num_columns)
      throw InputError({path, 0, 0}, {},
                       "expected a column from 0 to " + std::to_string(h.num_columns - 1) +
                           ", was asked for " + std::to_string(column));
    check_length(in, h);
    const GlobalIndex begin = v.partition().first_row();
    read_entries(in, h, [&](Index i, Index j, double value) {
      if (j == column && i >= begin && i < begin + v.local_size()) values(i - begin) += value;
    });
  });
  Kokkos::deep_copy(v.view(), values);
  return v;
}

}  // namespace libsolve
