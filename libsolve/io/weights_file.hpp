#pragma once

#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/learn/trainer.hpp>
#include <optional>
#include <string>

/// Weights in HDF5, schema 1: a results file (io/results_file.hpp) with the groups /weights,
/// /operator and, where a training can be resumed, /state; libsolve/docs/weights-schema.md.
namespace libsolve {

inline constexpr int weights_schema = 1;

/// Writes the groups above into a file that is open.
LIBSOLVE_EXPORT void write_weights(Hdf5File& file, const Weights& weights,
                                   const TrainingState* state);

/// Reads weights. InputError, naming the file, for one that is missing, is no weights file, or has
/// another schema.
LIBSOLVE_EXPORT Weights read_weights(const std::string& path);

/// The state of a training; empty where the file has none.
LIBSOLVE_EXPORT std::optional<TrainingState> read_training_state(const std::string& path);

/// The file that `name` means. Something with a '/' or ending in ".h5" is a file, relative to
/// `base_folder`; a bare name is NAME.h5, searched for in the folders of LIBSOLVE_WEIGHTS_PATH
/// (separated by ':') and in the installed folder share/libsolve/learned. InputError, with the
/// nearest name and the places searched, where it is not found.
LIBSOLVE_EXPORT std::string find_weights(const std::string& name, const std::string& base_folder);

/// The installed folder, beside the folder of libsolve.so.
LIBSOLVE_EXPORT std::string installed_weights_folder();

}  // namespace libsolve
