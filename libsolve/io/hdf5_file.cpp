#include <hdf5.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <libsolve/core/config.hpp>
#include <libsolve/io/detail/hdf5_support.hpp>
#include <libsolve/io/hdf5_file.hpp>
#include <numeric>
#include <utility>

namespace libsolve {

using detail::Handle;
using detail::last_reason;
using detail::line_space;
using detail::native_type;
using detail::Quiet;
using detail::scalar_space;
using detail::text_type;

namespace {

/// Adds rows [first, first + count) of the flattened dataset to the selection of `space`: at most
/// two partial slabs for each axis and one that is full.
void select_rows(hid_t space, const std::vector<hsize_t>& shape, hsize_t first, hsize_t count) {
  H5Sselect_none(space);
  const size_t rank = shape.size();
  std::vector<hsize_t> start(rank), block(rank);
  const std::function<void(size_t, hsize_t, hsize_t)> add = [&](size_t axis, hsize_t lo,
                                                                hsize_t hi) {
    // Rows [lo, hi) of the sub-array that start[0 .. axis) fixed.
    if (lo >= hi) return;
    hsize_t inner = 1;
    for (size_t a = axis + 1; a < rank; ++a) inner *= shape[a];
    const hsize_t whole_begin = (lo + inner - 1) / inner;
    const hsize_t whole_end = hi / inner;
    const auto partial = [&](hsize_t index, hsize_t a, hsize_t b) {
      start[axis] = index;
      block[axis] = 1;
      add(axis + 1, a, b);
    };
    if (whole_begin > whole_end) {  // inside one slab
      partial(whole_end, lo - whole_end * inner, hi - whole_end * inner);
      return;
    }
    if (lo < whole_begin * inner) partial(whole_begin - 1, lo - (whole_begin - 1) * inner, inner);
    if (whole_begin < whole_end) {
      start[axis] = whole_begin;
      block[axis] = whole_end - whole_begin;
      for (size_t a = axis + 1; a < rank; ++a) {
        start[a] = 0;
        block[a] = shape[a];
      }
      const std::vector<hsize_t> ones(rank, 1);
      H5Sselect_hyperslab(space, H5S_SELECT_OR, start.data(), nullptr, ones.data(), block.data());
    }
    if (whole_end * inner < hi) partial(whole_end, 0, hi - whole_end * inner);
  };
  add(0, first, first + count);
}

/// The cells of a box in a dataset over a grid, whose last `rank` axes are x and those before it.
void select_box(hid_t space, const Box& box, int rank) {
  if (box.num_cells() == 0) {
    H5Sselect_none(space);
    return;
  }
  hsize_t start[3], count[3];
  for (int d = 0; d < rank; ++d) {
    const int axis = rank - 1 - d;
    start[d] = static_cast<hsize_t>(box.begin[axis]);
    count[d] = static_cast<hsize_t>(box.cells(axis));
  }
  H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, count, nullptr);
}

/// The extents of a dataset of `size` entries; one-dimensional without a shape.
std::vector<hsize_t> extents(const std::vector<GlobalIndex>& shape, GlobalIndex size,
                             const std::string& path) {
  std::vector<hsize_t> out(std::max<size_t>(shape.size(), 1), static_cast<hsize_t>(size));
  std::copy(shape.begin(), shape.end(), out.begin());
  const GlobalIndex product = static_cast<GlobalIndex>(
      std::accumulate(out.begin(), out.end(), hsize_t{1}, std::multiplies<>()));
  if (product != size)
    throw ShapeError("'" + path + "' has a shape of " + std::to_string(product) +
                     " entries, its vector has " + std::to_string(size));
  return out;
}

}  // namespace

bool hdf5_is_parallel() noexcept {
  return LIBSOLVE_HAVE_HDF5_PARALLEL != 0;
}

Hdf5File::Hdf5File(std::string path, Communicator comm, std::int64_t file, bool collective)
    : path_(std::move(path)), comm_(std::move(comm)), file_(file), collective_(collective) {}

Hdf5File::Hdf5File(Hdf5File&& other) noexcept
    : path_(std::move(other.path_)),
      comm_(std::move(other.comm_)),
      file_(std::exchange(other.file_, -1)),
      collective_(other.collective_) {}

Hdf5File::~Hdf5File() {
  const Quiet quiet;
  if (file_ >= 0) H5Fclose(file_);
}

void Hdf5File::fail(const std::string& what) const {
  throw IoError("'" + path_ + "': cannot " + what + ": " + last_reason());
}

std::int64_t Hdf5File::check(std::int64_t code, const std::string& what) const {
  if (code < 0) fail(what);
  return code;
}

