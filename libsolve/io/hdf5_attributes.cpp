#include <hdf5.h>

#include <libsolve/core/text.hpp>
#include <libsolve/io/detail/hdf5_support.hpp>
#include <libsolve/io/hdf5_file.hpp>

namespace libsolve {

using detail::Handle;
using detail::line_space;
using detail::native_type;
using detail::Quiet;
using detail::scalar_space;
using detail::text_type;

namespace {

/// Attributes live in the object's header, which has room for 64 kB.
constexpr size_t longest_attribute = 60000;

/// An attribute open for reading; throws IoError with file, object and name.
class Attribute {
 public:
  Attribute(hid_t file, const std::string& file_path, const std::string& object,
            const std::string& name)
      : begin_("'" + file_path + "': cannot read the attribute '" + name + "' of '" + object +
               "': "),
        id_(H5Aopen_by_name(file, object.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
            H5Aclose),
        type_(id_.get() < 0 ? -1 : H5Aget_type(id_.get()), H5Tclose) {
    check(id_.get());
  }
  [[noreturn]] void fail(const std::string& reason) const { throw IoError(begin_ + reason); }

  bool is_text() const { return H5Tget_class(type_.get()) == H5T_STRING; }
  bool is_numeric() const {
    const H5T_class_t kind = H5Tget_class(type_.get());
    return kind == H5T_INTEGER || kind == H5T_FLOAT;
  }
  std::string text() const {
    if (!is_text() || H5Tis_variable_str(type_.get()) > 0) fail("it is no string of fixed length");
    std::vector<char> buffer(H5Tget_size(type_.get()));
    check(H5Aread(id_.get(), type_.get(), buffer.data()));
    return detail::split_texts(buffer, buffer.size()).front();
  }
  std::vector<double> numbers() const {
    const Handle space(H5Aget_space(id_.get()), H5Sclose);
    std::vector<double> values(static_cast<size_t>(H5Sget_simple_extent_npoints(space.get())));
    check(H5Aread(id_.get(), H5T_NATIVE_DOUBLE, values.data()));
    return values;
  }

 private:
  void check(std::int64_t code) const {
    if (code < 0) fail(detail::last_reason());
  }
  std::string begin_;
  Handle id_;
  Handle type_;
};

}  // namespace

void Hdf5File::write_attribute(const std::string& object, const std::string& name,
                               std::int64_t space, std::int64_t type, const void* data) {
  const Quiet quiet;
  const std::string what = "write the attribute '" + name + "' of '" + object + "'";
  const Handle owner(H5Oopen(file_, object.c_str(), H5P_DEFAULT), H5Oclose);
  check(owner.get(), what);
  if (H5Aexists(owner.get(), name.c_str()) > 0) H5Adelete(owner.get(), name.c_str());
  const Handle attribute(
      H5Acreate2(owner.get(), name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  check(attribute.get(), what);
  check(H5Awrite(attribute.get(), type, data), what);
}

void Hdf5File::attribute(const std::string& object, const std::string& name,
                         std::string_view text) {
  const std::string data(text.substr(0, longest_attribute));
  const Handle type(text_type(data.size()), H5Tclose);
  write_attribute(object, name, scalar_space().get(), type.get(), data.c_str());
}

void Hdf5File::ascii_attribute(const std::string& object, const std::string& name,
                               std::string_view text) {
  const std::string data(text);
  const Handle type(text_type(data.size()), H5Tclose);
  H5Tset_cset(type.get(), H5T_CSET_ASCII);
  write_attribute(object, name, scalar_space().get(), type.get(), data.c_str());
}

void Hdf5File::attribute(const std::string& object, const std::string& name, double value) {
  write_attribute(object, name, scalar_space().get(), native_type(value), &value);
}

void Hdf5File::attribute(const std::string& object, const std::string& name, std::int64_t value) {
  write_attribute(object, name, scalar_space().get(), native_type(value), &value);
}

void Hdf5File::attribute(const std::string& object, const std::string& name,
                         std::span<const double> v) {
  write_attribute(object, name, line_space(v.size()).get(), native_type(double{}), v.data());
}

void Hdf5File::attribute(const std::string& object, const std::string& name,
                         std::span<const std::int64_t> v) {
  write_attribute(object, name, line_space(v.size()).get(), native_type(std::int64_t{}), v.data());
}

bool Hdf5File::has_attribute(const std::string& object, const std::string& name) const {
  const Quiet quiet;
  return exists(object) && H5Aexists_by_name(file_, object.c_str(), name.c_str(), H5P_DEFAULT) > 0;
}

std::vector<std::string> Hdf5File::attributes(const std::string& object) const {
  const Quiet quiet;
  std::vector<std::string> names;
  const Handle owner(H5Oopen(file_, object.c_str(), H5P_DEFAULT), H5Oclose);
  check(owner.get(), "open '" + object + "'");
  hsize_t at = 0;
  H5Aiterate2(owner.get(), H5_INDEX_NAME, H5_ITER_INC, &at, detail::append_name<H5A_info_t>, &names);
  return names;
}

std::string Hdf5File::text_attribute(const std::string& object, const std::string& name) const {
  const Quiet quiet;
  return Attribute(file_, path_, object, name).text();
}

double Hdf5File::number_attribute(const std::string& object, const std::string& name) const {
  const Quiet quiet;
  const Attribute attribute(file_, path_, object, name);
  const std::vector<double> values = attribute.numbers();
  if (values.size() != 1) attribute.fail("it is no single number");
  return values.front();
}

std::string Hdf5File::attribute_to_text(const std::string& object, const std::string& name) const {
  const Quiet quiet;
  const Attribute attribute(file_, path_, object, name);
  if (attribute.is_text()) return attribute.text();
  if (!attribute.is_numeric()) return "(not shown)";
  std::vector<std::string> words;
  for (const double v : attribute.numbers()) words.push_back(format_number(v));
  return join(words, " ");
}

}  // namespace libsolve
