#pragma once

#include <libsolve/core/export.hpp>
#include <libsolve/core/index.hpp>
#include <string>
#include <vector>

namespace libsolve {

/// Samples with labels: sparse rows, columns counted from 0, ascending in each row.
struct LabelledSamples {
  Index num_columns = 0;
  std::vector<double> labels = {};
  std::vector<GlobalIndex> row_pointers = {0};
  std::vector<Index> columns = {};
  std::vector<double> values = {};
  Index num_rows() const noexcept { return static_cast<Index>(labels.size()); }
};

/// A file in the text format of LIBSVM (Chang, Lin, "LIBSVM: a library for support vector
/// machines", ACM TIST 2, 2011), plain or gzip: in each line a label and the entries that are not
/// zero as column:value, columns in ascending order, counted from 1, or from 0 where the file has a
/// column 0; what follows '#' and empty lines are skipped. At least `num_columns` columns. Every
/// fault is an InputError with file and line, what was expected and what was found.
LIBSOLVE_EXPORT LabelledSamples read_libsvm(const std::string& path, Index num_columns = 0);

}  // namespace libsolve
