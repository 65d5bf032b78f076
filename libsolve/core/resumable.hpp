#pragma once

#include <libsolve/core/component.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace libsolve {

/// Where a stored state is read from.
class LIBSOLVE_EXPORT StateSource {
 public:
  virtual ~StateSource();
  virtual bool has(std::string_view name) const = 0;
  /// All numbers of an array, the same on every rank. Throws IoError where there is none.
  virtual std::vector<double> numbers(std::string_view name) const = 0;
  /// Fills `into.values`, each rank its part. Throws ShapeError for another size, IoError.
  virtual void read(std::string_view name, const Field& into) const = 0;
};

/// A problem or a method that can be stopped and continued to the same digits. The run stores
/// state() of both in snapshots and results, and hands it back under --resume. Others than those
/// continue from their solution alone.
class LIBSOLVE_EXPORT Resumable {
 public:
  virtual ~Resumable();
  /// What a new object needs, beside its options, to go on as this one would: called inside
  /// Monitor::observe(), or after the end. Distributed vectors, or numbers (numbers_field) that are
  /// the same on all ranks. Empty where there is nothing to continue.
  virtual std::vector<Field> state() const = 0;
  /// Before the solve of `problem`, which has been restored already. Throws DataError for a state
  /// that does not fit.
  virtual void restore(const StateSource& state, const Problem& problem) = 0;
};

/// A few numbers as a field, on the host's side of the device; not distributed.
LIBSOLVE_EXPORT Field numbers_field(std::string name, const std::vector<double>& numbers,
                                    std::string description);

}  // namespace libsolve
