#pragma once

#include <libsolve/linear/csr_matrix.hpp>
#include <memory>
#include <string>

/// Matrix Market files (Boisvert, Pozo, Remington, "The Matrix Market exchange formats: initial
/// design", NISTIR 5935, 1996): what the SuiteSparse collection offers. Plain or gzip.
///
/// Read: `coordinate` and `array`; fields real, integer and pattern (every entry is 1); symmetries
/// general, symmetric and skew-symmetric, of which files hold the lower triangle and the reader
/// makes both. Entries at the same place are summed. Complex and hermitian files are refused.
/// Every fault is an InputError with file and line, what was expected and what was found.
namespace libsolve {

/// What the banner and the size line of a file say.
struct MatrixMarketHeader {
  enum class Format { coordinate, array };
  enum class Field { real, integer, pattern };
  enum class Symmetry { general, symmetric, skew_symmetric };
  Format format = Format::coordinate;
  Field field = Field::real;
  Symmetry symmetry = Symmetry::general;
  GlobalIndex num_rows = 0;
  GlobalIndex num_columns = 0;
  GlobalIndex num_entries = 0;  ///< lines of entries that follow, as stored in the file
};

/// Reads the banner and the size line only.
LIBSOLVE_EXPORT MatrixMarketHeader read_matrix_market_header(const std::string& path);

/// The file as a sparse matrix; of an `array` file the entries that are not zero. Peak memory: the
/// text, 16 bytes an entry, and the matrix. On several ranks each reads the file and keeps its rows
/// (even_partition()); what fails on one rank fails on all. Collective.
LIBSOLVE_EXPORT std::shared_ptr<CsrMatrix> read_matrix_market(
    const std::string& path, const Communicator& comm = Communicator::self());

/// Column `column` (from 0) of the file as a vector; `array` and `coordinate` are both accepted.
LIBSOLVE_EXPORT Vector read_matrix_market_vector(const std::string& path, Index column = 0,
                                                 const Communicator& comm = Communicator::self());

/// Writes A as `coordinate real`, symmetric where A is so exactly, else general, with as many
/// digits as it takes to read the same doubles back. `comment` goes below the banner. Throws
/// IoError; Unsupported for a matrix on several ranks.
LIBSOLVE_EXPORT void write_matrix_market(const std::string& path, const CsrMatrix& A,
                                         const std::string& comment = {});

/// Writes v as `array real general` with one column.
LIBSOLVE_EXPORT void write_matrix_market(const std::string& path, const Vector& v,
                                         const std::string& comment = {});

}  // namespace libsolve
