#include "csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/io/case_file.hpp>
#include <string_view>

namespace transport_sources {

namespace {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

constexpr std::string_view blanks = " \t\r";

std::vector<std::string_view> words_of(std::string_view line) {
  line = line.substr(0, line.find('#'));
  const bool commas = line.find_first_of(",;") != std::string_view::npos;
  const std::string_view separators = commas ? ",;" : blanks;
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find_first_of(separators, at), line.size());
    std::string_view word = line.substr(at, end - at);
    const std::size_t first = word.find_first_not_of(blanks);
    word = first == std::string_view::npos
               ? std::string_view()
               : word.substr(first, word.find_last_not_of(blanks) - first + 1);
    if (commas || !word.empty()) words.push_back(word);
    at = end + 1;
  }
  if (words.size() == 1 && words[0].empty()) words.clear();
  return words;
}

bool number_of(std::string_view word, double& value) {
  if (!word.empty() && word.front() == '+') word.remove_prefix(1);
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value);
  return code == std::errc() && end == word.data() + word.size() && !word.empty();
}

}  // namespace

Table read_csv(const std::string& path) {
  const std::string text = read_text_file(path);
  Table table;
  int line_number = 0;
  bool seen = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const auto words = words_of(std::string_view(text).substr(at, end - at));
    at = end + 1;
    ++line_number;
    if (words.empty()) continue;
    const bool first = !seen;
    seen = true;
    const SourceLocation where{path, line_number, 0};
    std::vector<double> row(words.size());
    std::size_t bad = 0;
    while (bad < words.size() && number_of(words[bad], row[bad])) ++bad;
    if (bad < words.size()) {
      double number = 0.0;
      const bool is_header = std::none_of(words.begin(), words.end(), [&](const auto& word) {
        return number_of(word, number);
      });
      if (first && is_header) continue;
      throw InputError(where, "column " + std::to_string(bad + 1),
                       "is no number: '" + std::string(words[bad]) + "'");
    }
    for (std::size_t k = 0; k < row.size(); ++k)
      if (!std::isfinite(row[k]))
        throw InputError(where, "column " + std::to_string(k + 1),
                         "must be finite, is " + format_number(row[k]));
    if (table.columns == 0) table.columns = row.size();
    if (row.size() != table.columns)
      throw InputError(where, "", "has " + std::to_string(row.size()) + " numbers, rows before have " +
                                      std::to_string(table.columns));
    table.values.insert(table.values.end(), row.begin(), row.end());
  }
  if (table.values.empty()) throw InputError({path, 0, 0}, "", "has no rows of numbers");
  return table;
}

}  // namespace transport_sources
