#include <libsolve/io/detail/file_text.hpp>
#include <libsolve/io/libsvm.hpp>

namespace libsolve {

namespace {

/// Words of one line.
class LineWords {
 public:
  explicit LineWords(std::string_view line) : rest_(line.substr(0, line.find('#'))) {}
  /// "" at the end.
  std::string_view next() {
    while (!rest_.empty() && detail::is_blank(rest_.front())) rest_.remove_prefix(1);
    std::size_t length = 0;
    while (length < rest_.size() && !detail::is_blank(rest_[length])) ++length;
    const std::string_view word = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return word;
  }

 private:
  std::string_view rest_;
};

template <class Number>
bool parse(std::string_view word, Number& value) {
  if (word.size() > 1 && word[0] == '+' && word[1] != '-' && word[1] != '+') word.remove_prefix(1);
  const auto [stop, code] = std::from_chars(word.data(), word.data() + word.size(), value);
  return code == std::errc() && stop == word.data() + word.size() && !word.empty();
}

std::string quoted(std::string_view word) {
  return "\"" + std::string(word.substr(0, 40)) + "\"";
}

/// column:value; fails with the line.
void take_entry(const detail::Scanner& in, std::int64_t line, std::string_view word,
                LabelledSamples& samples) {
  const std::size_t colon = word.find(':');
  if (colon == std::string_view::npos)
    in.fail_at(line, "expected column:value, found " + quoted(word));
  GlobalIndex column = 0;
  if (!parse(word.substr(0, colon), column))
    in.fail_at(line, "expected the number of a column before the colon, found " + quoted(word));
  if (column < 0 || column >= std::numeric_limits<Index>::max())
    in.fail_at(line, "expected columns from 0 or 1 on, found " + quoted(word));
  double value = 0.0;
  if (!parse(word.substr(colon + 1), value) || !std::isfinite(value))
    in.fail_at(line, "expected a finite number after the colon, found " + quoted(word));
  const auto index = static_cast<Index>(column);  // as the file counts; see read_libsvm()
  const auto begin = static_cast<std::size_t>(samples.row_pointers.back());
  if (samples.columns.size() > begin && samples.columns.back() >= index)
    in.fail_at(line, "expected columns in ascending order, found " + std::to_string(column) +
                         " after " + std::to_string(samples.columns.back()));
  samples.columns.push_back(index);
  samples.values.push_back(value);
}

}  // namespace

LabelledSamples read_libsvm(const std::string& path, Index num_columns) {
  const std::string text = detail::read_text(path);
  detail::Scanner in(path, text);
  LabelledSamples samples;
  while (in.remaining() > 0) {
    const std::int64_t line = in.line();
    LineWords words(in.take_line());
    const std::string_view first = words.next();
    if (first.empty()) continue;
    double label = 0.0;
    if (!parse(first, label) || !std::isfinite(label))
      in.fail_at(line, "expected a label, a finite number, at the start of the line, found " +
                           quoted(first));
    for (std::string_view word = words.next(); !word.empty(); word = words.next())
      take_entry(in, line, word, samples);
    samples.labels.push_back(label);
    samples.row_pointers.push_back(static_cast<GlobalIndex>(samples.columns.size()));
  }
  if (samples.labels.empty()) in.fail_at(0, "has no samples");
  const bool from_zero = std::ranges::find(samples.columns, 0) != samples.columns.end();
  samples.num_columns = num_columns;
  for (Index& column : samples.columns) {
    column -= from_zero ? 0 : 1;
    samples.num_columns = std::max(samples.num_columns, column + 1);
  }
  return samples;
}

}  // namespace libsolve
