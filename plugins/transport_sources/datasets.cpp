#include "datasets.hpp"

#include <cmath>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/text.hpp>
#include <libsolve/core/together.hpp>

#include "regularization_options.hpp"

namespace transport_sources {

Hdf5File open_data(const std::string& path) {
  try {
    return Hdf5File::open(path);
  } catch (const IoError& e) {
    throw InputError({}, "file", std::string("cannot be read as HDF5: ") + e.what());
  }
}

namespace {

std::string shape_text(const std::vector<GlobalIndex>& shape) {
  if (shape.empty()) return "a single number";
  std::vector<std::string> parts;
  for (const GlobalIndex n : shape) parts.push_back(std::to_string(n));
  return join(parts, " x ");
}

}  // namespace

std::vector<GlobalIndex> shape_of(const Hdf5File& file, const std::string& name, int rank,
                                  const char* meaning) {
  if (!file.exists(name)) {
    const std::vector<std::string> names = file.members("/");
    const std::string near = nearest_name(name, names);
    throw DataError("'" + file.path() + "' has no dataset '" + name + "' (" + meaning +
                    "); it has " + (names.empty() ? "nothing" : join(names)) +
                    (near.empty() ? "" : "; did you mean '" + near + "'?"));
  }
  if (file.is_group(name))
    throw DataError("'" + file.path() + "': '" + name + "' is a group; a dataset is needed, " +
                    meaning);
  const std::vector<GlobalIndex> shape = file.shape(name);
  bool fits = static_cast<int>(shape.size()) == rank;
  for (const GlobalIndex n : shape) fits = fits && n > 0;
  if (!fits)
    throw ShapeError("'" + file.path() + "': '" + name + "' is " + shape_text(shape) +
                     "; needed is " + meaning);
  return shape;
}

DenseBlock read_rows(const Hdf5File& file, const std::string& name, const Partition& rows,
                     GlobalIndex columns, bool negative, const Communicator& comm) {
  const bool spread = rows.communicator().size() > 1;
  const Partition entries = spread ? Partition(rows.communicator(), rows.local_size() * columns)
                                   : Partition(rows.global_size() * columns);
  const Vector values("transport_sources::" + name, entries);
  together(comm, [&] {
    file.read_vector(name, values);
    const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), values.view());
    for (std::size_t k = 0; k < host.extent(0); ++k) {
      const double v = host(k);
      if (std::isfinite(v) && (negative || v >= 0.0)) continue;
      const auto place = entries.first_row() + static_cast<GlobalIndex>(k);
      throw DataError("'" + file.path() + "': " + name + "[" + std::to_string(place / columns) +
                      ", " + std::to_string(place % columns) + "] is " + format_number(v) +
                      (negative ? "; it must be finite"
                                : "; costs must be finite and not negative (a constant added to "
                                  "all of them does not change the balanced plan)"));
    }
  });
  const DenseBlock block("transport_sources::" + name,
                         static_cast<std::size_t>(rows.local_size()),
                         static_cast<std::size_t>(columns));
  Kokkos::deep_copy(VectorView(block.data(), values.view().extent(0)), values.view());
  return block;
}

Vector read_masses(const Hdf5File& file, const std::string& name, const Partition& rows,
                   const std::string& points) {
  if (!file.exists(name)) return uniform_mass(rows, name.c_str());
  const std::vector<GlobalIndex> shape =
      shape_of(file, name, 1, "a mass for each point, one axis");
  if (shape[0] != rows.global_size())
    throw ShapeError("'" + file.path() + "': '" + name + "' has " + std::to_string(shape[0]) +
                     " masses for " + points);
  const Vector v("transport_sources::" + name, rows);
  file.read_vector(name, v);
  return v;
}

}  // namespace transport_sources
