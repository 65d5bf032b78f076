#pragma once

#include <Kokkos_Core.hpp>
#include <libsolve/core/index.hpp>

namespace libsolve {

/// Where kernels run and data lives unless a kernel is asked for another space.
using ExecSpace = Kokkos::DefaultExecutionSpace;
using MemSpace = ExecSpace::memory_space;

/// Rank-local double data. `VectorView` may be written, `ConstVectorView` only read.
using VectorView = Kokkos::View<double*, MemSpace>;
using ConstVectorView = Kokkos::View<const double*, MemSpace>;

/// For `x <= largest_double` in kernels: false for infinity and NaN.
inline constexpr double largest_double = 1.7976931348623157e308;

/// True where kernels of `Exec` run on the host, so that row loops with SIMD are the fast shape.
template <class Exec>
inline constexpr bool runs_on_host =
    Kokkos::SpaceAccessibility<Kokkos::HostSpace, typename Exec::memory_space>::accessible&&
        Kokkos::SpaceAccessibility<Exec, Kokkos::HostSpace>::accessible;

}  // namespace libsolve
