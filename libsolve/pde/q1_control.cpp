#include <libsolve/pde/q1_control.hpp>

namespace libsolve {

Q1Control::~Q1Control() = default;

}  // namespace libsolve
