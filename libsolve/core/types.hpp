#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>

namespace libsolve {

/// Index of a rank-local row, cell or entry of a vector.
using Index = std::int32_t;
/// Index over all ranks; also counts that may pass 2^31, such as nonzeros.
using GlobalIndex = std::int64_t;

/// Where kernels run and data lives unless a kernel is asked for another space.
using ExecSpace = Kokkos::DefaultExecutionSpace;
using MemSpace = ExecSpace::memory_space;

/// Rank-local double data. `VectorView` may be written, `ConstVectorView` only read.
using VectorView = Kokkos::View<double*, MemSpace>;
using ConstVectorView = Kokkos::View<const double*, MemSpace>;

/// True where kernels of `Exec` run on the host, so that row loops with SIMD are the fast shape.
template <class Exec>
inline constexpr bool runs_on_host =
    Kokkos::SpaceAccessibility<Kokkos::HostSpace, typename Exec::memory_space>::accessible &&
    Kokkos::SpaceAccessibility<Exec, Kokkos::HostSpace>::accessible;

}  // namespace libsolve
