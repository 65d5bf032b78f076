#pragma once

#include <libsolve/core/errors.hpp>
#include <libsolve/core/resumable.hpp>
#include <map>
#include <tests/support/vectors.hpp>

namespace libsolve::test {

/// The state of a Resumable kept in memory, as a file would keep it.
class MemoryState final : public StateSource {
 public:
  explicit MemoryState(const std::vector<Field>& fields) {
    for (const Field& field : fields) numbers_[field.name] = to_host(field.values);
  }
  bool has(std::string_view name) const override { return numbers_.contains(std::string(name)); }
  std::vector<double> numbers(std::string_view name) const override {
    if (!has(name)) throw IoError("no '" + std::string(name) + "' in the state");
    return numbers_.at(std::string(name));
  }
  void read(std::string_view name, const Field& into) const override {
    const std::vector<double> values = numbers(name);
    if (values.size() != into.values.view().extent(0)) throw ShapeError("another size");
    Kokkos::deep_copy(into.values.view(), to_vector(values).view());
  }
  size_t size() const { return numbers_.size(); }

 private:
  std::map<std::string, std::vector<double>> numbers_;
};

}  // namespace libsolve::test
