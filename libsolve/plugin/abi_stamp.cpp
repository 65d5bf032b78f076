#include <libsolve/plugin/abi_stamp.hpp>

namespace libsolve::detail {

std::string own_abi_text() {
  static constexpr AbiText own{abi_stamp()};
  return own.text;
}

}  // namespace libsolve::detail
