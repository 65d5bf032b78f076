#include <libsolve/optimize/control_structure.hpp>

namespace libsolve {

ControlStructure::~ControlStructure() = default;

}  // namespace libsolve
