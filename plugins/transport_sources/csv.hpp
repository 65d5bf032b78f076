#pragma once

#include <string>
#include <vector>

namespace transport_sources {

/// Numbers in rows, as text: separated by commas, semicolons, tabs or blanks; a first line that is
/// no numbers is a header; empty lines and what follows '#' are skipped. InputError with file and
/// line for rows of different lengths, for what is no number, and for a file without rows.
struct Table {
  std::size_t columns = 0;
  std::vector<double> values;  ///< row after row
  std::size_t rows() const { return columns == 0 ? 0 : values.size() / columns; }
};
Table read_csv(const std::string& path);

}  // namespace transport_sources
