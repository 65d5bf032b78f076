#include <libsolve/core/errors.hpp>
#include <utility>

namespace libsolve {

std::string to_string(const SourceLocation& where) {
  if (where.file.empty()) return {};
  return where.line > 0 ? where.file + ":" + std::to_string(where.line) + ": " : where.file + ": ";
}

std::string to_string(const Diagnostic& d) {
  return to_string(d.where) + (d.key.empty() ? std::string() : d.key + ": ") + d.message;
}

namespace {
std::string join(const std::vector<Diagnostic>& problems) {
  std::string text;
  for (const Diagnostic& d : problems) {
    if (!text.empty()) text += '\n';
    text += to_string(d);
  }
  return text;
}
}  // namespace

Error::Error(const std::string& message) : std::runtime_error(message) {}
Error::~Error() = default;

InputError::InputError(std::vector<Diagnostic> problems)
    : Error(join(problems)), problems_(std::move(problems)) {}
InputError::InputError(SourceLocation where, std::string key, std::string message)
    : InputError(std::vector<Diagnostic>{{std::move(where), std::move(key), std::move(message)}}) {}
InputError::~InputError() = default;

ShapeError::ShapeError(const std::string& message) : Error(message) {}
ShapeError::~ShapeError() = default;
DataError::DataError(const std::string& message) : Error(message) {}
DataError::~DataError() = default;
PluginError::PluginError(const std::string& message) : Error(message) {}
PluginError::~PluginError() = default;
IoError::IoError(const std::string& message) : Error(message) {}
IoError::~IoError() = default;
NumericalError::NumericalError(const std::string& message) : Error(message) {}
NumericalError::~NumericalError() = default;
Unsupported::Unsupported(const std::string& message) : Error(message) {}
Unsupported::~Unsupported() = default;
BackendError::BackendError(const std::string& message) : Error(message) {}
BackendError::~BackendError() = default;

void Diagnostics::add(SourceLocation where, std::string key, std::string message) {
  problems_.push_back({std::move(where), std::move(key), std::move(message)});
}

void Diagnostics::throw_if_any() const {
  if (!problems_.empty()) throw InputError(problems_);
}

}  // namespace libsolve
