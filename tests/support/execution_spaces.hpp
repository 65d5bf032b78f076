#pragma once

#include <gtest/gtest.h>

#include <Kokkos_Core.hpp>

namespace libsolve::test {

/// Every execution space that is switched on, for typed tests of kernels that are templates.
using ExecutionSpaces = ::testing::Types<
#ifdef KOKKOS_ENABLE_SERIAL
    Kokkos::Serial
#if defined(KOKKOS_ENABLE_OPENMP) || defined(KOKKOS_ENABLE_CUDA) || defined(KOKKOS_ENABLE_HIP)
    ,
#endif
#endif
#ifdef KOKKOS_ENABLE_OPENMP
    Kokkos::OpenMP
#if defined(KOKKOS_ENABLE_CUDA) || defined(KOKKOS_ENABLE_HIP)
    ,
#endif
#endif
#ifdef KOKKOS_ENABLE_CUDA
    Kokkos::Cuda
#endif
#ifdef KOKKOS_ENABLE_HIP
        Kokkos::HIP
#endif
    >;

}  // namespace libsolve::test
