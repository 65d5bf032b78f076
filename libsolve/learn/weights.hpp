#pragma once

#include <cstdint>
#include <libsolve/core/types.hpp>
#include <libsolve/core/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace libsolve {

/// Numbers under a name: the entries of one layer, the moments of an optimiser. Slowest axis first,
/// as in HDF5; float values are exact in double.
struct NamedArray {
  std::string name = {};                ///< path below its group: "down0/conv1/weight"
  std::vector<GlobalIndex> shape = {};  ///< at least one extent
  std::vector<double> values = {};
};

/// The operator that weights were trained on. Kind and dimension are conditions of use; the rest is
/// for the reader.
struct TrainedOperator {
  std::string kind = {};         ///< a word: "poisson", "diffusion"
  int dimension = 0;             ///< of its grid
  std::vector<int> cells = {};   ///< cells along each axis in training
  std::string description = {};  ///< "3D Poisson, 16 x 16 x 16, Dirichlet"
};

/// What a training makes and a method reads: the arrays of a network, and what they fit.
struct Weights {
  std::string network = {};  ///< who can read them: "dcdm"
  Value options = {};        ///< the network's own description, a table (channels, levels, ...)
  std::vector<NamedArray> arrays = {};
  TrainedOperator trained_on = {};
  std::string file = {};  ///< where they were read from; "" for new ones

  /// The array called `name`. InputError, naming file and array, where there is none, where its
  /// shape is another than `shape`, or where an entry is not finite.
  LIBSOLVE_EXPORT const NamedArray& array(const std::string& name,
                                          const std::vector<GlobalIndex>& shape) const;
};

/// InputError, with file, field, both values and the cure, unless the weights are for `network`.
LIBSOLVE_EXPORT void require_network(const Weights& weights, std::string_view network);
/// The same unless they were trained on an operator of this kind and dimension.
LIBSOLVE_EXPORT void require_operator(const Weights& weights, std::string_view kind, int dimension);

}  // namespace libsolve