Hdf5File Hdf5File::create(const std::string& path, const Communicator& comm) {
  const Quiet quiet;
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  const bool collective = comm.size() > 1;
  if (collective) {
#if LIBSOLVE_HAVE_HDF5_PARALLEL
    H5Pset_fapl_mpio(access.get(), *static_cast<const MPI_Comm*>(comm.mpi_comm()), MPI_INFO_NULL);
#else
    throw Unsupported("writing '" + path + "' from " + std::to_string(comm.size()) +
                      " ranks needs a parallel HDF5, and this build has a serial one; run on one "
                      "rank, or rebuild with a parallel HDF5");
#endif
  }
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get());
  if (file < 0) throw IoError("'" + path + "': cannot create this file: " + last_reason());
  return Hdf5File(path, comm, file, collective);
}

Hdf5File Hdf5File::open(const std::string& path) {
  const Quiet quiet;
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) {
    const std::string reason = last_reason();
    const bool foreign = reason.find("signature") != std::string::npos;
    throw IoError("'" + path + "': cannot open this file: " +
                  (foreign ? std::string("it is no HDF5 file") : reason));
  }
  return Hdf5File(path, Communicator::self(), file, false);
}

void Hdf5File::close() {
  const Quiet quiet;
  const hid_t file = std::exchange(file_, -1);
  if (file < 0) return;
  if (H5Fflush(file, H5F_SCOPE_LOCAL) < 0) {
    const std::string reason = last_reason();
    H5Fclose(file);
    throw IoError("'" + path_ + "': cannot write it out: " + reason);
  }
  check(H5Fclose(file), "close it");
}

namespace {

/// "" for a member of the root, whether or not its path begins with a slash.
std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

}  // namespace

void Hdf5File::make_group(const std::string& path) {
  const Quiet quiet;
  if (path == "/" || path.empty() || exists(path)) return;
  make_group(parent_of(path));
  const Handle group(H5Gcreate2(file_, path.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                     H5Gclose);
  check(group.get(), "make the group '" + path + "'");
}

void Hdf5File::link(const std::string& target, const std::string& new_path) {
  const Quiet quiet;
  make_group(parent_of(new_path));
  check(H5Lcreate_hard(file_, target.c_str(), file_, new_path.c_str(), H5P_DEFAULT, H5P_DEFAULT),
        "link '" + new_path + "' to '" + target + "'");
}

std::int64_t Hdf5File::create_dataset(const std::string& path, std::int64_t type,
                                      std::int64_t space, std::int64_t layout) {
  make_group(parent_of(path));
  return check(H5Dcreate2(file_, path.c_str(), type, space, H5P_DEFAULT, layout, H5P_DEFAULT),
               "write '" + path + "'");
}

std::int64_t Hdf5File::open_dataset(const std::string& path) const {
  return check(H5Dopen2(file_, path.c_str(), H5P_DEFAULT), "open '" + path + "'");
}

void Hdf5File::write_small(const std::string& path, std::int64_t space, std::int64_t type,
                           const void* data) {
  const Handle set(create_dataset(path, type, space, H5P_DEFAULT), H5Dclose);
  // All ranks hold the same; one of them writes it.
  if (comm_.rank() == 0)
    check(H5Dwrite(set.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "write '" + path + "'");
}

void Hdf5File::text(const std::string& path, std::string_view text) {
  const Quiet quiet;
  const Handle type(text_type(text.size()), H5Tclose);
  const std::string data(text);
  write_small(path, scalar_space().get(), type.get(), data.c_str());
}

void Hdf5File::texts(const std::string& path, const std::vector<std::string>& texts) {
  const Quiet quiet;
  size_t width = 1;
  for (const std::string& t : texts) width = std::max(width, t.size());
  std::vector<char> buffer(width * texts.size(), '\0');
  for (size_t i = 0; i < texts.size(); ++i)
    std::memcpy(buffer.data() + i * width, texts[i].data(), texts[i].size());
  const Handle type(text_type(width), H5Tclose);
  if (!texts.empty())
    return write_small(path, line_space(texts.size()).get(), type.get(), buffer.data());
  const Handle nothing(H5Screate(H5S_NULL), H5Sclose);
  const Handle set(create_dataset(path, type.get(), nothing.get(), H5P_DEFAULT), H5Dclose);
}

void Hdf5File::scalar(const std::string& path, double value) {
  const Quiet quiet;
  write_small(path, scalar_space().get(), native_type(value), &value);
}

void Hdf5File::write_column(const std::string& path, std::int64_t type, std::size_t length,
                            const void* data) {
  const Quiet quiet;
  const hsize_t now = length;
  const hsize_t limit = H5S_UNLIMITED;
  const hsize_t chunk = std::clamp<hsize_t>(length, 64, 8192);
  const Handle space(H5Screate_simple(1, &now, &limit), H5Sclose);
  const Handle layout(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  H5Pset_chunk(layout.get(), 1, &chunk);
  const Handle set(create_dataset(path, type, space.get(), layout.get()), H5Dclose);
  if (comm_.rank() == 0 && length > 0)
    check(H5Dwrite(set.get(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "write '" + path + "'");
}

void Hdf5File::column(const std::string& path, std::span<const double> values) {
  write_column(path, native_type(double{}), values.size(), values.data());
}

void Hdf5File::column(const std::string& path, std::span<const std::int64_t> values) {
  write_column(path, native_type(std::int64_t{}), values.size(), values.data());
}

void Hdf5File::array(const std::string& path, std::span<const double> values,
                     const std::vector<GlobalIndex>& shape) {
  const Quiet quiet;
  const std::vector<hsize_t> dims = extents(shape, static_cast<GlobalIndex>(values.size()), path);
  const Handle space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr),
                     H5Sclose);
  write_small(path, space.get(), native_type(double{}), values.data());
}

void Hdf5File::vector(const std::string& path, const Vector& values,
                      std::vector<GlobalIndex> shape, bool as_integers) {
  const Quiet quiet;
  const std::string what = "write '" + path + "'";
  const std::vector<hsize_t> dims = extents(shape, values.global_size(), path);
  const Handle file_space(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr),
                          H5Sclose);
  const Handle set(create_dataset(path, as_integers ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE,
                                  file_space.get(), H5P_DEFAULT),
                   H5Dclose);

  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), values.view());
  // A vector that lies whole on every rank is written by the first; others each write their part.
  const bool whole_here = values.communicator().size() == 1 && comm_.size() > 1;
  const hsize_t count =
      whole_here && comm_.rank() > 0 ? 0 : static_cast<hsize_t>(values.local_size());
  if (count == static_cast<hsize_t>(values.global_size()) && comm_.size() == 1) {
    check(H5Dwrite(set.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, host.data()), what);
    return;
  }
  select_rows(file_space.get(), dims, static_cast<hsize_t>(values.partition().first_row()), count);
  write_selection(what, set.get(), file_space.get(), count, host.data());
}

