#pragma once

#include <cstdint>
#include <libsolve/core/communicator.hpp>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/component.hpp>
#include <libsolve/core/vector.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace libsolve {

/// An HDF5 file, written or read by path: "/solution/x". Missing groups on the way to a new object
/// are made. Every call throws IoError, naming file, object and the reason the system gave.
///
/// A file made with a communicator of several ranks is written by all of them together, through
/// MPI-IO: every rank makes every call with the same arguments, vectors excepted, of which each
/// writes its part. Needs a parallel HDF5, else Unsupported. Strings are UTF-8, of fixed length.
class LIBSOLVE_EXPORT Hdf5File {
 public:
  /// A new file; an existing one is replaced.
  static Hdf5File create(const std::string& path, const Communicator& comm = Communicator::self());
  /// An existing file, for reading.
  static Hdf5File open(const std::string& path);
  Hdf5File(Hdf5File&& other) noexcept;
  Hdf5File& operator=(Hdf5File&&) = delete;
  /// Closes without a word about errors: call close() to hear of them.
  ~Hdf5File();

  /// Flushes and closes; nothing else may be called afterwards.
  void close();
  const std::string& path() const noexcept { return path_; }

  // ---- writing
  void make_group(const std::string& path);
  /// A second name for an object of this file (a hard link): nothing is stored twice.
  void link(const std::string& target, const std::string& new_path);

  /// Texts beyond 60 000 bytes are cut: attributes cannot be longer; use text() for those.
  void attribute(const std::string& object, const std::string& name, std::string_view text);
  void attribute(const std::string& object, const std::string& name, const char* text) {
    attribute(object, name, std::string_view(text));
  }
  void attribute(const std::string& object, const std::string& name, double value);
  void attribute(const std::string& object, const std::string& name, std::int64_t value);
  void attribute(const std::string& object, const std::string& name, int value) {
    attribute(object, name, std::int64_t{value});
  }
  void attribute(const std::string& object, const std::string& name, std::span<const double> v);
  void attribute(const std::string& object, const std::string& name,
                 std::span<const std::int64_t> v);
  /// An ASCII attribute whose length is that of the text, as VTK wants its type names.
  void ascii_attribute(const std::string& object, const std::string& name, std::string_view text);

  void text(const std::string& path, std::string_view text);
  void texts(const std::string& path, const std::vector<std::string>& texts);
  void scalar(const std::string& path, double value);
  /// One-dimensional and extendible: readers of a growing table need no special case.
  void column(const std::string& path, std::span<const double> values);
  void column(const std::string& path, std::span<const std::int64_t> values);
  /// Numbers that are the same on all ranks, as a dataset of `shape` (slowest axis first, empty =
  /// one-dimensional; ShapeError where its product is not their count).
  void array(const std::string& path, std::span<const double> values,
             const std::vector<GlobalIndex>& shape = {});
  /// The whole vector as a dataset of `shape` (slowest axis first, empty = one-dimensional;
  /// ShapeError where its product is not the vector's global size), each rank its rows. Data of a
  /// device goes through a host mirror. `as_integers`: stored as 64-bit integers.
  void vector(const std::string& path, const Vector& values, std::vector<GlobalIndex> shape = {},
              bool as_integers = false);
  /// One value for each cell of `grid`, each rank those of its box; shape (z, y, x).
  void vector(const std::string& path, const Vector& values, const Grid& grid, const Box& box);

  // ---- reading
  bool exists(const std::string& path) const;
  /// Names of the members of a group, sorted.
  std::vector<std::string> members(const std::string& group) const;
  bool is_group(const std::string& path) const;
  /// Extents of a dataset; empty for a scalar.
  std::vector<GlobalIndex> shape(const std::string& path) const;
  /// All entries of a numeric dataset, converted to double, in the order stored.
  std::vector<double> numbers(const std::string& path) const;
  std::string text(const std::string& path) const;
  std::vector<std::string> texts(const std::string& path) const;
  /// This rank's rows of a dataset into `values`; ShapeError unless the sizes agree.
  void read_vector(const std::string& path, const Vector& values) const;
  /// The cells of a box of a grid, x fastest, from a dataset over the whole grid (slowest axis
  /// first, unused axes left out or not); ShapeError unless the sizes agree.
  void read_box(const std::string& path, const Grid& grid, const Box& box,
                const VectorView& values) const;

  bool has_attribute(const std::string& object, const std::string& name) const;
  std::vector<std::string> attributes(const std::string& object) const;
  std::string text_attribute(const std::string& object, const std::string& name) const;
  double number_attribute(const std::string& object, const std::string& name) const;
  /// An attribute of any kind, as a person would write it.
  std::string attribute_to_text(const std::string& object, const std::string& name) const;

 private:
  Hdf5File(std::string path, Communicator comm, std::int64_t file, bool collective);
  /// Writes `count` doubles to what is selected of a dataset's space.
  void write_selection(const std::string& what, std::int64_t set, std::int64_t space,
                       std::size_t count, const double* data);
  [[noreturn]] void fail(const std::string& what) const;
  std::int64_t check(std::int64_t code, const std::string& what) const;
  void write_attribute(const std::string& object, const std::string& name, std::int64_t space,
                       std::int64_t type, const void* data);
  /// Identifiers that the caller closes. Missing groups on the way are made.
  std::int64_t create_dataset(const std::string& path, std::int64_t type, std::int64_t space,
                              std::int64_t layout);
  std::int64_t open_dataset(const std::string& path) const;
  void write_small(const std::string& path, std::int64_t space, std::int64_t type,
                   const void* data);
  void write_column(const std::string& path, std::int64_t type, std::size_t length,
                    const void* data);

  std::string path_;
  Communicator comm_;
  std::int64_t file_ = -1;
  bool collective_ = false;
};

/// True in a build whose HDF5 writes one file from several ranks.
LIBSOLVE_EXPORT bool hdf5_is_parallel() noexcept;

}  // namespace libsolve
