/// \file
/// What the parts of the N_Vector share: its content, and how a C function calls C++.
#pragma once

#include <libsolve/adapters/sundials/nvector.hpp>
#include <libsolve/core/row_kernels.hpp>
#include <libsolve/core/vector.hpp>

namespace libsolve::sun::detail {

/// What an N_Vector of ours holds.
struct Content {
  Vector vector;  // without data after N_VCloneEmpty
  Partition partition;
};

inline constexpr bool host_reads =
    Kokkos::SpaceAccessibility<Kokkos::HostSpace, MemSpace>::accessible;

inline Content& content(N_Vector v) {
  return *static_cast<Content*>(v->content);
}
inline double* data(N_Vector v) {
  return content(v).vector.data();
}
inline Index size(N_Vector v) {
  return content(v).partition.local_size();
}
inline const Communicator& comm(N_Vector v) {
  return content(v).partition.communicator();
}

/// 0, or an error code where f throws.
template <class Function>
int code(const Function& f) noexcept {
  try {
    f();
    return 0;
  } catch (...) {
    return -1;
  }
}

/// f.template operator()<n>() for n in 1..N.
template <int N, class Function>
void with_count(int n, const Function& f) {
  if constexpr (N > 0) {
    if (n == N)
      f.template operator()<N>();
    else
      with_count<N - 1>(n, f);
  }
}

/// The operations that write vectors, and those that give numbers.
void set_operations(N_Vector_Ops ops);
void set_reductions(N_Vector_Ops ops);

}  // namespace libsolve::sun::detail
