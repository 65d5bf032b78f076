#pragma once

#include <libsolve/core/vector.hpp>
#include <vector>

namespace libsolve::test {

/// Entries of a vector on the host, and back.
inline std::vector<double> to_host(const Vector& v) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), v.view());
  return {host.data(), host.data() + host.extent(0)};
}

inline void assign(const Vector& v, const std::vector<double>& values) {
  Kokkos::deep_copy(v.view(),
                    Kokkos::View<const double*, Kokkos::HostSpace>(values.data(), values.size()));
}

inline Vector to_vector(const std::vector<double>& values) {
  Vector v("test::vector", Partition(static_cast<GlobalIndex>(values.size())));
  assign(v, values);
  return v;
}

}  // namespace libsolve::test
