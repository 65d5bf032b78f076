#include <libsolve/core/resumable.hpp>

namespace libsolve {

StateSource::~StateSource() = default;
Resumable::~Resumable() = default;

Field numbers_field(std::string name, const std::vector<double>& numbers, std::string description) {
  const VectorView view("resumable::" + name, numbers.size());
  Kokkos::deep_copy(view, Kokkos::View<const double*, Kokkos::HostSpace>(numbers.data(), numbers.size()));
  Field field;
  field.name = std::move(name);
  field.values = Vector(view, Partition(static_cast<GlobalIndex>(numbers.size())));
  field.description = std::move(description);
  return field;
}

}  // namespace libsolve
