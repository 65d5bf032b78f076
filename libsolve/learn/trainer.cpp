#include <libsolve/learn/trainer.hpp>

namespace libsolve {

Trainer::~Trainer() = default;

}  // namespace libsolve
