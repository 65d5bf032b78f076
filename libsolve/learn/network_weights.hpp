#pragma once

#include <libsolve/learn/plan.hpp>
#include <libsolve/learn/weights.hpp>

namespace libsolve::learn {

/// Parameters drawn as Glorot and Bengio (2010) do: uniform on +-sqrt(6 / (in + out)), in and out
/// the entries of a kernel times the channels on its sides; biases 0.
LIBSOLVE_EXPORT Network<float> initial_network(const Plan& plan, std::uint64_t seed);

/// LAYER/weight [output][input][z][y][x] (axes in use only) and LAYER/bias for each convolution.
LIBSOLVE_EXPORT std::vector<NamedArray> to_arrays(const Network<float>& network);

/// The network of this plan with the parameters of a file; InputError where they do not fit.
LIBSOLVE_EXPORT Network<float> from_arrays(const Plan& plan, const Weights& weights);

}  // namespace libsolve::learn
