#include <libsolve/linear/tuner.hpp>

namespace libsolve {

Tuner::~Tuner() = default;

}  // namespace libsolve
