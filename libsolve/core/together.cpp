#include <algorithm>
#include <array>
#include <cstring>
#include <libsolve/core/errors.hpp>
#include <libsolve/core/together.hpp>
#include <new>
#include <string>
#include <vector>

namespace libsolve {

namespace {

enum Kind : std::int64_t {
  other,
  input,
  shape,
  data,
  plugin,
  io,
  numerical,
  unsupported,
  backend,
  memory
};

Kind kind_of(const std::exception& e) {
  if (dynamic_cast<const InputError*>(&e) != nullptr) return input;
  if (dynamic_cast<const ShapeError*>(&e) != nullptr) return shape;
  if (dynamic_cast<const DataError*>(&e) != nullptr) return data;
  if (dynamic_cast<const PluginError*>(&e) != nullptr) return plugin;
  if (dynamic_cast<const IoError*>(&e) != nullptr) return io;
  if (dynamic_cast<const NumericalError*>(&e) != nullptr) return numerical;
  if (dynamic_cast<const Unsupported*>(&e) != nullptr) return unsupported;
  if (dynamic_cast<const BackendError*>(&e) != nullptr) return backend;
  if (dynamic_cast<const std::bad_alloc*>(&e) != nullptr) return memory;
  return other;
}

[[noreturn]] void throw_as(Kind kind, const std::string& text) {
  switch (kind) {
    case input:
      throw InputError({}, "", text);
    case shape:
      throw ShapeError(text);
    case data:
      throw DataError(text);
    case plugin:
      throw PluginError(text);
    case io:
      throw IoError(text);
    case numerical:
      throw NumericalError(text);
    case unsupported:
      throw Unsupported(text);
    case backend:
      throw BackendError(text);
    case memory:
      throw std::bad_alloc();
    default:
      throw Error(text);
  }
}

}  // namespace

void throw_together(const Communicator& comm, const std::exception_ptr& fault) {
  if (comm.size() == 1) {
    if (fault) std::rethrow_exception(fault);
    return;
  }
  double first = fault ? comm.rank() : comm.size();
  comm.min(std::span<double>(&first, 1));
  const int owner = static_cast<int>(first);
  if (owner == comm.size()) return;
  // The owner's words reach the others as a sum in which they have zeros.
  std::string text;
  std::array<std::int64_t, 2> head = {0, 0};  // kind, length
  if (comm.rank() == owner) {
    try {
      std::rethrow_exception(fault);
    } catch (const std::exception& e) {
      text = e.what();
      head[0] = kind_of(e);
    } catch (...) {
      text = "an exception without words";
    }
    head[1] = static_cast<std::int64_t>(text.size());
  }
  comm.sum(head);
  text.resize(static_cast<size_t>(head[1]));
  std::vector<std::int64_t> packed((text.size() + 7) / 8, 0);
  if (comm.rank() == owner) std::memcpy(packed.data(), text.data(), text.size());
  comm.sum(packed);
  if (comm.rank() == owner) std::rethrow_exception(fault);
  std::memcpy(text.data(), packed.data(), text.size());
  throw_as(static_cast<Kind>(head[0]), text);
}

}  // namespace libsolve
