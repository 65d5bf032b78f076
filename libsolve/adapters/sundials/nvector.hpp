#pragma once

#include <libsolve/adapters/sundials/bridges.hpp>
#include <libsolve/core/vector.hpp>
#include <memory>

/// SUNDIALS vectors over libsolve's, on every device, without a copy in either direction.
namespace libsolve::sun {

/// An N_Vector that shares the data of `v` (id SUNDIALS_NVEC_CUSTOM): what SUNDIALS writes, v
/// holds. It owns a handle, so it may outlive v; N_VDestroy frees it, N_VClone makes vectors of the
/// same partition with data of their own. All standard operations, local and single-buffer
/// reductions (for ManyVector and MPIPlusX), buffers (for XBraid), and the fused ones
/// N_VLinearCombination, N_VScaleAddMulti, N_VDotProdMulti in one pass over memory; sums over ranks
/// go through the partition's communicator. N_VGetArrayPointer answers where the data can be read
/// by the host, N_VGetDeviceArrayPointer elsewhere.
///
/// No operation lets an exception through SUNDIALS: a reduction that fails (a fault of MPI) returns
/// NaN, N_VClone null. Throws BackendError where SUNDIALS cannot make one.
LIBSOLVE_EXPORT N_Vector make_nvector(const Vector& v, SUNContext context);

/// Whether `v` came from make_nvector() or was cloned from one.
LIBSOLVE_EXPORT bool is_nvector(N_Vector v) noexcept;

/// The vector inside of one of ours; Unsupported for others.
LIBSOLVE_EXPORT const Vector& vector_of(N_Vector v);

/// How the rows of any N_Vector lie over the ranks. Collective for vectors that are not ours.
LIBSOLVE_EXPORT Partition partition_of(N_Vector v);

/// Any N_Vector as a vector of `partition`, without a copy: ours by its handle, others (serial,
/// parallel, OpenMP, CUDA, Kokkos) by their array pointer in the memory that kernels work on.
/// Throws Unsupported where there is no such pointer, ShapeError where the lengths differ.
LIBSOLVE_EXPORT Vector as_vector(N_Vector v, const Partition& partition);

struct NVectorDestroy {
  void operator()(N_Vector v) const noexcept { N_VDestroy(v); }
};
/// An N_Vector that is destroyed with its owner: `NVectorPointer u(make_nvector(v, context))`.
using NVectorPointer = std::unique_ptr<std::remove_pointer_t<N_Vector>, NVectorDestroy>;

}  // namespace libsolve::sun
