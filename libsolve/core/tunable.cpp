#include <libsolve/core/tunable.hpp>

namespace libsolve {

Tunable::~Tunable() = default;
TakesContext::~TakesContext() = default;

}  // namespace libsolve
