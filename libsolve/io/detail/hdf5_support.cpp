#include <hdf5.h>

#include <algorithm>
#include <cstring>
#include <libsolve/io/detail/hdf5_support.hpp>
#include <type_traits>
#include <utility>

namespace libsolve::detail {

static_assert(std::is_same_v<hid_t, Id>, "HDF5 1.10 or newer");

Quiet::Quiet() {
  H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Quiet::~Quiet() {
  H5Eset_auto2(H5E_DEFAULT, function_, data_);
}

std::string last_reason() {
  std::string innermost;
  std::string system;
  const auto visit = [](unsigned, const H5E_error2_t* e, void* data) -> herr_t {
    auto* out = static_cast<std::pair<std::string*, std::string*>*>(data);
    const std::string text = e->desc != nullptr ? e->desc : "";
    if (out->first->empty()) *out->first = text;
    const std::string mark = "error message = '";
    const size_t begin = text.find(mark);
    if (begin != std::string::npos && out->second->empty()) {
      const size_t start = begin + mark.size();
      *out->second = text.substr(start, text.find('\'', start) - start);
    }
    return 0;
  };
  std::pair<std::string*, std::string*> out{&innermost, &system};
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, visit, &out);
  H5Eclear2(H5E_DEFAULT);
  if (!system.empty()) return system;
  return innermost.empty() ? "unknown HDF5 error" : innermost;
}

Id text_type(size_t length) {
  const Id type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, std::max<size_t>(length, 1));
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

std::vector<std::string> split_texts(const std::vector<char>& buffer, size_t width) {
  std::vector<std::string> texts;
  for (size_t at = 0; at + width <= buffer.size(); at += width)
    texts.emplace_back(buffer.data() + at, strnlen(buffer.data() + at, width));
  return texts;
}

Id native_type(double) {
  return H5T_NATIVE_DOUBLE;
}

Id native_type(std::int64_t) {
  return H5T_NATIVE_INT64;
}

Handle scalar_space() {
  return {H5Screate(H5S_SCALAR), H5Sclose};
}

Handle line_space(std::uint64_t length) {
  const hsize_t extent = length;
  return {H5Screate_simple(1, &extent, nullptr), H5Sclose};
}

}  // namespace libsolve::detail