void Hdf5File::vector(const std::string& path, const Vector& values, const Grid& grid,
                      const Box& box) {
  const Quiet quiet;
  if (values.local_size() != box.num_cells())
    throw ShapeError("'" + path + "' has " + std::to_string(values.local_size()) +
                     " entries here, its box has " + std::to_string(box.num_cells()) + " cells");
  const std::vector<hsize_t> dims = {hsize_t(grid.cells[2]), hsize_t(grid.cells[1]),
                                     hsize_t(grid.cells[0])};
  const Handle space(H5Screate_simple(3, dims.data(), nullptr), H5Sclose);
  const Handle set(create_dataset(path, H5T_NATIVE_DOUBLE, space.get(), H5P_DEFAULT), H5Dclose);
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace(), values.view());
  select_box(space.get(), box, 3);
  write_selection("write '" + path + "'", set.get(), space.get(),
                  static_cast<size_t>(values.local_size()), host.data());
}

void Hdf5File::write_selection(const std::string& what, std::int64_t set, std::int64_t space,
                               std::size_t count, const double* data) {
  const Handle memory = line_space(count);
  if (count == 0) H5Sselect_none(memory.get());
  const Handle transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose);
#if LIBSOLVE_HAVE_HDF5_PARALLEL
  if (collective_) H5Pset_dxpl_mpio(transfer.get(), H5FD_MPIO_COLLECTIVE);
#endif
  check(H5Dwrite(set, H5T_NATIVE_DOUBLE, memory.get(), space, transfer.get(), data), what);
}

bool Hdf5File::exists(const std::string& path) const {
  const Quiet quiet;
  // H5Lexists wants every step on the way to be there.
  for (size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (part != "/" && H5Lexists(file_, part.c_str(), H5P_DEFAULT) <= 0) return false;
    if (at == std::string::npos) return true;
  }
}

bool Hdf5File::is_group(const std::string& path) const {
  const Quiet quiet;
  const Handle object(H5Oopen(file_, path.c_str(), H5P_DEFAULT), H5Oclose);
  return object.get() >= 0 && H5Iget_type(object.get()) == H5I_GROUP;
}

std::vector<std::string> Hdf5File::members(const std::string& group) const {
  const Quiet quiet;
  std::vector<std::string> names;
  const Handle owner(H5Gopen2(file_, group.c_str(), H5P_DEFAULT), H5Gclose);
  check(owner.get(), "open the group '" + group + "'");
  H5Literate(owner.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, detail::append_name<H5L_info_t>, &names);
  return names;
}

