#pragma once

#include <libsolve/io/hdf5_file.hpp>
#include <libsolve/transport/transport_cost.hpp>
#include <string>

/// Datasets of a transport problem in an HDF5 file, checked as they are read.
namespace transport_sources {

using namespace libsolve;  // NOLINT: a plugin is written in terms of the library

/// The file, open for reading. InputError with the key `file` where that does not work.
Hdf5File open_data(const std::string& path);

/// Extents of a dataset that must have `rank` axes, none of them empty. DataError names file,
/// dataset, what is there and what should be; for a missing one the nearest name.
std::vector<GlobalIndex> shape_of(const Hdf5File& file, const std::string& name, int rank,
                                  const char* meaning);

/// This rank's rows of a dataset with two axes; all rows for a partition on one rank. DataError with
/// its place where a number is not finite, or is negative and `negative` is false. Collective.
DenseBlock read_rows(const Hdf5File& file, const std::string& name, const Partition& rows,
                     GlobalIndex columns, bool negative, const Communicator& comm);

/// Masses over `rows` from a dataset of that length; 1 / n where the file has none. ShapeError.
Vector read_masses(const Hdf5File& file, const std::string& name, const Partition& rows,
                   const std::string& points);

}  // namespace transport_sources
