// Kokkos 4.7.0 was written for CUDA 12; CUDA 13 changed the argument lists of two runtime calls.
// This header is force-included by the CUDA preset and adds the old argument lists as overloads.
#pragma once
#if defined(__CUDACC__) && defined(__cplusplus)
#include <cuda_runtime.h>
#if CUDART_VERSION >= 13000
inline cudaError_t cudaGraphAddDependencies(cudaGraph_t graph, const cudaGraphNode_t* from,
                                            const cudaGraphNode_t* to, size_t num_dependencies) {
  return cudaGraphAddDependencies(graph, from, to, nullptr, num_dependencies);
}
inline cudaError_t cudaMemPrefetchAsync(const void* pointer, size_t num_bytes, int device,
                                        cudaStream_t stream = nullptr) {
  cudaMemLocation location{};
  location.type = device == cudaCpuDeviceId ? cudaMemLocationTypeHost : cudaMemLocationTypeDevice;
  location.id = device == cudaCpuDeviceId ? 0 : device;
  return cudaMemPrefetchAsync(pointer, num_bytes, location, 0u, stream);
}
#endif
#endif
