#pragma once

#include <libsolve/core/export.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace libsolve {

/// Where a value was written: a file and line, or the command line (`file` = "--set", line 0).
struct SourceLocation {
  std::string file = {};
  int line = 0;    ///< from 1; 0 when unknown
  int column = 0;  ///< from 1; 0 when unknown
};

/// "case.toml:7: " or "--set: ", empty when nothing is known.
LIBSOLVE_EXPORT std::string to_string(const SourceLocation& where);

/// Root of every exception that libsolve throws. A message has three parts: what was asked, what
/// was found, what to do next. Out-of-line destructors keep one typeinfo per process, so a throw
/// in a plugin is caught by type in the program.
class LIBSOLVE_EXPORT Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message);
  ~Error() override;
};

/// One thing wrong with an input: where, which key (dotted path, "method.preconditioner.omega"),
/// and what would be accepted.
struct Diagnostic {
  SourceLocation where = {};
  std::string key = {};
  std::string message = {};
};

/// "case.toml:7: method.omega: must lie in (0, 2), is 2.5".
LIBSOLVE_EXPORT std::string to_string(const Diagnostic& d);

/// A case file, an option or a data file that cannot be accepted. Carries every problem found.
class LIBSOLVE_EXPORT InputError : public Error {
 public:
  explicit InputError(std::vector<Diagnostic> problems);
  InputError(SourceLocation where, std::string key, std::string message);
  ~InputError() override;
  const std::vector<Diagnostic>& problems() const noexcept { return problems_; }

 private:
  std::vector<Diagnostic> problems_;
};

/// Sizes or partitions that do not fit together.
class LIBSOLVE_EXPORT ShapeError : public Error {
 public:
  explicit ShapeError(const std::string& message);
  ~ShapeError() override;
};

/// Values that may not be: non-finite, negative where it may not be.
class LIBSOLVE_EXPORT DataError : public Error {
 public:
  explicit DataError(const std::string& message);
  ~DataError() override;
};

/// A plugin that cannot be loaded, or a name that no plugin provides.
class LIBSOLVE_EXPORT PluginError : public Error {
 public:
  explicit PluginError(const std::string& message);
  ~PluginError() override;
};

/// A file that cannot be opened, read or written.
class LIBSOLVE_EXPORT IoError : public Error {
 public:
  explicit IoError(const std::string& message);
  ~IoError() override;
};

/// A computation that cannot go on, such as a factorisation that meets a zero pivot.
class LIBSOLVE_EXPORT NumericalError : public Error {
 public:
  explicit NumericalError(const std::string& message);
  ~NumericalError() override;
};

/// A valid request that this method, operator or build cannot serve.
class LIBSOLVE_EXPORT Unsupported : public Error {
 public:
  explicit Unsupported(const std::string& message);
  ~Unsupported() override;
};

/// An error code of MPI, HDF5, PETSc, SUNDIALS or CUDA, turned into an exception where it arose.
class LIBSOLVE_EXPORT BackendError : public Error {
 public:
  explicit BackendError(const std::string& message);
  ~BackendError() override;
};

/// Collects the problems of one input, so that all are reported together.
class LIBSOLVE_EXPORT Diagnostics {
 public:
  void add(SourceLocation where, std::string key, std::string message);
  bool empty() const noexcept { return problems_.empty(); }
  const std::vector<Diagnostic>& problems() const noexcept { return problems_; }
  /// Throws InputError with everything collected; does nothing when there is nothing.
  void throw_if_any() const;

 private:
  std::vector<Diagnostic> problems_;
};

}  // namespace libsolve