std::vector<GlobalIndex> Hdf5File::shape(const std::string& path) const {
  const Quiet quiet;
  const Handle set(open_dataset(path), H5Dclose);
  const Handle space(H5Dget_space(set.get()), H5Sclose);
  const int rank = H5Sget_simple_extent_ndims(space.get());
  std::vector<hsize_t> dims(static_cast<size_t>(std::max(rank, 0)));
  H5Sget_simple_extent_dims(space.get(), dims.data(), nullptr);
  return {dims.begin(), dims.end()};
}

std::vector<double> Hdf5File::numbers(const std::string& path) const {
  const Quiet quiet;
  const Handle set(open_dataset(path), H5Dclose);
  const Handle type(H5Dget_type(set.get()), H5Tclose);
  const H5T_class_t kind = H5Tget_class(type.get());
  if (kind != H5T_FLOAT && kind != H5T_INTEGER && kind != H5T_ENUM)
    throw IoError("'" + path_ + "': '" + path + "' does not hold numbers");
  const Handle space(H5Dget_space(set.get()), H5Sclose);
  std::vector<double> values(static_cast<size_t>(H5Sget_simple_extent_npoints(space.get())));
  check(H5Dread(set.get(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
        "read '" + path + "'");
  return values;
}

std::vector<std::string> Hdf5File::texts(const std::string& path) const {
  const Quiet quiet;
  const Handle set(open_dataset(path), H5Dclose);
  const Handle type(H5Dget_type(set.get()), H5Tclose);
  if (H5Tget_class(type.get()) != H5T_STRING || H5Tis_variable_str(type.get()) > 0)
    throw IoError("'" + path_ + "': '" + path + "' does not hold strings of fixed length");
  const Handle space(H5Dget_space(set.get()), H5Sclose);
  const hssize_t count = H5Sget_simple_extent_npoints(space.get());
  const size_t width = H5Tget_size(type.get());
  std::vector<char> buffer(width * static_cast<size_t>(std::max<hssize_t>(count, 0)));
  if (buffer.empty()) return {};
  check(H5Dread(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer.data()),
        "read '" + path + "'");
  return detail::split_texts(buffer, width);
}

std::string Hdf5File::text(const std::string& path) const {
  const std::vector<std::string> all = texts(path);
  return all.empty() ? std::string() : all.front();
}

void Hdf5File::read_vector(const std::string& path, const Vector& values) const {
  const Quiet quiet;
  const std::vector<GlobalIndex> stored = shape(path);
  GlobalIndex size = 1;
  for (const GlobalIndex n : stored) size *= n;
  if (size != values.global_size())
    throw ShapeError("'" + path_ + "': '" + path + "' has " + std::to_string(size) + " entries, " +
                     std::to_string(values.global_size()) + " are needed");
  const Handle set(open_dataset(path), H5Dclose);
  const Handle space(H5Dget_space(set.get()), H5Sclose);
  const hsize_t count = static_cast<hsize_t>(values.local_size());
  const Handle memory = line_space(count);
  if (count == 0) H5Sselect_none(memory.get());
  if (!stored.empty())
    select_rows(space.get(), {stored.begin(), stored.end()},
                static_cast<hsize_t>(values.partition().first_row()), count);
  const auto host = Kokkos::create_mirror_view(values.view());
  check(H5Dread(set.get(), H5T_NATIVE_DOUBLE, memory.get(), space.get(), H5P_DEFAULT, host.data()),
        "read '" + path + "'");
  Kokkos::deep_copy(values.view(), host);
}

void Hdf5File::read_box(const std::string& path, const Grid& grid, const Box& box,
                        const VectorView& values) const {
  const Quiet quiet;
  const std::vector<GlobalIndex> stored = shape(path);
  const size_t rank = stored.size();
  bool fits = rank >= 1 && rank <= 3 && values.extent(0) == static_cast<size_t>(box.num_cells());
  for (size_t axis = 0; axis < 3 && fits; ++axis)
    fits = (axis < rank ? stored[rank - 1 - axis] : 1) == grid.cells[axis];
  if (!fits)
    throw ShapeError("'" + path_ + "': '" + path + "' does not have the shape of a grid of " +
                     std::to_string(grid.cells[0]) + " x " + std::to_string(grid.cells[1]) + " x " +
                     std::to_string(grid.cells[2]) + " cells");
  const Handle set(open_dataset(path), H5Dclose);
  const Handle space(H5Dget_space(set.get()), H5Sclose);
  select_box(space.get(), box, static_cast<int>(rank));
  const Handle memory = line_space(values.extent(0));
  if (values.extent(0) == 0) H5Sselect_none(memory.get());
  const auto host = Kokkos::create_mirror_view(values);
  check(H5Dread(set.get(), H5T_NATIVE_DOUBLE, memory.get(), space.get(), H5P_DEFAULT, host.data()),
        "read '" + path + "'");
  Kokkos::deep_copy(values, host);
}

}  // namespace libsolve
