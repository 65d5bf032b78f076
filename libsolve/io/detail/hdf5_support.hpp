/// \file
/// Ownership, errors and types of the HDF5 library; for the sources of Hdf5File only. Does not
/// include hdf5.h, which users of libsolve need not have: its identifiers are of type Id.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace libsolve::detail {

using Id = std::int64_t;

/// Closes an HDF5 identifier; a negative one is a failure that the caller checks.
class Handle {
 public:
  Handle(Id id, int (*close)(Id)) : id_(id), close_(close) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Id get() const { return id_; }

 private:
  Id id_;
  int (*close_)(Id);
};

/// Keeps HDF5 from printing its error stack while it lives; the host program's choice returns.
class Quiet {
 public:
  Quiet();
  ~Quiet();
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  int (*function_)(Id, void*) = nullptr;
  void* data_ = nullptr;
};

/// The reason of the last failure: what the system said if it said something, else HDF5's words.
std::string last_reason();

/// UTF-8 of a fixed length, padded with zeros; the caller closes it.
Id text_type(size_t length);
/// Strings of fixed length read back, without the padding.
std::vector<std::string> split_texts(const std::vector<char>& buffer, size_t width);

/// For H5Literate and H5Aiterate2: adds the name to the std::vector<std::string> behind `names`.
template <class Info>
int append_name(Id, const char* name, const Info*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

/// Numbers as this machine holds them; not to be closed.
Id native_type(double);
Id native_type(std::int64_t);

/// The space of one value, and of `length` of them.
Handle scalar_space();
Handle line_space(std::uint64_t length);

}  // namespace libsolve::detail
