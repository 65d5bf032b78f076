#include <libsolve/pde/parameter_estimation.hpp>

namespace libsolve {

ParameterEstimation::~ParameterEstimation() = default;

}  // namespace libsolve
